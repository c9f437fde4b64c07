//! Where dear operations run: on threads of their own, which step back behind those that answer everybody else.
//!
//! The threads of the server answer many requests each, and one that takes long keeps the others of its thread waiting. So
//! whatever may cost much runs here, as many at once as there are processors, at a lower priority. Made by `app`, which
//! ends it last: connections to the database that were opened here live as long as this.

use std::io;
use std::sync::Arc;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument;

/// What an operation may cost at most and still run where it came in: a page of a list with what hangs on it.
pub(super) const LIGHT: u64 = 2_000;

/// How far the threads step back, in steps of the system's niceness.
const NICE: i32 = 10;

/// The threads.
#[derive(Debug)]
pub(super) struct Heavy {
    runtime: Option<Runtime>,
    turns: Arc<Semaphore>,
}

/// The work ended with a panic, or the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Broken;

impl Heavy {
    /// Starts the threads, one for each processor.
    ///
    /// # Errors
    /// Those of the system.
    pub fn start() -> io::Result<Self> {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .thread_name("heavy")
            .enable_all()
            .on_thread_start(|| {
                // On Linux it is the thread's own; where it is refused, they run as the others do.
                if let Err(error) = rustix::process::nice(NICE) {
                    tracing::debug!(%error, "the threads of dear operations keep their priority");
                }
            })
            .build()?;
        Ok(Self {
            runtime: Some(runtime),
            turns: Arc::new(Semaphore::new(threads)),
        })
    }

    /// Does work here, when its turn has come; dropped before, it is given up.
    ///
    /// # Errors
    /// [`Broken`] when it panicked.
    pub async fn run<F>(&self, work: F) -> Result<F::Output, Broken>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        let turn = Arc::clone(&self.turns).acquire_owned().await;
        let turn = turn.map_err(|_| Broken)?;
        let runtime = self.runtime.as_ref().ok_or(Broken)?;
        let work = async move {
            let done = work.await;
            drop(turn);
            done
        };
        AbortOnDropHandle::new(runtime.spawn(work.in_current_span()))
            .await
            .map_err(|_| Broken)
    }
}

impl Drop for Heavy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waiting would block the thread that ends the program; nothing is at work here by then.
            runtime.shutdown_background();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    #[tokio::test]
    async fn work_is_done_given_up_and_found_broken() {
        let heavy = Heavy::start().unwrap();
        assert_eq!(heavy.run(async { 7 }).await, Ok(7));
        assert_eq!(
            heavy.run(async { panic!("a bug") }).await,
            Err::<(), _>(Broken)
        );
        struct Dropped(Arc<AtomicUsize>);
        impl Drop for Dropped {
            fn drop(&mut self) {
                self.0.fetch_add(1, Ordering::SeqCst);
            }
        }
        let count = Arc::new(AtomicUsize::new(0));
        let dropped = Dropped(count.clone());
        let endless = heavy.run(async move {
            let _dropped = dropped;
            std::future::pending::<()>().await;
        });
        let given_up = tokio::time::timeout(Duration::from_millis(50), endless).await;
        assert!(given_up.is_err());
        while count.load(Ordering::SeqCst) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Its turn is free again.
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        assert_eq!(heavy.turns.available_permits(), threads);
    }
}
