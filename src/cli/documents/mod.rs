//! `regulars documents`: which documents run where only registered ones do.
//!
//! Called by the command line, beside a running server, whose nodes know of each change within two seconds. A document is
//! checked as a request with it would be before it is registered; when one of them is wrong, none is.

mod sources;

use crate::app::{House, StartError, gate};
use crate::cli::terminal::{say, table};
use crate::domain::organization::documents::{self, NewDocument, Registered};
use crate::graphql::gate::{Checked, Gate};
use clap::Subcommand;
use entity::values::{DocumentHash, clean_line};
use sources::{Candidate, Problems};
use std::path::PathBuf;

/// Characters of an account's name at most.
const ACCOUNT_CHARS: usize = 64;
/// Problems shown at most.
const SHOWN: usize = 50;

/// What to do with registered documents.
#[derive(Clone, Debug, Subcommand)]
pub enum DocumentsCommand {
    /// Register documents, so that they run where only registered ones do.
    Register {
        /// Manifests of Apollo, Relay, GraphQL Code Generator or gql.tada (`.json`), documents (`.graphql`, `.gql`), or folders of
        /// documents. A file with several operations is taken apart: each is registered with the fragments that it uses.
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// The client that sends them, such as `pos` or `member-app`: they are listed and removed by it.
        #[arg(long, default_value = "default", value_name = "NAME")]
        client: String,
    },
    /// List all registered documents.
    List,
    /// Remove documents: within two seconds they run no more. One that another client has registered too goes on for it.
    #[command(group(clap::ArgGroup::new("which").required(true).multiple(true).args(["hashes", "client"])))]
    Remove {
        /// The SHA-256 of a document, as `list` shows it; of all clients, unless one is named.
        #[arg(value_name = "HASH", value_parser = parse_hash)]
        hashes: Vec<DocumentHash>,
        /// Only what this client has registered: all of it, unless hashes are given.
        #[arg(long, value_name = "NAME")]
        client: Option<String>,
    },
}

/// Runs a command.
///
/// # Errors
/// Whatever is wrong with a document, with file and operation; those of the services.
pub async fn run(house: &House, command: DocumentsCommand) -> Result<(), StartError> {
    let ctx = &house.ctx;
    match command {
        DocumentsCommand::Register { files, client } => {
            let gate = gate(&house.configuration.settings)?;
            let checked = check(&gate, &files)?;
            let fresh = documents::register(ctx, &client, &account(), &checked).await?;
            let mut rows = vec![["STATE", "HASH", "OPERATIONS"].map(str::to_owned)];
            rows.extend(checked.iter().map(|document| {
                let hash = DocumentHash::of(&document.text);
                let state = if fresh.contains(&hash) {
                    "new"
                } else {
                    "known"
                };
                [
                    state.to_owned(),
                    hash.to_string(),
                    operations(&document.operations),
                ]
            }));
            say(&table(&rows));
            say(&format!(
                "{} new document(s) of the client {client}",
                fresh.len()
            ));
        }
        DocumentsCommand::List => say(&table(&listed(&documents::all(ctx).await?))),
        DocumentsCommand::Remove { hashes, client } => {
            let removed = match client {
                Some(client) if hashes.is_empty() => documents::remove_client(ctx, &client).await?,
                client => documents::remove(ctx, &hashes, client.as_deref()).await?,
            };
            say(&table(&listed(&removed)));
            say(&format!("removed {} document(s)", removed.len()));
        }
    }
    Ok(())
}

/// Reads a hash with or without the prefix that requests may have before it.
fn parse_hash(text: &str) -> Result<DocumentHash, String> {
    DocumentHash::parse(text.strip_prefix("sha256:").unwrap_or(text))
        .map_err(|error| error.to_string())
}

/// Who runs the command.
fn account() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .into_iter()
        .filter_map(|name| std::env::var(name).ok())
        .find_map(|name| clean_line(&name, ACCOUNT_CHARS).ok())
        .unwrap_or_else(|| "unknown".to_owned())
}

fn operations(names: &[String]) -> String {
    if names.is_empty() {
        "(unnamed)".to_owned()
    } else {
        names.join(", ")
    }
}

fn listed(documents: &[Registered]) -> Vec<[String; 5]> {
    let head = ["CLIENT", "HASH", "OPERATIONS", "REGISTERED", "BY"].map(str::to_owned);
    let rows = documents.iter().map(|document| {
        [
            document.client.clone(),
            document.hash.to_string(),
            operations(&document.operations),
            document
                .registered_at
                .format("%Y-%m-%dT%H:%M:%SZ")
                .to_string(),
            document.registered_by.clone(),
        ]
    });
    std::iter::once(head).chain(rows).collect()
}

/// Reads all files and lets what they hold through the gate, as a request would have to go.
fn check(gate: &Gate, files: &[PathBuf]) -> Result<Vec<NewDocument>, StartError> {
    let mut problems = Problems::default();
    let mut documents = Vec::new();
    for candidate in sources::read(gate, files, &mut problems) {
        let checked = match gate.check(&candidate.text) {
            Ok(checked) => checked,
            Err(refusal) => {
                for line in refusal.lines() {
                    problems.add(&candidate.file, &candidate.label, &line);
                }
                continue;
            }
        };
        if let Some(wrong) = differs(&candidate, &checked) {
            problems.add(&candidate.file, &candidate.label, &wrong);
            continue;
        }
        documents.push(NewDocument {
            text: candidate.text,
            operations: checked
                .into_iter()
                .filter_map(|operation| operation.name)
                .collect(),
        });
    }
    if problems.0.is_empty() {
        return Ok(documents);
    }
    let more = problems.0.len().saturating_sub(SHOWN);
    problems.0.truncate(SHOWN);
    if more > 0 {
        problems.0.push(format!("and {more} more"));
    }
    Err(StartError::Refused(format!(
        "nothing was registered:\n  {}",
        problems.0.join("\n  ")
    )))
}

/// What a manifest says of a document must be so: it may be an older text's.
fn differs(candidate: &Candidate, checked: &[Checked]) -> Option<String> {
    let told = candidate.told.as_ref()?;
    match checked
        .iter()
        .find(|operation| operation.name.as_deref() == Some(told.name.as_str()))
    {
        None => Some(format!(
            "the body has no operation of the name {}",
            told.name
        )),
        Some(operation) if operation.kind.name() != told.kind => Some(format!(
            "the manifest calls it a {}, but it is a {}",
            told.kind,
            operation.kind.name()
        )),
        Some(_) => None,
    }
}
