//! Doing an import: the upload is read piece by piece, what comes of it is told while it goes on, and rejected rows
//! become the result.
//!
//! An attempt begins at the file's start; what an earlier one has booked is passed over (see `docs/adr/0008`).

use super::attempt::{self, Beside, End, Figures};
use super::chunks::{self, Cutter, Pieces};
use super::job::rights;
use super::moving;
use crate::access::{Action, Ctx};
use crate::error::{Error, Result};
use crate::intake::{Reject, RejectsWriter};
use entity::transfer;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How often it is told how far an import has come.
const TOLD: Duration = Duration::from_secs(1);
/// Pieces read ahead.
const AHEAD: usize = 2;

/// Runs an attempt as the viewer of the context.
pub(super) async fn run(ctx: &Ctx, row: &transfer::Model) -> Result<()> {
    ctx.require(Action::DataImport)?;
    let desk = Desk::new()?;
    let file = upload(ctx, row);
    let ended = CancellationToken::new();
    let work = async {
        let outcome = moving::run(ctx, row, file, &desk).await;
        ended.cancel();
        outcome
    };
    // Both go on together: the work may hold the only connection while this one wants it.
    let (outcome, told) = tokio::join!(work, tell(ctx, row, &desk, &ended));
    told?;
    if desk.is_stopped() {
        // Called off, or another node's by now. What is booked stays booked.
        return Ok(());
    }
    let report = outcome?;
    let (figures, pieces) = desk.take(row, true)?;
    let end = End::Done {
        bytes: desk.bytes(),
        report: Some(report),
        made_under: rights(&ctx.viewer),
    };
    let beside = Beside {
        pieces,
        ..Beside::default()
    };
    attempt::end(ctx, row, &figures, &beside, &end).await?;
    Ok(())
}

/// Writes down how far the work has come, time and again until it has ended; stops it when it counts no more.
async fn tell(
    ctx: &Ctx,
    row: &transfer::Model,
    desk: &Desk,
    ended: &CancellationToken,
) -> Result<()> {
    loop {
        tokio::select! {
            biased;
            () = ended.cancelled() => return Ok(()),
            () = tokio::time::sleep(TOLD) => {}
        }
        let told = async {
            let (figures, pieces) = desk.take(row, false)?;
            let beside = Beside {
                pieces,
                is_news: true,
                ..Beside::default()
            };
            attempt::progress(ctx, row, &figures, &beside).await
        }
        .await;
        if !matches!(told, Ok(true)) {
            desk.stop();
            return told.map(|_| ());
        }
    }
}

/// Where an import tells how far it has come; asked from beside it.
#[derive(Clone, Debug)]
pub(super) struct Desk {
    figures: Arc<Mutex<Figures>>,
    rejects: Arc<Mutex<RejectsWriter<Shared>>>,
    written: Shared,
    cutter: Arc<Mutex<Cutter>>,
    stopped: Arc<AtomicBool>,
}

/// A buffer that is filled here and emptied there.
#[derive(Clone, Debug, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        lock(&self.0).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Desk {
    fn new() -> Result<Self> {
        let written = Shared::default();
        let rejects = RejectsWriter::new(written.clone()).map_err(unwritable)?;
        Ok(Self {
            figures: Arc::default(),
            rejects: Arc::new(Mutex::new(rejects)),
            written,
            cutter: Arc::default(),
            stopped: Arc::default(),
        })
    }

    /// A row was rejected.
    pub fn reject(&self, reject: &Reject) -> Result<()> {
        lock(&self.rejects).write(reject).map_err(unwritable)
    }

    /// So many rows are done, of so many, and so many were rejected.
    ///
    /// # Errors
    /// When the import is to stop.
    pub fn tell(&self, done: u64, total: Option<u64>, rejected: u64) -> Result<()> {
        let mut figures = lock(&self.figures);
        figures.done = done;
        figures.total = total;
        figures.rejected = rejected;
        if self.is_stopped() {
            return Err(Error::BadRequest("the import was called off".into()));
        }
        Ok(())
    }

    fn stop(&self) {
        self.stopped.store(true, Ordering::SeqCst);
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    /// The figures, and the pieces of the file of rejected rows that are to be written.
    fn take(&self, row: &transfer::Model, is_end: bool) -> Result<(Figures, Pieces)> {
        let mut cutter = lock(&self.cutter);
        cutter.push(&std::mem::take(&mut *lock(&self.written.0)));
        let mut figures = lock(&self.figures).clone();
        let upload = u64::try_from(row.stored_bytes).unwrap_or(0);
        figures.stored = upload.saturating_add(cutter.bytes());
        Ok((figures, cutter.cut(is_end)))
    }

    fn bytes(&self) -> u64 {
        lock(&self.cutter).bytes()
    }
}

fn unwritable(error: io::Error) -> Error {
    Error::internal(format!("a rejected row cannot be written down: {error}"))
}

/// The upload, to be read on a thread of its own while its pieces are fetched.
pub(super) struct Upload {
    pieces: mpsc::Receiver<Vec<u8>>,
    piece: io::Cursor<Vec<u8>>,
    failure: Arc<Mutex<Option<Error>>>,
}

impl Upload {
    /// Why the pieces could not be fetched, where that is why reading failed.
    pub fn failure(&self) -> Arc<Mutex<Option<Error>>> {
        Arc::clone(&self.failure)
    }
}

impl Read for Upload {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.piece.read(buffer)?;
            if read > 0 || buffer.is_empty() {
                return Ok(read);
            }
            match self.pieces.blocking_recv() {
                Some(piece) => self.piece = io::Cursor::new(piece),
                None if lock(&self.failure).is_some() => {
                    return Err(io::Error::other("its pieces cannot be fetched"));
                }
                None => return Ok(0),
            }
        }
    }
}

/// Fetches the pieces of the upload, as quickly as they are read.
fn upload(ctx: &Ctx, row: &transfer::Model) -> Upload {
    let (sender, pieces) = mpsc::channel(AHEAD);
    let failure: Arc<Mutex<Option<Error>>> = Arc::default();
    let (ctx, id, failed) = (ctx.clone(), row.id, Arc::clone(&failure));
    tokio::spawn(async move {
        let mut place = 0;
        loop {
            match chunks::read(&ctx, id, chunks::UPLOAD, place).await {
                Ok(Some(piece)) => {
                    if sender.send(piece).await.is_err() {
                        return;
                    }
                    place += 1;
                }
                Ok(None) => return,
                Err(error) => {
                    *lock(&failed) = Some(error);
                    return;
                }
            }
        }
    });
    Upload {
        pieces,
        piece: io::Cursor::default(),
        failure,
    }
}

/// The failure that lies behind an error of reading.
pub(super) fn behind(failure: &Mutex<Option<Error>>, error: Error) -> Error {
    lock(failure).take().unwrap_or(error)
}
