//! `regulars import`: brings in what another system kept, file by file.

use super::first_store;
use super::import_words::{Words, say, say_open};
use crate::access::Ctx;
use crate::app::{House, StartError};
use crate::config::{self, Configuration, Mode};
use crate::domain::moving::{self, Kind, MoveOptions};
use crate::domain::organization::company;
use crate::error::{Error, Result};
use crate::intake::cards::CardField;
use crate::intake::customers::CustomerField;
use crate::intake::products::ProductField;
use crate::intake::staff::StaffField;
use crate::intake::{Field, MappedField, Progress, Reject, RejectsWriter};
use clap::{Args, Subcommand};
use entity::values::SystemClock;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

fn fields<F: MappedField>() -> String {
    format!("Fields for --map: {}", F::known())
}

/// What is imported.
#[derive(Clone, Debug, Subcommand)]
pub enum ImportCommand {
    /// Purchases from a till system's export.
    #[command(after_help = fields::<Field>())]
    Purchases(PurchasesArgs),
    /// Files of customers, with contact points and consents.
    #[command(after_help = fields::<CustomerField>())]
    Customers(FileArgs),
    /// Cards as they were printed, with their holders' tiers.
    #[command(after_help = fields::<CardField>())]
    Cards(FileArgs),
    /// Products with their names, categories and prices.
    #[command(after_help = fields::<ProductField>())]
    Products(FileArgs),
    /// Accounts of staff, without passwords.
    #[command(after_help = fields::<StaffField>())]
    Staff(FileArgs),
    /// List the references of all files that are still open: who or what is named and not there yet.
    Open,
}

/// How purchases are imported.
#[derive(Clone, Debug, Args)]
pub struct PurchasesArgs {
    /// What every import has.
    #[command(flatten)]
    pub file: FileArgs,
    /// The code of the store of rows that name none; it is made when there is no store at all.
    #[arg(long, default_value = "main")]
    pub store: String,
}

/// How a file is imported.
#[derive(Clone, Debug, Args)]
pub struct FileArgs {
    /// The file: CSV with a header, in UTF-8, GB18030 or EUC-KR, packed by gzip or not.
    pub file: PathBuf,
    /// Which column holds what, such as `customer=customer_id,date=date,quantity=quantity,amount=amount`.
    #[arg(long)]
    pub map: String,
    /// Only tell what would happen.
    #[arg(long)]
    pub dry_run: bool,
    /// Write rejected rows, and what was left out of others, to this file, with line, column, code and reason.
    #[arg(long)]
    pub rejects: Option<PathBuf>,
    /// The name of the other system: its receipts and customers are known by it and their number.
    #[arg(long, default_value = "pos")]
    pub source: String,
    /// The encoding: utf-8, gb18030 or euc-kr; recognized when not given.
    #[arg(long)]
    pub encoding: Option<String>,
    /// How dates are written, such as `%d.%m.%Y`; given several times, each is tried. ISO dates when not given.
    #[arg(long)]
    pub date_format: Vec<String>,
    /// The decimal mark.
    #[arg(long, default_value_t = '.')]
    pub decimal: char,
    /// The mark between thousands.
    #[arg(long)]
    pub thousands: Option<char>,
    /// The mark between fields.
    #[arg(long, default_value_t = ',')]
    pub delimiter: char,
}

impl FileArgs {
    /// The same as words, with the code of a store for purchases.
    fn options(&self, store: &str) -> MoveOptions {
        let name = self.file.file_name().unwrap_or(self.file.as_os_str());
        MoveOptions {
            dry_run: self.dry_run,
            source: self.source.clone(),
            store: store.to_owned(),
            encoding: self.encoding.clone(),
            date_formats: self.date_format.clone(),
            decimal: self.decimal,
            thousands: self.thousands,
            delimiter: self.delimiter,
            ..MoveOptions::new(&self.map, &name.to_string_lossy())
        }
    }
}

/// Runs the command. A dry run that finds no store works in a [`Trial`], so that it writes nothing.
///
/// # Errors
/// What is wrong with the options or the file, in words; those of the database.
pub async fn run(
    configuration: Configuration,
    command: ImportCommand,
) -> std::result::Result<(), StartError> {
    let usual = MoveOptions::new("", "").store;
    let (kind, args, store) = match command {
        ImportCommand::Purchases(PurchasesArgs { file, store }) => (Kind::Purchases, file, store),
        ImportCommand::Customers(file) => (Kind::Customers, file, usual),
        ImportCommand::Cards(file) => (Kind::Cards, file, usual),
        ImportCommand::Products(file) => (Kind::Products, file, usual),
        ImportCommand::Staff(file) => (Kind::Staff, file, usual),
        ImportCommand::Open => {
            let house = open(configuration).await?;
            let outcome = say_open(&house.ctx, u64::MAX).await;
            house.close().await?;
            return Ok(outcome?);
        }
    };
    let options = args.options(&store);
    let mut trial = configuration.clone();
    let database = &configuration.settings.database;
    let is_empty = database.url.is_none() && !database.data.join("regulars.db").exists();
    if !(args.dry_run && is_empty) {
        let house = open(configuration).await?;
        let needs_store = args.dry_run && kind == Kind::Purchases;
        if !(needs_store && first_store::is_missing(&house.ctx).await?) {
            let outcome = bring_in(&house.ctx, kind, &args, &options).await;
            house.close().await?;
            return Ok(outcome?);
        }
        let company = company::settings(&house.ctx).await?;
        trial.settings.company = config::Company {
            name: company.name.clone(),
            currency: company.currency.code().to_owned(),
            country: company.country.code().to_owned(),
            locale: company.locale.clone(),
            time_zone: company.time_zone.name().to_owned(),
        };
        house.close().await?;
    }
    let place = Trial::new()?;
    trial.settings.database.url = None;
    trial.settings.database.data = place.0.clone();
    let house = open(trial).await?;
    let outcome = bring_in(&house.ctx, kind, &args, &options).await;
    house.close().await?;
    Ok(outcome?)
}

