//! The roots of the schema: one line a topic.
