//! Whose turn it is to write to the embedded file, among the tasks of this process and among processes.
//!
//! SQLite lets a process that finds the file locked ask again after a while, up to a tenth of a second later: beside
//! an import, whose transactions follow each other closely, somebody who asks so would hardly ever find it free. Who
//! waits for a lock of the system is woken when it is free. This orders writers; SQLite's own lock is what guards
//! the data.

use crate::error::{Error, Result};
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, MutexGuard, Semaphore};

/// The turns of one data directory.
#[derive(Debug)]
pub(super) struct Turns {
    place: Mutex<File>,
    /// One thread at most waits for the system's lock, also when whoever sent it gave up long ago.
    thread: Arc<Semaphore>,
    limit: Duration,
}

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

fn failed(error: std::io::Error) -> Error {
    Error::internal(format!("cannot lock: {error}"))
}

impl Turns {
    /// Those of the file `regulars.lock` in the directory, which is made when it is not there. Nobody waits longer
    /// than `limit` for one.
    pub fn of(directory: &Path, limit: Duration) -> Result<Self> {
        let path = directory.join("regulars.lock");
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&path)
            .map_err(|e| Error::internal(format!("cannot open {}: {e}", path.display())))?;
        Ok(Self {
            place: Mutex::new(file),
            thread: Arc::new(Semaphore::new(1)),
            limit,
        })
    }

    /// Waits for a turn: first come, first served within this process. None when it does not come in time: a process
    /// that was stopped in its turn keeps nobody else from writing, for SQLite's own lock still decides.
    pub async fn take(&self) -> Result<Option<Turn<'_>>> {
        match tokio::time::timeout(self.limit, self.wait()).await {
            Ok(turn) => turn.map(Some),
            Err(_) => {
                metrics::counter!("regulars_db_turns_missed_total").increment(1);
                Ok(None)
            }
        }
    }

    async fn wait(&self) -> Result<Turn<'_>> {
        let place = self.place.lock().await;
        // The same lock under another handle, so that it can be waited for on a thread where waiting does no harm.
        let lock = Lock(place.try_clone().map_err(failed)?);
        let lock = match lock.0.try_lock() {
            Ok(()) => lock,
            Err(TryLockError::WouldBlock) => self.wait_on_a_thread(lock).await?,
            Err(TryLockError::Error(e)) => return Err(failed(e)),
        };
        Ok(Turn {
            _lock: lock,
            _place: place,
        })
    }

    /// Who gives up waiting drops what the thread brings back, and with it the lock.
    async fn wait_on_a_thread(&self, lock: Lock) -> Result<Lock> {
        let permit = Arc::clone(&self.thread).acquire_owned().await;
        let permit = permit.map_err(|e| Error::internal(format!("cannot wait for a lock: {e}")))?;
        let waiting = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            lock.0.lock().map(|()| lock)
        });
        waiting
            .await
            .map_err(|e| Error::internal(format!("cannot wait for a lock: {e}")))?
            .map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

    const LIMIT: Duration = Duration::from_secs(60);

    /// Two handles of one file behave as two processes do.
    #[tokio::test(flavor = "multi_thread")]
    async fn one_at_a_time_and_nobody_starves() {
        let directory = tempfile::tempdir().unwrap();
        let inside = Arc::new(AtomicUsize::new(0));
        let greedy = Turns::of(directory.path(), LIMIT).unwrap();
        let modest = Turns::of(directory.path(), LIMIT).unwrap();
        let seen = inside.clone();
        let hog = tokio::spawn(async move {
            for _ in 0..400 {
                let _turn = greedy.take().await.unwrap().unwrap();
                assert_eq!(seen.fetch_add(1, SeqCst), 0);
                tokio::time::sleep(Duration::from_millis(2)).await;
                seen.fetch_sub(1, SeqCst);
            }
        });
        let mut turns = 0;
        while !hog.is_finished() {
            let _turn = modest.take().await.unwrap().unwrap();
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
            Turns::of(directory.path(), LIMIT).unwrap(),
            Turns::of(directory.path(), LIMIT).unwrap(),
        );
        let held = one.take().await.unwrap();
        let waited = tokio::time::timeout(Duration::from_millis(50), other.take()).await;
        assert!(waited.is_err());
        drop(held);
        for _ in 0..3 {
            assert!(one.take().await.unwrap().is_some());
            assert!(other.take().await.unwrap().is_some());
        }
    }

    #[tokio::test]
    async fn who_waited_long_enough_goes_on_without_a_turn() {
        let directory = tempfile::tempdir().unwrap();
        let one = Turns::of(directory.path(), LIMIT).unwrap();
        let other = Turns::of(directory.path(), Duration::from_millis(20)).unwrap();
        let held = one.take().await.unwrap();
        for _ in 0..10 {
            assert!(other.take().await.unwrap().is_none());
        }
        assert_eq!(other.thread.available_permits(), 0, "one thread waits");
        drop(held);
        // The thread still there gives the lock back as soon as it has it.
        let freed = tokio::time::timeout(LIMIT, other.thread.acquire()).await;
        drop(freed.unwrap().unwrap());
        assert!(other.take().await.unwrap().is_some());
    }
}
