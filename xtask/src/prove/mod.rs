//! Heavy proofs: what takes too long, or too much of the machine, for the tests that run at each change.
//!
//! Each one is black-box: the real program as processes, HTTP and GraphQL; only the order of events is read from the
//! table itself. Each has a database of its own, prints its figures and ends with `PROVED name`, `FAILED name: why` or
//! `SKIPPED name: why`. `docs/proofs.md` says what each shows.

mod attacked;
mod backup;
mod binary;
mod books;
mod chance;
mod client;
mod database_away;
mod event_stream;
mod full_disk;
mod hostile;
mod import;
mod import_killed;
mod live_killed;
mod measured;
mod moving_in;
mod node;
mod order;
mod place;
mod process;
mod proxy;
mod purchases;
mod refusals;
mod shop;
mod subscribers;
mod tills;
mod tmpfs;
mod two_nodes;
mod visits_killed;

use crate::failure::Result;
use clap::{Args, ValueEnum};
use place::{Engine, Place};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// What is proved and how.
#[derive(Clone, Debug, Args)]
pub struct ProveArgs {
    /// Which proofs; `all` for each of them.
    #[arg(required = true)]
    names: Vec<Name>,
    /// The program to prove; built with the profile `dist` when not given.
    #[arg(long)]
    binary: Option<PathBuf>,
    /// The address of a PostgreSQL server with an account that may create databases; without one, only SQLite.
    #[arg(long, env = "REGULARS_TEST_POSTGRES", hide_env_values = true)]
    postgres: Option<String>,
    /// Only on this engine.
    #[arg(long)]
    engine: Option<Engine>,
    /// What chance begins with: the same seed makes the same run, as far as the machine lets it.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often a process is killed, or the database taken away; each proof has a number of its own.
    #[arg(long)]
    times: Option<u32>,
    /// A file of purchases with the columns customer_id, date, quantity and amount, instead of a generated one.
    #[arg(long)]
    file: Option<PathBuf>,
    /// Rows of the large generated file of purchases.
    #[arg(long, default_value_t = 1_000_000)]
    rows: u64,
    /// Events that two nodes write.
    #[arg(long, default_value_t = 10_000)]
    events: u64,
    /// Seconds during which nodes are killed while others follow what they tell.
    #[arg(long, default_value_t = 120)]
    seconds: u64,
    /// Visits that are recorded meanwhile.
    #[arg(long, default_value_t = 10_000)]
    visits: u64,
    /// Customers of the retailer that moves in.
    #[arg(long, default_value_t = 50_000)]
    customers: u64,
    /// Receipts of the retailer that moves in, about.
    #[arg(long, default_value_t = 500_000)]
    receipts: u64,
    /// Minutes that one proof may take on one engine.
    #[arg(long, default_value_t = 30)]
    limit: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Name {
    /// A retailer moves in: every row of its spoiled files comes in or is reported, and comes out as it went in.
    MovingIn,
    /// Purchases come in whole, quickly and in little memory.
    Import,
    /// An import that is killed again and again ends as if it had never been.
    ImportKilled,
    /// A server that is killed again and again loses and doubles no visit.
    VisitsKilled,
    /// Two nodes on one database keep the order of events, and refuse whoever is switched off.
    TwoNodes,
    /// Whoever follows visits hears of each once and in order, though nodes are killed.
    LiveKilled,
    /// What is made to hurt is refused before it costs anything.
    Refusals,
    /// While clients that mean no good do what they can, others keep being served.
    Attacked,
    /// A full disk makes clear errors, and nothing else.
    FullDisk,
    /// A database that goes away and comes back loses and doubles nothing.
    DatabaseAway,
    /// Backups made under load are whole, and neither a kill nor a full disk harms those before.
    Backup,
    /// Each of them.
    All,
}

/// How a proof ended that did not fail.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// It holds; with remarks that belong beside that word.
    Proved(Vec<String>),
    /// It could not be tried here.
    Skipped(String),
}

/// What every proof is given.
#[derive(Clone, Debug)]
pub struct Site {
    /// The program.
    pub binary: PathBuf,
    /// The PostgreSQL server.
    pub postgres: Option<String>,
    /// What chance begins with.
    pub seed: u64,
    /// How often, if said.
    pub times: Option<u32>,
    /// The file of purchases, if said.
    pub file: Option<PathBuf>,
    /// Rows of the large file.
    pub rows: u64,
    /// Events of two nodes.
    pub events: u64,
    /// Seconds during which nodes are killed while others follow.
    pub seconds: u64,
    /// Visits that are followed.
    pub visits: u64,
    /// Customers who move in.
    pub customers: u64,
    /// Receipts that move in, about.
    pub receipts: u64,
}

impl Site {
    /// Runs something in a place of its own, and shows what the servers logged when it fails.
    pub async fn in_place<T>(
        &self,
        engine: Engine,
        work: impl AsyncFnOnce(&Place) -> Result<T>,
    ) -> Result<T> {
        let place = Place::new(&self.binary, engine, self.postgres.as_deref()).await?;
        let outcome = work(&place).await;
        if outcome.is_err() {
            show_log(&place);
        }
        place.close().await?;
        outcome
    }
}

