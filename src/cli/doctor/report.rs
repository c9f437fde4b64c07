//! What the doctor says: a line for each thing it has looked at.

use crate::cli::terminal::say;

/// How one check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    Ok,
    Warn,
    Fail,
}

/// The lines that were said, and the worst of them.
#[derive(Debug)]
pub(super) struct Report(Verdict);

impl Report {
    /// Nothing was said yet.
    pub fn new() -> Self {
        Self(Verdict::Ok)
    }

    /// Did something fail?
    pub fn has_failed(&self) -> bool {
        self.0 == Verdict::Fail
    }

    fn line(&mut self, verdict: Verdict, what: &str, text: &str) {
        let word = match verdict {
            Verdict::Ok => "ok",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        };
        say(&format!("{word:<5} {what:<14} {text}"));
        self.0 = self.0.max(verdict);
    }

    /// It is as it should be.
    pub fn ok(&mut self, what: &str, text: &str) {
        self.line(Verdict::Ok, what, text);
    }

    /// It works, and somebody should look at it.
    pub fn warn(&mut self, what: &str, text: &str) {
        self.line(Verdict::Warn, what, text);
    }

    /// It does not work, or will not for long.
    pub fn fail(&mut self, what: &str, text: &str) {
        self.line(Verdict::Fail, what, text);
    }
}
