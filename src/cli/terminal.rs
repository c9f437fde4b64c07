//! Writing for the person or script at the terminal. A reader who has gone away (`| head`) ends nothing.

use std::io::Write;

/// Writes a line to standard output.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Writes what went wrong to standard error.
pub fn complain(what: &str) {
    let _ = writeln!(std::io::stderr().lock(), "error: {what}");
}