/// Shows the end of what the servers of a place logged.
pub fn show_log(place: &Place) {
    println!(
        "  the end of the server's log:\n{}",
        node::last_lines(&place.log(), 15)
    );
}

/// Prints a figure of a proof.
pub fn tell(engine: Engine, words: impl std::fmt::Display) {
    println!("  {engine}: {words}");
}

/// Runs the proofs that were named.
pub async fn run(args: ProveArgs) -> ExitCode {
    tokio::select! {
        code = prove(args) => code,
        // Whoever is dropped here ends its processes.
        () = told_to_stop() => {
            println!("FAILED: told to stop");
            ExitCode::FAILURE
        }
    }
}

async fn told_to_stop() {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

async fn prove(args: ProveArgs) -> ExitCode {
    let binary = match args
        .binary
        .clone()
        .map_or_else(binary::build, binary::given)
    {
        Ok(binary) => binary,
        Err(failure) => {
            println!("FAILED: {failure}");
            return ExitCode::FAILURE;
        }
    };
    let site = Site {
        binary,
        postgres: args.postgres.clone().filter(|url| !url.is_empty()),
        seed: args.seed,
        times: args.times,
        file: args.file.clone(),
        rows: args.rows,
        events: args.events,
        seconds: args.seconds,
        visits: args.visits,
        customers: args.customers.max(50),
        receipts: args.receipts.max(200),
    };
    let names: Vec<Name> = Name::value_variants()
        .iter()
        .copied()
        .filter(|name| *name != Name::All)
        .filter(|name| args.names.contains(name) || args.names.contains(&Name::All))
        .collect();
    let mut last_words = Vec::new();
    let mut failed = false;
    for name in names {
        let (words, holds) = prove_one(name, &site, &args).await;
        println!("{words}");
        failed |= !holds;
        last_words.push(words);
    }
    if last_words.len() > 1 {
        println!("\n{}", last_words.join("\n"));
    }
    if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }
}

/// Runs one proof on each engine that it is about; gives its last words, and whether it did not fail.
async fn prove_one(name: Name, site: &Site, args: &ProveArgs) -> (String, bool) {
    let title = name
        .to_possible_value()
        .map(|value| value.get_name().to_owned())
        .unwrap_or_default();
    println!("{title}");
    let engines: Vec<Engine> = name
        .engines()
        .iter()
        .copied()
        .filter(|engine| args.engine.is_none_or(|only| only == *engine))
        .filter(|engine| *engine == Engine::Sqlite || site.postgres.is_some())
        .collect();
    if engines.is_empty() {
        return (format!("SKIPPED {title}: it needs --postgres"), true);
    }
    let (mut remarks, mut proved_on) = (Vec::new(), Vec::new());
    let (mut failures, mut skips) = (Vec::new(), Vec::new());
    let limit = Duration::from_secs(args.limit * 60);
    for engine in engines {
        let began = Instant::now();
        let outcome = tokio::time::timeout(limit, name.run(site, engine))
            .await
            .unwrap_or_else(|_| {
                Err(crate::failure::Failure::new(format!(
                    "not done in {limit:?}"
                )))
            });
        match outcome {
            Ok(Verdict::Proved(more)) => {
                proved_on.push(engine.to_string());
                remarks.extend(more.iter().map(|words| format!("{engine}: {words}")));
            }
            Ok(Verdict::Skipped(why)) => skips.push(why),
            Err(failure) => failures.push(format!("on {engine}: {failure}")),
        }
        tell(
            engine,
            format!("took {:.1} s", began.elapsed().as_secs_f64()),
        );
    }
    if !failures.is_empty() {
        return (format!("FAILED {title}: {}", failures.join("; ")), false);
    }
    if proved_on.is_empty() {
        return (format!("SKIPPED {title}: {}", skips.join("; ")), true);
    }
    let mut words = format!("PROVED {title} on {}", proved_on.join(" and "));
    if !remarks.is_empty() {
        words.push_str(&format!(" ({})", remarks.join("; ")));
    }
    (words, true)
}

impl Name {
    fn engines(self) -> &'static [Engine] {
        match self {
            // Nothing is asked of the database there.
            Self::Refusals | Self::FullDisk => &[Engine::Sqlite],
            Self::DatabaseAway => &[Engine::Postgres],
            _ => &[Engine::Sqlite, Engine::Postgres],
        }
    }

    async fn run(self, site: &Site, engine: Engine) -> Result<Verdict> {
        match self {
            Self::MovingIn => moving_in::prove(site, engine).await,
            Self::Import => import::prove(site, engine).await,
            Self::ImportKilled => import_killed::prove(site, engine).await,
            Self::VisitsKilled => visits_killed::prove(site, engine).await,
            Self::TwoNodes => two_nodes::prove(site, engine).await,
            Self::LiveKilled => live_killed::prove(site, engine).await,
            Self::Refusals => refusals::prove(site, engine).await,
            Self::Attacked => attacked::prove(site, engine).await,
            Self::FullDisk => full_disk::prove(site).await,
            Self::DatabaseAway => database_away::prove(site).await,
            Self::Backup => backup::prove(site, engine).await,
            Self::All => Ok(Verdict::Proved(Vec::new())),
        }
    }
}
