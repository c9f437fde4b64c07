//! Backups made while tills record are whole, whatever happens to the one that is being made; and `doctor` says so of what
//! was brought back.

use super::books;
use super::chance::Chance;
use super::client::Client;
use super::node::Node;
use super::place::{Engine, Place};
use super::process::peak_memory;
use super::purchases::{self, Kind};
use super::shop::{STORE, Shop, sums};
use super::tills::{Habits, Tills};
use super::tmpfs::{Mounted, SmallDisk};
use super::{Site, Verdict, tell};
use crate::failure::{During, Result};
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The longest that one command may take.
const LIMIT: Duration = Duration::from_secs(300);
/// Rows of history that make the database as large as a shop's.
const HISTORY: Kind = Kind {
    rows: 200_000,
    customers: 20_000,
    shuffled: false,
};
/// The size of the small disk.
const DISK: u64 = 256 << 20;
/// Fewer rows, where two databases have to fit on a small disk.
const SHORT: Kind = Kind {
    rows: 40_000,
    customers: 5_000,
    shuffled: false,
};
/// Visits that tills may have sent and not yet been answered.
const IN_FLIGHT: u64 = 8;
/// Visits a second may fall by this much beside a backup.
const SLOWER: f64 = 3.0;

/// Proves it.
pub async fn prove(site: &Site, engine: Engine) -> Result<Verdict> {
    let mut remarks = Vec::new();
    if engine == Engine::Sqlite {
        // Above all, since where nobody may mount, this program runs once more where somebody may.
        match SmallDisk::mount(DISK)? {
            Mounted::Here(disk) => {
                site.in_place(engine, async |place| full_disk(site, place, &disk).await)
                    .await?;
            }
            Mounted::Elsewhere(true) => return Ok(Verdict::Proved(remarks)),
            Mounted::Elsewhere(false) => fail!("see above"),
            Mounted::Impossible(why) => remarks.push(format!("no full disk: {why}")),
        }
        site.in_place(engine, async |place| {
            embedded(site, place, &mut remarks).await
        })
        .await?;
    } else {
        site.in_place(engine, async |place| by_its_own_tools(site, place).await)
            .await?;
    }
    Ok(Verdict::Proved(remarks))
}

/// A shop with history, its server, and tills that record at it.
async fn open(
    site: &Site,
    place: &Place,
    history: Kind,
) -> Result<(Node, Shop, Tills, watch::Sender<Vec<Client>>)> {
    let node = place.serve().await?;
    let shop = Shop::open(place, &node.client, 40).await?;
    let file = purchases::generate(place.scratch.join("history.csv"), history, site.seed)?;
    let path = file.path.display().to_string();
    let import = [
        "import",
        "purchases",
        &path,
        "--map",
        purchases::MAP,
        "--store",
        STORE,
    ];
    let output = finish(place.command().args(import)).await?;
    well("import", &output)?;
    let (servers, seen) = watch::channel(vec![node.client.clone()]);
    let habits = Habits {
        tills: IN_FLIGHT,
        seed: site.seed,
        sales: u64::MAX,
        gives_up: 0,
        rest: Duration::from_millis(20),
    };
    let tills = Tills::open(&shop, habits, seen);
    tills.wait_for(50, Duration::from_secs(60)).await?;
    Ok((node, shop, tills, servers))
}

async fn finish(command: &mut tokio::process::Command) -> Result<Output> {
    let child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    Ok(tokio::time::timeout(LIMIT, child.wait_with_output())
        .await
        .during("a command did not end")??)
}