async fn open(configuration: Configuration) -> std::result::Result<House, StartError> {
    House::open(configuration, Mode::Serve, Arc::new(SystemClock)).await
}

/// A directory for a database of its own, in which a dry run makes what it needs; gone when it is dropped.
#[derive(Debug)]
struct Trial(PathBuf);

impl Trial {
    fn new() -> std::result::Result<Self, StartError> {
        let name = format!("regulars-dry-run-{}", Uuid::now_v7().simple());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).map_err(|error| {
            StartError::Io(
                format!("cannot make {} for a dry run", path.display()),
                error,
            )
        })?;
        Ok(Self(path))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        // There is nobody left to tell; what stays behind holds nothing of the shop.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn wrong(error: impl std::fmt::Display) -> Error {
    Error::BadRequest(error.to_string().into())
}

/// Makes the file of rejected rows, which must not take the place of the one that is read.
fn open_rejects(path: &Path, read: &Path) -> Result<RejectsWriter<BufWriter<File>>> {
    let unwritable =
        |error: &dyn std::fmt::Display| wrong(format!("cannot write {}: {error}", path.display()));
    // Whatever the way to it is: a link, or another name of the same directory.
    let place = |path: &Path| std::fs::canonicalize(path).ok();
    if place(path).is_some_and(|place_of| Some(place_of) == place(read)) {
        return Err(unwritable(
            &"it is the file that is imported; name another one for the rejected rows",
        ));
    }
    let out = File::create(path).map_err(|error| unwritable(&error))?;
    RejectsWriter::new(BufWriter::new(out)).map_err(|error| unwritable(&error))
}

/// Where rejected rows go: to their file, or the first few to the terminal.
struct Rejects {
    file: Option<RejectsWriter<BufWriter<File>>>,
    shown: u32,
}

impl Rejects {
    fn note(&mut self, bar: &ProgressBar, reject: &Reject) -> Result<()> {
        if let Some(file) = &mut self.file {
            return file
                .write(reject)
                .map_err(|error| wrong(format!("cannot write the rejects: {error}")));
        }
        if self.shown < SHOWN {
            self.shown += 1;
            let column = reject
                .column
                .as_deref()
                .map(|column| format!(", {column}"))
                .unwrap_or_default();
            bar.suspend(|| {
                eprintln!(
                    "line {}{column}: {} {}",
                    reject.line, reject.code, reject.reason
                )
            });
        }
        Ok(())
    }

    fn finish(self) -> Result<()> {
        if let Some(file) = self.file {
            file.finish()
                .map_err(|error| wrong(format!("cannot write the rejects: {error}")))?;
        }
        Ok(())
    }
}

async fn bring_in(ctx: &Ctx, kind: Kind, args: &FileArgs, options: &MoveOptions) -> Result<()> {
    let unreadable =
        |error: std::io::Error| wrong(format!("cannot read {}: {error}", args.file.display()));
    let file = File::open(&args.file).map_err(unreadable)?;
    let metadata = file.metadata().map_err(unreadable)?;
    let size = metadata.len();
    // Before anything is made for a file that cannot be read; what comes through a pipe comes only once.
    if metadata.is_file() {
        moving::check(
            ctx,
            kind,
            options,
            File::open(&args.file).map_err(unreadable)?,
        )
        .await?;
    }
    let rejects = args
        .rejects
        .as_deref()
        .map(|path| open_rejects(path, &args.file));
    let is_first = kind == Kind::Purchases && first_store::ensure(ctx, &options.store).await?;
    let mut rejects = Rejects {
        file: rejects.transpose()?,
        shown: 0,
    };
    let words = Words::of(kind);
    let bar = progress_bar();
    let started = std::time::Instant::now();
    let report = moving::run(ctx, kind, options, file, |progress| {
        match progress {
            Progress::Rejected(reject) | Progress::LeftOut(reject) => {
                rejects.note(&bar, reject)?;
            }
            Progress::Read(report) => {
                bar.set_position(READING * report.bytes.min(size) / size.max(1));
                bar.set_message(format!(
                    "{} rows read, {} rejected",
                    report.rows, report.rejected
                ));
            }
            Progress::Booked(report) => {
                let booking = ALL - READING;
                bar.set_position(READING + booking * report.settled / report.items.max(1));
                bar.set_message(format!(
                    "{} of {} {}, {} rows rejected",
                    report.settled, report.items, words.items, report.rejected
                ));
            }
        }
        Ok(())
    })
    .await?;
    bar.finish_and_clear();
    rejects.finish()?;
    if is_first {
        let made = if args.dry_run {
            "would be made"
        } else {
            "was made"
        };
        super::terminal::say(&format!(
            "the store {} {made}: there was none yet",
            options.store
        ));
    }
    say(
        &report,
        kind,
        args.dry_run,
        args.rejects.as_deref(),
        started.elapsed().as_secs_f64(),
    );
    if report.open > 0 {
        say_open(ctx, SHOWN.into()).await?;
    }
    Ok(())
}

/// Rejected rows and open references shown at the terminal.
const SHOWN: u32 = 20;
/// Parts of the progress bar.
const ALL: u64 = 1000;
/// Parts of it for reading the file and putting it in order.
const READING: u64 = 125;

fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3}% {msg} {eta} left");
    ProgressBar::new(ALL).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
