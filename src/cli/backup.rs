//! `regulars backup` and `regulars restore`: a copy of the embedded engine's database, made beside whoever uses it, and
//! the way back.

use super::terminal::say;
use crate::app::backup::{self, Manifest, Plan};
use crate::app::{StartError, logging};
use crate::config::Configuration;
use clap::Args;
use entity::values::{Clock, SystemClock};
use std::path::PathBuf;
use std::time::Instant;

/// Where a backup goes.
#[derive(Clone, Debug, Args)]
pub struct BackupArgs {
    /// The directory that holds the backups, best on another disk; each one is a directory in it, named after its time.
    #[arg(long, value_name = "DIR")]
    to: PathBuf,
    /// Keep this many, the new one included, and remove the oldest beyond; without it all are kept.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Put the secret key beside the data. Whoever has such a backup can sign in as anybody: without the option keep the
    /// key elsewhere, since a database without its key signs everybody out.
    #[arg(long)]
    with_secret_key: bool,
}

/// Which backup comes back.
#[derive(Clone, Debug, Args)]
pub struct RestoreArgs {
    /// The backup: one of the directories that `backup` has made.
    #[arg(value_name = "BACKUP")]
    from: PathBuf,
}

/// Makes a backup.
///
/// # Errors
/// Those of [`backup::make`].
pub async fn make(configuration: &Configuration, args: BackupArgs) -> Result<(), StartError> {
    logging::start(&configuration.settings)?;
    let began = Instant::now();
    let plan = Plan {
        to: args.to,
        keep: args.keep.and_then(|keep| usize::try_from(keep).ok()),
        with_secret_key: args.with_secret_key,
    };
    let made = backup::make(configuration, &plan, SystemClock.now()).await?;
    say(&format!(
        "{} holds {} in {} MB, checked, made in {:.1} s",
        made.path.display(),
        contents(&made.manifest),
        made.manifest.database.bytes >> 20,
        began.elapsed().as_secs_f64()
    ));
    say(if made.manifest.secret_key {
        "the secret key is in it: keep it where nobody else reads it"
    } else {
        "the secret key is not in it: keep a copy elsewhere"
    });
    for path in &made.removed {
        say(&format!("removed {}", path.display()));
    }
    Ok(())
}

/// Brings a backup back.
///
/// # Errors
/// Those of [`backup::restore`].
pub async fn restore(configuration: &Configuration, args: RestoreArgs) -> Result<(), StartError> {
    logging::start(&configuration.settings)?;
    let manifest = backup::restore(configuration, &args.from).await?;
    say(&format!(
        "{} holds {} as of {}",
        configuration.settings.database.data.display(),
        contents(&manifest),
        manifest.made_at.format("%Y-%m-%d %H:%M:%S UTC")
    ));
    say("now run `regulars doctor --thorough`, then start the server");
    Ok(())
}

fn contents(manifest: &Manifest) -> String {
    let count = |table: &str| manifest.counts.get(table).copied().unwrap_or_default();
    format!(
        "{} customers, {} visits, {} purchases",
        count("customer"),
        count("visit"),
        count("purchase")
    )
}
