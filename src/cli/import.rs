//! `regulars import purchases`: brings in a till system's export.

use super::first_store;
use crate::access::Ctx;
use crate::app::{House, StartError};
use crate::config::{self, Configuration, Mode};
use crate::domain::organization::company;
use crate::domain::visits::import::{self, Progress, Report, Target};
use crate::error::{Error, Result};
use crate::intake::{
    DateFormats, DecimalFormat, FileEncoding, Mapping, PurchaseOptions, PurchaseRows, RejectsWriter,
};
use clap::{Args, Subcommand};
use entity::values::SystemClock;
use indicatif::{ProgressBar, ProgressStyle};
use std::fs::File;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use uuid::Uuid;

/// What is imported.
#[derive(Clone, Debug, Subcommand)]
pub enum ImportCommand {
    /// Purchases from a till system's export.
    Purchases(PurchasesArgs),
}

/// How purchases are imported.
#[derive(Clone, Debug, Args)]
pub struct PurchasesArgs {
    /// The file: CSV with a header, in UTF-8, GB18030 or EUC-KR.
    pub file: PathBuf,
    /// Which column holds what, such as `customer=customer_id,date=date,quantity=quantity,amount=amount`.
    ///
    /// Fields: customer, date and amount, which are needed; quantity, receipt, store, time, name, phone, email,
    /// product, currency.
    #[arg(long)]
    pub map: String,
    /// Only tell what would happen.
    #[arg(long)]
    pub dry_run: bool,
    /// Write rejected rows to this file, with line, column, code and reason.
    #[arg(long)]
    pub rejects: Option<PathBuf>,
    /// The name of the till system: its receipts and customers are known by it and their number.
    #[arg(long, default_value = "pos")]
    pub source: String,
    /// The code of the store of rows that name none; it is made when there is no store at all.
    #[arg(long, default_value = "main")]
    pub store: String,
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

/// Runs the command. A dry run that finds no store works in a [`Trial`], so that it writes nothing.
///
/// # Errors
/// What is wrong with the options or the file, in words; those of the database.
pub async fn run(
    configuration: Configuration,
    command: ImportCommand,
) -> std::result::Result<(), StartError> {
    let ImportCommand::Purchases(args) = command;
    let mut trial = configuration.clone();
    let database = &configuration.settings.database;
    let is_empty = database.url.is_none() && !database.data.join("regulars.db").exists();
    if !(args.dry_run && is_empty) {
        let house = open(configuration).await?;
        if !(args.dry_run && first_store::is_missing(&house.ctx).await?) {
            let outcome = purchases(&house.ctx, &args).await;
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
    let outcome = purchases(&house.ctx, &args).await;
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

async fn purchases(ctx: &Ctx, args: &PurchasesArgs) -> Result<()> {
    let company = company::settings(ctx).await?;
    let mut options = PurchaseOptions::new(
        Mapping::parse(&args.map).map_err(wrong)?,
        company.currency,
        company.country,
        entity::values::business_date::business_date(ctx.now(), company.time_zone),
    );
    options.encoding = args
        .encoding
        .as_deref()
        .map(FileEncoding::parse)
        .transpose()
        .map_err(wrong)?;
    options.delimiter = u8::try_from(args.delimiter)
        .map_err(|_| wrong("the mark between fields is an ASCII character"))?;
    if !args.date_format.is_empty() {
        options.dates = DateFormats::new(&args.date_format).map_err(wrong)?;
    }
    options.decimals = DecimalFormat::new(args.decimal, args.thousands).map_err(wrong)?;
    let unreadable =
        |error: std::io::Error| wrong(format!("cannot read {}: {error}", args.file.display()));
    let file = File::open(&args.file).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let rows = PurchaseRows::open(file, options)
        .map_err(|error| wrong(format!("{}: {error}", args.file.display())))?;
    let rejects = args
        .rejects
        .as_deref()
        .map(|path| open_rejects(path, &args.file));
    let is_first = first_store::ensure(ctx, &args.store).await?;
    let mut rejects = rejects.transpose()?;
    let target = Target {
        source: args.source.clone(),
        store: args.store.clone(),
        currency: company.currency,
        phone_region: company.country,
        dry_run: args.dry_run,
    };
    let bar = progress_bar();
    let started = std::time::Instant::now();
    let mut shown = 0_u32;
    let report = import::run(ctx, target, rows, |progress| {
        match progress {
            Progress::Rejected(reject) => {
                if let Some(rejects) = &mut rejects {
                    rejects
                        .write(reject)
                        .map_err(|error| wrong(format!("cannot write the rejects: {error}")))?;
                } else if shown < 20 {
                    shown += 1;
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
                bar.set_position(READING + booking * report.settled / report.receipts.max(1));
                bar.set_message(format!(
                    "{} of {} receipts, {} rows rejected",
                    report.settled, report.receipts, report.rejected
                ));
            }
        }
        Ok(())
    })
    .await?;
    bar.finish_and_clear();
    if let Some(rejects) = rejects {
        rejects
            .finish()
            .map_err(|error| wrong(format!("cannot write the rejects: {error}")))?;
    }
    say(&report, args, is_first, started.elapsed().as_secs_f64());
    Ok(())
}

/// Parts of the progress bar.
const ALL: u64 = 1000;
/// Parts of it for reading the file and putting it in order.
const READING: u64 = 125;

fn progress_bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {percent:>3}% {msg} {eta} left");
    ProgressBar::new(ALL).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[expect(
    clippy::print_stdout,
    reason = "a command's answer goes to its standard output"
)]
fn say(report: &Report, args: &PurchasesArgs, is_first: bool, seconds: f64) {
    let (verb, made) = if args.dry_run {
        ("would be booked", "would be made")
    } else {
        ("booked", "was made")
    };
    if is_first {
        println!("the store {} {made}: there was none yet", args.store);
    }
    println!("{} rows read in {seconds:.1} s", report.rows);
    println!(
        "{} receipts {verb}, {} known already",
        report.booked, report.known
    );
    println!("{} new customers", report.customers);
    match (&args.rejects, report.rejected) {
        (_, 0) => println!("no row rejected"),
        (Some(path), rejected) => println!("{rejected} rows rejected: see {}", path.display()),
        (None, rejected) => {
            println!("{rejected} rows rejected: run again with --rejects FILE to have them all")
        }
    }
}