fn words(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn well(what: &str, output: &Output) -> Result<String> {
    ensure!(
        output.status.success(),
        "{what} ended with {}: {}",
        output.status,
        words(output)
    );
    Ok(words(output))
}

/// The backups in a directory, the oldest first, and whether there is nothing else.
fn backups(to: &Path) -> Result<(Vec<PathBuf>, bool)> {
    let mut all = Vec::new();
    let mut is_clean = true;
    for entry in std::fs::read_dir(to)? {
        let path = entry?.path();
        if path.join("manifest.json").is_file() && !path.display().to_string().contains(".draft-") {
            all.push(path);
        } else {
            is_clean = false;
        }
    }
    all.sort();
    Ok((all, is_clean))
}

/// How large the log of the database is.
fn log_size(place: &Place) -> u64 {
    std::fs::metadata(place.data.join("regulars.db-wal")).map_or(0, |file| file.len())
}

/// Backups under load: what they cost, and that each is whole when it is brought back.
async fn embedded(site: &Site, place: &Place, remarks: &mut Vec<String>) -> Result<()> {
    let (mut node, shop, tills, _servers) = open(site, place, HISTORY).await?;
    let to = place.scratch.join("backups");
    let alone = rate(&tills, Duration::from_secs(5)).await;
    let mut slowest = f64::MAX;
    let mut longest = Duration::ZERO;
    let (mut memory, mut log) = (0, 0);
    let mut marks = Vec::new();
    let times = site.times.unwrap_or(5);
    for _ in 0..times {
        let (began, before) = (Instant::now(), tills.acknowledged());
        let mut child = place
            .command()
            .args(["backup", "--to", &to.display().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()?;
        let process = child.id().during("the backup has ended")?;
        let status = loop {
            if let Some(status) = child.try_wait()? {
                break status;
            }
            memory = memory.max(peak_memory(process).unwrap_or(0));
            log = log.max(log_size(place));
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        ensure!(status.success(), "a backup ended with {status}");
        let took = began.elapsed();
        longest = longest.max(took);
        let after = tills.acknowledged();
        #[expect(clippy::cast_precision_loss, reason = "visits stay far below 2^53")]
        let speed = (after - before) as f64 / took.as_secs_f64();
        slowest = slowest.min(speed);
        marks.push((before, after));
    }
    tell(
        place.engine,
        format!(
            "{times} backups of {} MB, at most {:.1} s each and {} MB of memory; {alone:.0} visits/s without, at the least \
             {slowest:.0} beside one; the log grew to {} MB",
            std::fs::metadata(place.data.join("regulars.db"))?.len() >> 20,
            longest.as_secs_f64(),
            memory >> 20,
            log >> 20
        ),
    );
    if slowest * SLOWER < alone {
        remarks.push("writers slower than a third beside a backup".to_owned());
    }
    ensure!(
        memory < 100 << 20,
        "a backup took {} MB of memory",
        memory >> 20
    );
    let (made, is_clean) = backups(&to)?;
    ensure!(
        made.len() == marks.len() && is_clean,
        "{} backups are there",
        made.len()
    );
    for (backup, (before, after)) in made.iter().zip(&marks) {
        let receipts = bring_back(site, backup, &shop).await? - i64::try_from(HISTORY.rows)?;
        let (least, most) = (i64::try_from(*before)?, i64::try_from(after + IN_FLIGHT)?);
        ensure!(
            (least..=most).contains(&receipts),
            "a backup holds {receipts} visits of tills; {least} to {most} should be there"
        );
    }
    killed(site, place, &to, longest).await?;
    let book = tills.close().await;
    ensure!(
        book.failures.is_empty(),
        "beside backups attempts failed: {:?}",
        book.examples
    );
    tell(
        place.engine,
        books::check(&shop, &node.client, &book).await?,
    );
    node.still_runs()
}

async fn rate(tills: &Tills, time: Duration) -> f64 {
    let before = tills.acknowledged();
    tokio::time::sleep(time).await;
    #[expect(clippy::cast_precision_loss, reason = "visits stay far below 2^53")]
    let made = (tills.acknowledged() - before) as f64;
    made / time.as_secs_f64()
}

/// Restores a backup elsewhere, lets the doctor look at it closely, serves it; gives how many receipts are in it.
async fn bring_back(site: &Site, backup: &Path, shop: &Shop) -> Result<i64> {
    let place = Place::bare(&site.binary)?;
    let restore = ["restore".to_owned(), backup.display().to_string()];
    well("restore", &finish(place.command().args(&restore)).await?)?;
    let said = well(
        "doctor",
        &finish(place.command().args(["doctor", "--thorough"])).await?,
    )?;
    ensure!(
        said.contains("agree with visits and purchases"),
        "the doctor says {said}"
    );
    let node = place.serve().await?;
    // The tokens of the shop are good there: it is the same shop.
    let found = sums(&node.client, &shop.token).await?;
    node.kill().await?;
    Ok(found.receipts)
}

/// Kills backups at random moments: those before are left as they were, and the next one takes away what is left.
async fn killed(site: &Site, place: &Place, to: &Path, longest: Duration) -> Result<()> {
    let mut chance = Chance::new(site.seed);
    let (before, _) = backups(to)?;
    let mut killed = 0;
    let tries = 15;
    for _ in 0..tries {
        let mut child = place
            .command()
            .args(["backup", "--to", &to.display().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let most = u64::try_from(longest.as_millis())?.max(20);
        tokio::time::sleep(Duration::from_millis(chance.between(10, most))).await;
        if child.try_wait()?.is_none() {
            child.kill().await?;
            killed += 1;
        }
    }
    let (after, _) = backups(to)?;
    ensure!(
        before.iter().all(|backup| after.contains(backup)),
        "a backup is gone after a kill"
    );
    // Each that has its name is whole, also when its program was killed right after.
    for backup in &after {
        let place = Place::bare(&site.binary)?;
        let restore = ["restore".to_owned(), backup.display().to_string()];
        well("restore", &finish(place.command().args(&restore)).await?)?;
    }
    let keep = ["backup", "--keep", "2", "--to", &to.display().to_string()];
    well("backup", &finish(place.command().args(keep)).await?)?;
    let (left, is_clean) = backups(to)?;
    ensure!(
        left.len() == 2 && is_clean,
        "{} backups are left, and something else: {}",
        left.len(),
        !is_clean
    );
    tell(
        place.engine,
        format!(
            "killed {killed} of {tries} backups; all {} with a name were whole, and the next one swept up",
            after.len()
        ),
    );
    Ok(())
}

/// A disk that has no room from the beginning, and one that gets full in the middle.
async fn full_disk(site: &Site, place: &Place, disk: &SmallDisk) -> Result<()> {
    let (node, shop, tills, _servers) = open(site, place, SHORT).await?;
    let to = disk.path().join("backups");
    let target = to.display().to_string();
    let arguments = ["backup", "--keep", "1", "--to", &target];
    well("backup", &finish(place.command().args(arguments)).await?)?;
    let (first, _) = backups(&to)?;
    let size = std::fs::metadata(place.data.join("regulars.db"))?.len();
    ensure!(
        size > 8 << 20 && size < 100 << 20,
        "the database has {} MB, which is no size for this proof",
        size >> 20
    );
    // Room for half of another one.
    let ballast = disk.ballast(usize::try_from(DISK - used(disk.path())? - size / 2)?)?;
    let output = finish(place.command().args(arguments)).await?;
    ensure!(
        !output.status.success() && words(&output).contains("make room"),
        "a backup on a full disk ended with {}: {}",
        output.status,
        words(&output)
    );
    std::fs::remove_file(ballast)?;
    let refused = full_in_the_middle(place, disk, &arguments, &to).await?;
    ensure!(refused.contains("is full"), "it was told as {refused}");
    let (after, is_clean) = backups(&to)?;
    ensure!(after.len() == 1 && is_clean, "{after:?} are left");
    let found = bring_back(site, after.first().during("no backup")?, &shop).await?;
    tell(
        place.engine,
        format!(
            "on a full disk: {}; the backup before holds {found} receipts; it was {} a new one",
            refused.trim(),
            if after == first {
                "not replaced by"
            } else {
                "replaced before by"
            }
        ),
    );
    let book = tills.close().await;
    ensure!(book.failures.is_empty(), "{:?}", book.examples);
    books::check(&shop, &node.client, &book).await?;
    Ok(())
}

/// There is hardly more room than it needs when it begins, and less in the middle; gives what it said then.
async fn full_in_the_middle(
    place: &Place,
    disk: &SmallDisk,
    arguments: &[&str],
    to: &Path,
) -> Result<String> {
    // The tills go on, so that each time it needs more than the time before.
    for spare in 2..40_u64 {
        let needed = std::fs::metadata(place.data.join("regulars.db"))?.len() + log_size(place);
        let free = needed + spare * (1 << 20);
        let ballast = disk.ballast(usize::try_from(DISK - used(disk.path())? - free)?)?;
        let child = place
            .command()
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()?;
        let began = Instant::now();
        while !draft_begun(to)? && began.elapsed() < Duration::from_secs(5) {
            tokio::time::sleep(Duration::from_micros(200)).await;
        }
        // As much as there is: that this fails is what it is for.
        let rest = disk.path().join("rest");
        let _ = std::fs::write(&rest, vec![1; usize::try_from(free)?]);
        let output = tokio::time::timeout(LIMIT, child.wait_with_output())
            .await
            .during("a backup on a full disk did not end")??;
        std::fs::remove_file(rest)?;
        std::fs::remove_file(ballast)?;
        if !output.status.success() && words(&output).contains("is full") {
            return Ok(words(&output));
        }
    }
    fail!("no backup met a disk that got full")
}

fn used(directory: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        bytes += if entry.file_type()?.is_dir() {
            used(&entry.path())?
        } else {
            entry.metadata()?.len()
        };
    }
    Ok(bytes)
}

fn draft_begun(to: &Path) -> Result<bool> {
    for entry in std::fs::read_dir(to)? {
        if entry?.file_name().to_string_lossy().starts_with(".draft-") {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The commands between two marks in docs/operations.md.
fn documented(mark: &str) -> Result<String> {
    let text = include_str!("../../../docs/operations.md");
    let after = text
        .split_once(&format!("<!-- {mark} -->\n```sh\n"))
        .during(format!("operations.md has no {mark}"))?
        .1;
    let (commands, _) = after.split_once("```").during(mark)?;
    Ok(commands.to_owned())
}

/// PostgreSQL: the documented commands, under load, into another database.
async fn by_its_own_tools(site: &Site, place: &Place) -> Result<()> {
    let (mut node, shop, tills, _servers) = open(site, place, HISTORY).await?;
    let copy = Place::empty(&site.binary, site.postgres.as_deref()).await?;
    let alone = rate(&tills, Duration::from_secs(5)).await;
    let (began, before) = (Instant::now(), tills.acknowledged());
    let dumped =
        finish(shell(site, place, &copy, &documented("postgres:dump")?)?.kill_on_drop(true))
            .await?;
    well("dump", &dumped)?;
    let (took, after) = (began.elapsed(), tills.acknowledged());
    #[expect(clippy::cast_precision_loss, reason = "visits stay far below 2^53")]
    let beside = (after - before) as f64 / took.as_secs_f64();
    let restored = Instant::now();
    let output = finish(&mut shell(
        site,
        place,
        &copy,
        &documented("postgres:restore")?,
    )?)
    .await?;
    let said = well("restore", &output)?;
    ensure!(
        said.contains("agree with visits and purchases") && !said.contains("fail "),
        "the doctor says {said}"
    );
    tell(
        place.engine,
        format!(
            "dumped in {:.1} s, {alone:.0} visits/s without and {beside:.0} beside it; restored and looked through in {:.1} s",
            took.as_secs_f64(),
            restored.elapsed().as_secs_f64()
        ),
    );
    let there = copy.serve().await?;
    let receipts = sums(&there.client, &shop.token).await?.receipts - i64::try_from(HISTORY.rows)?;
    there.kill().await?;
    let (least, most) = (i64::try_from(before)?, i64::try_from(after + IN_FLIGHT)?);
    ensure!(
        (least..=most).contains(&receipts),
        "the copy holds {receipts} visits of tills; {least} to {most} should be there"
    );
    let book = tills.close().await;
    ensure!(book.failures.is_empty(), "{:?}", book.examples);
    tell(
        place.engine,
        books::check(&shop, &node.client, &book).await?,
    );
    copy.close().await?;
    node.still_runs()
}

fn shell(
    site: &Site,
    place: &Place,
    copy: &Place,
    script: &str,
) -> Result<tokio::process::Command> {
    let program = site
        .binary
        .parent()
        .during("the program has no directory")?;
    let mut command = tokio::process::Command::new("bash");
    command.args(["-euo", "pipefail", "-c", script]);
    place.prepare(&mut command);
    let path = std::env::var("PATH")?;
    command
        .env("PATH", format!("{}:{path}", program.display()))
        .env("RESTORED_URL", copy.url.as_deref().during("no address")?)
        .current_dir(&place.scratch);
    Ok(command)
}
