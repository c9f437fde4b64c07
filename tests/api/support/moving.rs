//! A shop that moves in: files are written and imported by the real program, and what is there is asked through the API.

use super::World;
use super::program::{command, run, succeed};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Output};

/// A shop with a folder of files.
#[derive(Debug)]
pub struct Mover {
    /// The shop.
    pub world: World,
    folder: tempfile::TempDir,
}

impl Mover {
    /// An empty shop.
    pub async fn new() -> Self {
        Self {
            world: World::new().await,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// The path of a file.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.path(name), content).unwrap();
    }

    fn arguments(&self, kind: &str, name: &str, map: &str, more: &[&str]) -> Vec<String> {
        let mut arguments = vec![
            "import".to_owned(),
            kind.to_owned(),
            self.path(name).display().to_string(),
        ];
        arguments.extend(["--map".to_owned(), map.to_owned()]);
        arguments.extend(more.iter().map(|&more| more.to_owned()));
        arguments
    }

    /// Imports a file; what was said.
    #[track_caller]
    pub fn import(&self, kind: &str, name: &str, map: &str, more: &[&str]) -> String {
        let place = &self.world.server.place;
        succeed(place, self.arguments(kind, name, map, more))
    }

    /// Tries to import a file.
    pub fn try_import(&self, kind: &str, name: &str, map: &str, more: &[&str]) -> Output {
        let place = &self.world.server.place;
        run(place, self.arguments(kind, name, map, more))
    }

    /// The command that imports a file, not started yet.
    pub fn command(&self, kind: &str, name: &str, map: &str) -> Command {
        let mut command = command(&self.world.server.place);
        command.args(self.arguments(kind, name, map, &[]));
        command
    }

    /// Imports a file; what was said, and the rejected rows as line, column and code.
    #[track_caller]
    pub fn with_rejects(
        &self,
        kind: &str,
        name: &str,
        map: &str,
    ) -> (String, Vec<(u32, String, String)>) {
        let rejects = self.path("rejects.csv");
        let said = self.import(
            kind,
            name,
            map,
            &["--rejects", &rejects.display().to_string()],
        );
        let text = std::fs::read_to_string(rejects).unwrap();
        let rows = text
            .lines()
            .skip(1)
            .filter_map(|line| {
                let mut fields = line.split(',');
                let line = fields.next()?.parse().ok()?;
                Some((line, fields.next()?.to_owned(), fields.next()?.to_owned()))
            })
            .collect();
        (said, rows)
    }

    /// What a query of the administrator gives.
    pub async fn ask(&self, query: &str) -> Value {
        let client = &self.world.server.client;
        let answer = client
            .gql(Some(self.world.token("ADMIN")), query, json!({}))
            .await;
        answer.data().clone()
    }

    /// Makes a change as the administrator; the payload, which has no user errors.
    pub async fn change(&self, field: &str, object: &str, input: Value) -> Value {
        let name = match field {
            "cardFreeze" => "CardStepInput".to_owned(),
            _ => format!("{}{}Input", field[..1].to_uppercase(), &field[1..]),
        };
        let query = format!(
            "mutation($input: {name}!) {{ {field}(input: $input) {{ {object} userErrors {{ code field message }} }} }}"
        );
        let client = &self.world.server.client;
        let answer = client
            .gql(
                Some(self.world.token("ADMIN")),
                &query,
                json!({ "input": input }),
            )
            .await;
        answer.payload().clone()
    }

    /// Makes the programme `club` with three tiers.
    pub async fn programme(&self) {
        let tier = |name: &str, amount: &str, percent: &str| json!({ "name": name, "spendThreshold": { "amount": amount, "currencyCode": "USD" }, "discountPercent": percent });
        let tiers = [
            tier("Member", "0.00", "0"),
            tier("Silver", "100.00", "5"),
            tier("Gold", "500.00", "10"),
        ];
        let input = json!({ "code": "club", "name": "Club", "tiers": tiers });
        self.change("programmeCreate", "programme { id }", input)
            .await;
    }

    /// All that is known of customers, by name, without what depends on when it came in.
    pub async fn customers(&self) -> Vec<Value> {
        let data = self
            .ask(
                "{ customers(first: 50) { nodes { fullName kind salutation gender birthDate { solar lunar } \
                 language regionName address { lines postalCode city country } employer position occupation \
                 acquisitionSource importance homeStore { code } keeper { email } referredBy { fullName } \
                 giftFrom { fullName } notes { nodes { text } } totals { receipts net { amount } } \
                 contactPoints { kind value preferred consents { purpose granted method evidence at } } \
                 memberships { tier { name } grantedTier { name } programme { code } } \
                 cards { number status validUntil } } } }",
            )
            .await;
        let mut nodes = data["customers"]["nodes"].as_array().unwrap().clone();
        for node in &mut nodes {
            let cards = node["cards"].as_array_mut().unwrap();
            cards.sort_by_key(|card| card["number"].as_str().unwrap().to_owned());
        }
        nodes
    }
}
