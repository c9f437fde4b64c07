//! How a file of any kind is taken in: read to its end on a thread of its own, then batch by batch, each one a
//! transaction.

use super::options::MoveOptions;
use super::shelf::Shelf;
use crate::access::Ctx;
use crate::domain::organization;
use crate::error::{Error, Result};
use crate::intake::{
    Columns, MappedField, Placed, Progress, Reject, RejectCode, Report, RowKind, Rows,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Read;
use tokio::sync::mpsc;

/// Rows taken in at once.
const BATCH: u32 = 1000;
/// Rows sent at once by the thread that reads.
const CHUNK: usize = 2000;
/// Chunks read ahead.
const AHEAD: usize = 2;

/// What a detail or a row is rejected for: the field to blame, the code, the words.
pub(super) type Fault<F> = crate::intake::table::Fault<F>;

/// Takes rows of one kind in.
pub(super) trait Take {
    /// The rows.
    type Row: RowKind + Serialize + DeserializeOwned + Send;

    /// Takes a batch in, as one transaction; with a dry run only tells what would come of it.
    async fn take(
        &mut self,
        ctx: &Ctx,
        rows: &[Placed<Self::Row>],
        dry_run: bool,
    ) -> Result<Taken<FieldOf<Self>>>;

    /// What makes a row the same as another one, for a dry run: what would be made by an earlier batch is known.
    fn identity(row: &Self::Row) -> &str;
}

/// The fields of the rows that somebody takes in.
pub(super) type FieldOf<T> = <<T as Take>::Row as RowKind>::Field;

/// What became of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// Something new was made.
    Made,
    /// Something known was filled in.
    Changed,
    /// It was known already.
    Known,
}

/// What became of a batch, row by row.
#[derive(Debug)]
pub(super) struct Taken<F> {
    /// In the order of the rows.
    pub fates: Vec<Result<Fate, Fault<F>>>,
    /// Details that were left out, each with the place of its row.
    pub left_out: Vec<(usize, Fault<F>)>,
}

impl<F> Taken<F> {
    /// Nothing yet.
    pub fn new() -> Self {
        Self {
            fates: Vec::new(),
            left_out: Vec::new(),
        }
    }
}

/// What is told when a row says otherwise than what is known.
pub(super) fn contradiction<F: MappedField>(field: F) -> Fault<F> {
    crate::intake::table::fault(
        field,
        RejectCode::Contradiction,
        "says otherwise than what is known here, which stays; correct the file, or what is here",
    )
}

/// Takes what is told into what is known, where nothing or no more than a guess is known; tells whether it changed.
pub(super) fn fill<F: MappedField, T: PartialEq + Clone>(
    field: F,
    known: &mut Option<T>,
    told: Option<&T>,
    is_guess: bool,
) -> Result<bool, Fault<F>> {
    match (&known, told) {
        (_, None) => Ok(false),
        (Some(here), Some(there)) if here == there => Ok(false),
        (Some(_), Some(_)) if !is_guess => Err(contradiction(field)),
        (_, Some(there)) => {
            *known = Some(there.clone());
            Ok(true)
        }
    }
}

struct Chunk<T> {
    rows: Vec<Placed<T>>,
    rejects: Vec<Reject>,
    bytes: u64,
}

/// Opens a file on a thread on which waiting is no harm: its header is read, and whoever sends it may take their time.
///
/// # Errors
/// [`Error::Internal`] when the thread breaks off.
pub(super) async fn opened<T: Send + 'static>(
    open: impl FnOnce() -> T + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(open)
        .await
        .map_err(|error| Error::internal(format!("the reading thread failed: {error}")))
}

