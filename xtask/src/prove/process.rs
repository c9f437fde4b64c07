//! What the system tells of a process: memory and processor time, from `/proc`.

use crate::failure::{During, Result};
use std::time::Duration;

/// Processor time of a process so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Spent {
    /// In the program.
    pub user: Duration,
    /// In the system for it.
    pub system: Duration,
}

impl Spent {
    /// Both together.
    pub fn all(self) -> Duration {
        self.user + self.system
    }

    /// What was spent since an earlier look.
    pub fn since(self, earlier: Self) -> Self {
        Self {
            user: self.user.saturating_sub(earlier.user),
            system: self.system.saturating_sub(earlier.system),
        }
    }
}

/// Processor time of a process so far, in steps of 10 ms.
pub fn spent(process: u32) -> Result<Spent> {
    let path = format!("/proc/{process}/stat");
    let text = std::fs::read_to_string(&path).during(&path)?;
    // The name before may hold blanks and parentheses.
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    // A tick is 10 ms on every Linux that there is.
    let ticks = |place: usize| -> Result<Duration> {
        let ticks: u64 = fields.get(place).during(&path)?.parse()?;
        Ok(Duration::from_millis(ticks * 10))
    };
    Ok(Spent {
        user: ticks(11)?,
        system: ticks(12)?,
    })
}

/// The most memory that a process had so far in bytes; none when it has ended.
pub fn peak_memory(process: u32) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024)
}
