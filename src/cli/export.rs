//! `regulars export`: customers, cards, visits or purchases into a file, or to standard output.
//!
//! The file appears whole or not at all: it is written under another name beside its place, and takes it when it is
//! safe on the disk.

use crate::access::{Ctx, audit};
use crate::domain::transfers::export::{Export, LONGEST_SOURCE, Piece, Plan, USUAL_SOURCE};
use crate::error::{Error, Result};
use chrono::NaiveDate;
use clap::{Args, Subcommand, ValueEnum};
use entity::enums::{FileFormat, TransferKind};
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// What is exported.
#[derive(Clone, Debug, Subcommand)]
pub enum ExportCommand {
    /// Customers with contact points, consents, references, home store and keeper.
    Customers(ExportArgs),
    /// Membership cards with tier and programme.
    Cards(ExportArgs),
    /// Visits, with or without a purchase.
    Visits(ExportArgs),
    /// Receipts with their lines.
    Purchases(ExportArgs),
}

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Comma-separated values with a header: what `import` takes back.
    Csv,
    /// One JSON object a line, with everything that hangs on it.
    Jsonl,
}

/// How something is exported.
#[derive(Clone, Debug, Args)]
pub struct ExportArgs {
    /// How the file is written.
    #[arg(long, value_enum, default_value_t = Format::Csv)]
    pub format: Format,
    /// The file; `-` is standard output.
    #[arg(long, default_value = "-", value_name = "FILE")]
    pub out: PathBuf,
    /// Visits and purchases from this day on; customers and cards that were changed on this day or later.
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub since: Option<NaiveDate>,
    /// The system by whose numbers customers and receipts are called: the `--source` of the import.
    #[arg(long, default_value = USUAL_SOURCE)]
    pub source: String,
    /// Disarm what a spreadsheet program would run as a formula; such a file cannot be imported as it is.
    #[arg(long)]
    pub for_spreadsheet: bool,
}

impl ExportCommand {
    fn parts(self) -> (TransferKind, ExportArgs) {
        match self {
            Self::Customers(args) => (TransferKind::Customers, args),
            Self::Cards(args) => (TransferKind::Cards, args),
            Self::Visits(args) => (TransferKind::Visits, args),
            Self::Purchases(args) => (TransferKind::Purchases, args),
        }
    }
}

/// Runs the command.
///
/// # Errors
/// What cannot be written, in words; those of the database. No file is left behind then.
pub async fn run(ctx: &Ctx, command: ExportCommand) -> Result<()> {
    let (kind, args) = command.parts();
    if args.source.is_empty() || args.source.chars().count() > LONGEST_SOURCE {
        return Err(wrong(format!(
            "--source has 1 to {LONGEST_SOURCE} characters"
        )));
    }
    let plan = Plan {
        kind,
        format: match args.format {
            Format::Csv => FileFormat::Csv,
            Format::Jsonl => FileFormat::Jsonl,
        },
        since: args.since,
        source: args.source,
        for_spreadsheet: args.for_spreadsheet,
    };
    let mut out = Out::open(&args.out)?;
    let mut export = Export::begin(ctx, plan).await?;
    let outcome = write(ctx, &mut export, &mut out).await;
    let closed = export.close().await;
    let records = outcome?;
    closed?;
    out.finish()?;
    eprintln!("{records} records");
    Ok(())
}

async fn write(ctx: &Ctx, export: &mut Export, out: &mut Out) -> Result<u64> {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3}% {pos} of {len} {eta} left");
    let bar = ProgressBar::new(export.total().await?)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut records = 0;
    while let Some(piece) = export.next().await? {
        tell(ctx, &piece).await?;
        out.write(&piece.bytes)?;
        records += piece.records;
        bar.set_position(records);
    }
    bar.finish_and_clear();
    Ok(records)
}

/// Writes down whose contact details leave in full, before they do.
async fn tell(ctx: &Ctx, piece: &Piece) -> Result<()> {
    if piece.shown.is_empty() {
        return Ok(());
    }
    let entry = audit::Entry::new(ctx, "customer.read_contact")
        .about(piece.shown.iter().copied())
        .detail(serde_json::json!({ "export": "command" }));
    let entry = std::slice::from_ref(&entry);
    ctx.db
        .write(|tx| async move { audit::write(&*tx, entry).await })
        .await
}

fn wrong(error: impl std::fmt::Display) -> Error {
    Error::BadRequest(error.to_string().into())
}

/// Where an export goes.
enum Out {
    Stdout(std::io::Stdout),
    File(Unfinished),
}

/// A file that has not come to its place yet; gone when it is dropped before.
struct Unfinished {
    file: BufWriter<File>,
    path: PathBuf,
    place: PathBuf,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Gone already when it has come to its place; there is nobody to tell otherwise.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn unwritable(path: &Path) -> impl Fn(std::io::Error) -> Error {
    move |error| wrong(format!("cannot write {}: {error}", path.display()))
}

impl Out {
    fn open(place: &Path) -> Result<Self> {
        if place == Path::new("-") {
            return Ok(Self::Stdout(std::io::stdout()));
        }
        let Some(name) = place.file_name() else {
            return Err(wrong(format!(
                "{} is not the name of a file",
                place.display()
            )));
        };
        let mut hidden = std::ffi::OsString::from(".");
        hidden.push(name);
        hidden.push(format!(".{}.part", Uuid::now_v7().simple()));
        let path = place.with_file_name(hidden);
        let mut options = File::options();
        options.write(true).create_new(true);
        // Personal data: for whoever runs the command, and nobody else.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path).map_err(unwritable(place))?;
        Ok(Self::File(Unfinished {
            file: BufWriter::new(file),
            path,
            place: place.to_owned(),
        }))
    }

    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        match self {
            Self::Stdout(out) => out
                .write_all(bytes)
                .map_err(|error| wrong(format!("cannot write to standard output: {error}"))),
            Self::File(out) => out.file.write_all(bytes).map_err(unwritable(&out.place)),
        }
    }

    fn finish(self) -> Result<()> {
        match self {
            Self::Stdout(mut out) => out
                .flush()
                .map_err(|error| wrong(format!("cannot write to standard output: {error}"))),
            Self::File(mut out) => {
                let failed = unwritable(&out.place);
                out.file.flush().map_err(&failed)?;
                out.file.get_ref().sync_all().map_err(&failed)?;
                std::fs::rename(&out.path, &out.place).map_err(&failed)?;
                // The name is safe on the disk when its directory is.
                let directory = match out.place.parent() {
                    Some(parent) if parent != Path::new("") => parent,
                    _ => Path::new("."),
                };
                let synced = File::open(directory).and_then(|directory| directory.sync_all());
                synced.map_err(&failed)
            }
        }
    }
}
