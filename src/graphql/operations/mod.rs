//! The API of what keeps the program running: the audit log and the job queue.
