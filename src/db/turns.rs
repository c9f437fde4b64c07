//! Whose turn it is to write to the embedded file, among the tasks of this process and among processes.
//!
//! SQLite lets a process that finds the file locked ask again after a while, up to a tenth of a second later: beside
//! an import, whose transactions follow each other closely, somebody who asks so would hardly ever find it free. Who
//! waits for a lock of the system is woken when it is free. This orders writers; SQLite's own lock is what guards
//! the data.

use crate::error::{Error, Result};
use std::fs::{File, TryLockError};
use std::path::Path;
use tokio::sync::{Mutex, MutexGuard};

/// The turns of one data directory.
#[derive(Debug)]
pub(super) struct Turns(Mutex<File>);

/// A turn; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a> {
    _lock: Lock,
    _place: MutexGuard<'a, File>,
}

/// The system's lock, held.
#[derive(Debug)]
struct Lock(File);

impl Drop for Lock {
    fn drop(&mut self) {
        // It fails only where it is not held.
        let _ = self.0.unlock();
    }
}

impl Turns {
    /// Those of the file `regulars.lock` in the directory, which is made when it is not there.
    pub fn of(directory: &Path) -> Result<Self> {
        let path = directory.join("regulars.lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| Error::internal(format!("cannot open {}: {e}", path.display())))?;
        Ok(Self(Mutex::new(file)))
    }

    /// Waits for a turn: first come, first served within this process.
    pub async fn take(&self) -> Result<Turn<'_>> {
        let place = self.0.lock().await;
        let failed = |e: std::io::Error| Error::internal(format!("cannot lock: {e}"));
        // The same lock under another handle, so that it can be waited for on a thread where waiting does no harm.
        let lock = Lock(place.try_clone().map_err(failed)?);
        let lock = match lock.0.try_lock() {
            Ok(()) => lock,
            Err(TryLockError::WouldBlock) => {
                // Who gives up waiting drops what the thread brings back, and with it the lock.
                let waiting = tokio::task::spawn_blocking(move || lock.0.lock().map(|()| lock));
                waiting
                    .await
                    .map_err(|e| Error::internal(format!("cannot wait for a lock: {e}")))?
                    .map_err(failed)?
            }
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        };
        Ok(Turn {
            _lock: lock,
            _place: place,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    /// Two handles of one file behave as two processes do.
    #[tokio::test(flavor = "multi_thread")]
    async fn one_at_a_time_and_nobody_starves() {
        let directory = tempfile::tempdir().unwrap();
        let inside = Arc::new(AtomicUsize::new(0));
        let greedy = Turns::of(directory.path()).unwrap();
        let modest = Turns::of(directory.path()).unwrap();
        let seen = inside.clone();
        let hog = tokio::spawn(async move {
            for _ in 0..400 {
                let _turn = greedy.take().await.unwrap();
                assert_eq!(seen.fetch_add(1, SeqCst), 0);
                tokio::time::sleep(Duration::from_millis(2)).await;
                seen.fetch_sub(1, SeqCst);
            }
        });
        let mut turns = 0;
        while !hog.is_finished() {
            let _turn = modest.take().await.unwrap();
            assert_eq!(inside.fetch_add(1, SeqCst), 0);
            turns += 1;
            inside.fetch_sub(1, SeqCst);
        }
        hog.await.unwrap();
        assert!(turns > 20, "{turns} turns beside 400");
    }

    #[tokio::test]
    async fn who_gives_up_leaves_no_lock_behind() {
        let directory = tempfile::tempdir().unwrap();
        let (one, other) = (
            Turns::of(directory.path()).unwrap(),
            Turns::of(directory.path()).unwrap(),
        );
        let held = one.take().await.unwrap();
        let waited = tokio::time::timeout(Duration::from_millis(50), other.take()).await;
        assert!(waited.is_err());
        drop(held);
        let limit = Duration::from_secs(20);
        for _ in 0..3 {
            drop(
                tokio::time::timeout(limit, one.take())
                    .await
                    .unwrap()
                    .unwrap(),
            );
            drop(
                tokio::time::timeout(limit, other.take())
                    .await
                    .unwrap()
                    .unwrap(),
            );
        }
    }
}
