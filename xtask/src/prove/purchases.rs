//! Files of purchases: generated like the public CDNOW data (many customers, some free copies, rows alike to the
//! letter), or read to know what must come out of them.

use super::chance::Chance;
use super::client::amount;
use super::shop::Sums;
use crate::failure::{During, Result};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Which column of these files holds what.
pub const MAP: &str = "customer=customer_id,date=date,quantity=quantity,amount=amount";

/// A file of purchases and what is in it.
#[derive(Clone, Debug)]
pub struct Purchases {
    /// Where it is.
    pub path: PathBuf,
    /// What must come out: a receipt for each row.
    pub sums: Sums,
}

/// A kind of file.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// Rows.
    pub rows: u64,
    /// Customers; each of them comes at least once when there are rows enough.
    pub customers: u64,
    /// In random order rather than customer by customer.
    pub shuffled: bool,
}

/// As many rows and customers as the public CDNOW data.
pub const CDNOW: Kind = Kind {
    rows: 69_659,
    customers: 23_570,
    shuffled: false,
};

/// Writes a file; the same seed writes the same one.
pub fn generate(path: PathBuf, kind: Kind, seed: u64) -> Result<Purchases> {
    let mut chance = Chance::new(seed);
    let mut rows: Vec<(u64, u64, u64, i64)> = Vec::new();
    for n in 0..kind.rows {
        // Some rows are the one before, to the letter: two copies bought at once.
        if n >= kind.customers
            && chance.once_in(80)
            && let Some(last) = rows.last().copied()
        {
            rows.push(last);
            continue;
        }
        let customer = if n < kind.customers {
            n
        } else {
            chance.below(kind.customers)
        };
        let quantity = chance.between(1, 5);
        // Some are free.
        let cents = if chance.once_in(900) {
            0
        } else {
            quantity * chance.between(599, 2_999)
        };
        rows.push((customer, chance.below(545), quantity, i64::try_from(cents)?));
    }
    if kind.shuffled {
        chance.shuffle(&mut rows);
    } else {
        rows.sort_unstable();
    }
    let mut out = BufWriter::new(std::fs::File::create(&path).during(path.display())?);
    writeln!(out, "customer_id,date,quantity,amount")?;
    let mut sums = Sums::default();
    let mut customers = HashSet::new();
    for (customer, day, quantity, cents) in rows {
        // Months of 28 days: what is wanted are days that exist.
        let (year, month, day) = (1997 + day / 336, day / 28 % 12 + 1, day % 28 + 1);
        writeln!(
            out,
            "{customer},{year}-{month:02}-{day:02},{quantity},{}",
            amount(cents)
        )?;
        sums.receipts += 1;
        sums.cents += cents;
        customers.insert(customer);
    }
    out.flush()?;
    sums.customers = i64::try_from(customers.len())?;
    Ok(Purchases { path, sums })
}

/// Reads what is in a file with the columns of [`MAP`], plain values without quotes.
pub fn read(path: &Path) -> Result<Purchases> {
    let mut lines = BufReader::new(std::fs::File::open(path).during(path.display())?).lines();
    let header = lines.next().during("an empty file")??;
    let place = |name: &str| {
        header
            .trim()
            .split(',')
            .position(|column| column == name)
            .during(format!("{} has no column {name}", path.display()))
    };
    let (customer, paid) = (place("customer_id")?, place("amount")?);
    let mut sums = Sums::default();
    let mut customers = HashSet::new();
    for line in lines {
        let line = line?;
        let fields: Vec<&str> = line.trim().split(',').collect();
        let field = |place: usize| {
            fields
                .get(place)
                .copied()
                .during(format!("a short row: {line}"))
        };
        let (whole, part) = field(paid)?.split_once('.').unwrap_or((field(paid)?, "0"));
        ensure!(
            part.len() <= 2,
            "an amount with more than two places: {line}"
        );
        sums.cents += format!("{whole}{part:0<2}").parse::<i64>().during(&line)?;
        sums.receipts += 1;
        customers.insert(field(customer)?.to_owned());
    }
    sums.customers = i64::try_from(customers.len())?;
    Ok(Purchases {
        path: path.to_owned(),
        sums,
    })
}

/// What the command line is told to import such a file.
pub fn arguments(path: &Path) -> Vec<String> {
    let path = path.display().to_string();
    [
        "import",
        "purchases",
        &path,
        "--map",
        MAP,
        "--store",
        super::shop::STORE,
    ]
    .map(str::to_owned)
    .to_vec()
}