/// Takes a whole file in.
pub(super) async fn run<R: Read + Send + 'static, T: Take>(
    ctx: &Ctx,
    options: &MoveOptions,
    mut taker: T,
    file: R,
    tell: &mut impl FnMut(Progress<'_>) -> Result<()>,
) -> Result<Report>
where
    T::Row: 'static,
    FieldOf<T>: Send,
{
    let company = organization::settings(ctx).await?;
    let reading = options.reading(ctx, &company)?;
    let rows = opened(move || Rows::<R, T::Row>::open(file, reading))
        .await?
        .map_err(|error| options.wrong(&error))?;
    let columns = rows.columns().clone();
    let mut report = Report::default();
    let mut shelf = Shelf::new();
    let (sender, mut chunks) = mpsc::channel(AHEAD);
    let reader = tokio::task::spawn_blocking(move || read(rows, &sender));
    while let Some(Chunk {
        rows,
        rejects,
        bytes,
    }) = chunks.recv().await
    {
        for reject in &rejects {
            tell(Progress::Rejected(reject))?;
        }
        report.rows += (rows.len() + rejects.len()) as u64;
        report.rejected += rejects.len() as u64;
        report.items += rows.len() as u64;
        report.bytes = bytes;
        shelf.add(&rows).await?;
        tell(Progress::Read(&report))?;
    }
    reader
        .await
        .map_err(|error| Error::internal(format!("the reading thread failed: {error}")))?
        .map_err(|error| {
            options.wrong(&format!(
                "the file cannot be read: {error}; nothing of it was taken in"
            ))
        })?;
    let mut in_order = shelf.finish().await?;
    let mut seen: HashSet<u64> = HashSet::new();
    for n in 1_u32.. {
        let rows = in_order.next(BATCH).await?;
        if rows.is_empty() {
            break;
        }
        let mut taken = taker.take(ctx, &rows, options.dry_run).await?;
        if options.dry_run {
            for (row, fate) in rows.iter().zip(&mut taken.fates) {
                if fate.as_ref().is_ok_and(|fate| *fate == Fate::Made)
                    && !seen.insert(short_hash(T::identity(&row.row)))
                {
                    *fate = Ok(Fate::Known);
                }
            }
        }
        account(&rows, taken, &columns, &mut report, tell)?;
        // Plans made while the tables were empty would read them from end to end for ever.
        if !options.dry_run && matches!(n, 2 | 16 | 128 | 1024) {
            ctx.db.refresh_statistics().await?;
        }
    }
    Ok(report)
}

/// Tells of a batch.
fn account<T, F: MappedField>(
    rows: &[Placed<T>],
    taken: Taken<F>,
    columns: &Columns<F>,
    report: &mut Report,
    tell: &mut impl FnMut(Progress<'_>) -> Result<()>,
) -> Result<()> {
    let reject = |row: &Placed<T>, (field, code, reason): Fault<F>| Reject {
        line: row.line,
        column: field
            .and_then(|field| columns.name(&field))
            .map(str::to_owned),
        code,
        reason,
        original: row.original.clone(),
    };
    for (place, fault) in taken.left_out {
        if let Some(row) = rows.get(place) {
            report.left_out += 1;
            tell(Progress::LeftOut(&reject(row, fault)))?;
        }
    }
    for (row, fate) in rows.iter().zip(taken.fates) {
        report.settled += 1;
        match fate {
            Ok(Fate::Made) => report.made += 1,
            Ok(Fate::Changed) => report.changed += 1,
            Ok(Fate::Known) => report.known += 1,
            Err(fault) => {
                report.rejected += 1;
                tell(Progress::Rejected(&reject(row, fault)))?;
            }
        }
    }
    tell(Progress::Booked(report))
}

/// Reads everything, on the reading thread; ends early when nobody receives any more.
fn read<R: Read, T: RowKind>(
    mut rows: Rows<R, T>,
    sender: &mpsc::Sender<Chunk<T>>,
) -> std::io::Result<()> {
    loop {
        let mut chunk = Chunk {
            rows: Vec::new(),
            rejects: Vec::new(),
            bytes: 0,
        };
        let is_end = loop {
            if chunk.rows.len() + chunk.rejects.len() >= CHUNK {
                break false;
            }
            match rows.next().transpose()? {
                None => break true,
                Some(Ok(row)) => chunk.rows.push(row),
                Some(Err(reject)) => chunk.rejects.push(reject),
            }
        };
        chunk.bytes = rows.bytes_read();
        if sender.blocking_send(chunk).is_err() || is_end {
            return Ok(());
        }
    }
}

fn short_hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
