//! The empty shop into which the retailer moves: set up through the API as an administrator does, then filled by `import`.

use super::retailer::{House, SOURCE};
use super::sheet::Sheet;
use crate::failure::{During, Result};
use crate::prove::client::{Client, list, text_at};
use crate::prove::measured::{self, Measured};
use crate::prove::place::Place;
use crate::prove::shop::{Shop, create_one};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

const ERRORS: &str = "userErrors { code field message }";

/// Makes the first administrator, the company's settings, regions, stores and the programme.
pub async fn set_up(place: &Place, house: &House) -> Result<()> {
    let node = place.serve().await?;
    let client = &node.client;
    let token = Shop::enter(place, client).await?;
    company(client, &token, &house.company).await?;
    let mut regions = HashMap::new();
    for region in &house.regions {
        let input = json!({ "code": region["code"], "name": region["name"] });
        let id = create_one(client, &token, &mutation("Region"), input).await?;
        regions.insert(text_at(region, "/code"), id);
    }
    for store in &house.stores {
        let region = regions.get(text_at(store, "/region/code"));
        let input = json!({
            "regionId": region.during("a store without a region")?,
            "code": store["code"], "name": store["name"],
            "timeZone": store["timeZone"], "openingHours": store["openingHours"],
        });
        create_one(client, &token, &mutation("Store"), input).await?;
    }
    let programme = &house.programme;
    let input = json!({
        "code": programme["code"], "name": programme["name"],
        "cardPrefix": programme["cardPrefix"],
        "cardValidMonths": programme["cardValidMonths"],
        "tiers": list(programme, "/tiers"),
    });
    create_one(client, &token, &mutation("Programme"), input).await?;
    node.kill().await
}

async fn company(client: &Client, token: &str, wanted: &Value) -> Result<()> {
    let data = client
        .ask(Some(token), "{ company { version } }", &Value::Null)
        .await?;
    let mut input = wanted.clone();
    if let (Some(input), Some(version)) = (input.as_object_mut(), data.pointer("/company/version"))
    {
        input.insert("version".to_owned(), version.clone());
    }
    let query = format!(
        "mutation($input: CompanyUpdateInput!) {{ companyUpdate(input: $input) {{ company {{ id }} {ERRORS} }} }}"
    );
    client.run(Some(token), &query, input).await?;
    Ok(())
}

fn mutation(what: &str) -> String {
    let lower = what.to_lowercase();
    format!(
        "mutation($input: {what}CreateInput!) {{ {lower}Create(input: $input) {{ made: {lower} {{ id }} {ERRORS} }} }}"
    )
}

/// What an import says in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Rows read.
    pub rows: u64,
    /// What was made.
    pub made: u64,
    /// What was filled in.
    pub filled: u64,
    /// What was known.
    pub known: u64,
    /// Rows rejected.
    pub rejected: u64,
    /// Details left out.
    pub left_out: u64,
}

impl Counts {
    fn of(said: &str) -> Self {
        let mut counts = Self::default();
        for part in said.lines().flat_map(|line| line.split(", ")) {
            let Some((number, words)) = part.split_once(' ') else {
                continue;
            };
            let Ok(number) = number.parse() else { continue };
            if words.starts_with("rows read") {
                counts.rows = number;
            } else if words.starts_with("filled in") {
                counts.filled = number;
            } else if words.starts_with("known already") {
                counts.known = number;
            } else if words.starts_with("rows rejected") {
                counts.rejected = number;
            } else if words.starts_with("details left out") {
                counts.left_out = number;
            } else if words.ends_with(" made")
                || words.ends_with(" booked")
                || words.ends_with(" brought in")
            {
                counts.made = number;
            }
        }
        counts
    }
}

/// An import that has ended.
pub struct Imported {
    /// What it said in numbers.
    pub counts: Counts,
    /// What it took.
    pub measured: Measured,
    /// Lines and codes in the file of rejects, in order.
    pub rejects: Vec<(u64, String)>,
}

/// Imports a file by the documented command.
pub async fn import(place: &Place, kind: &str, sheet: &Sheet) -> Result<Imported> {
    let rejects = place.scratch.join(format!("{kind}.rejects"));
    let renamed: &[(&str, &str)] = match kind {
        "purchases" => &[("product", "name")],
        _ => &[],
    };
    let file = sheet.path.display().to_string();
    let mut arguments = ["import", kind, &file, "--map", &sheet.map(renamed)]
        .map(str::to_owned)
        .to_vec();
    // The encoding is said, since one that is recognized may be another one where bytes are broken.
    arguments.extend(["--source", SOURCE, "--encoding", "utf-8", "--rejects"].map(str::to_owned));
    arguments.push(rejects.display().to_string());
    if kind == "purchases" {
        // Every row names its store; the usual one has to be there all the same.
        let store = sheet_store(sheet)?;
        arguments.extend(["--store".to_owned(), store]);
    }
    let measured = measured::run(place, &arguments).await?;
    Ok(Imported {
        counts: Counts::of(&measured.said),
        rejects: read_rejects(&rejects)?,
        measured,
    })
}

/// The store of the first row.
fn sheet_store(sheet: &Sheet) -> Result<String> {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .from_path(&sheet.path)?;
    let header = reader.headers()?.clone();
    let place = header.iter().position(|column| column == "store");
    let mut records = reader.records();
    let first = records.next().during("an empty file of purchases")??;
    let store = place.and_then(|place| first.get(place));
    Ok(store.during("no store in the first row")?.to_owned())
}

fn read_rejects(path: &Path) -> Result<Vec<(u64, String)>> {
    let mut reader = csv::Reader::from_path(path).during(path.display())?;
    let mut rejects = Vec::new();
    for record in reader.records() {
        let record = record?;
        let cell = |place| record.get(place).unwrap_or_default();
        rejects.push((cell(0).parse()?, cell(2).to_owned()));
    }
    rejects.sort();
    Ok(rejects)
}
