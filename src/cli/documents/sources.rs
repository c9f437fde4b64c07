//! Where documents to be registered come from: manifests that the generators of clients write, and documents as files.
//!
//! Called by `documents register`. Finds the documents and holds each against the hash that a manifest gives it; whether it may
//! run is the gate's matter.

use crate::graphql::gate::Gate;
use entity::values::DocumentHash;
use serde::Deserialize;
use serde_json::Value;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Bytes of one file at most: some ten thousand operations.
const FILE_BYTES: u64 = 64 * 1024 * 1024;
/// The word by which a manifest of Apollo is known.
const APOLLO: &str = "apollo-persisted-query-manifest";

/// A document that somebody wants to register.
#[derive(Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where it was found.
    pub file: PathBuf,
    /// What it is called in messages.
    pub label: String,
    /// The document, to the byte.
    pub text: String,
    /// What the manifest says of it.
    pub told: Option<Told>,
}

/// What a manifest says of a document.
#[derive(Debug, PartialEq, Eq)]
pub struct Told {
    /// The name of its operation.
    pub name: String,
    /// `query`, `mutation` or `subscription`.
    pub kind: String,
}

/// What is wrong, each with file and operation.
#[derive(Debug, Default)]
pub struct Problems(pub Vec<String>);

impl Problems {
    /// Notes what is wrong with an operation.
    pub fn add(&mut self, file: &Path, label: &str, what: &str) {
        self.0.push(format!("{}: {label}: {what}", file.display()));
    }

    fn file(&mut self, file: &Path, what: impl std::fmt::Display) {
        self.0.push(format!("{}: {what}", file.display()));
    }
}

/// Reads files and folders.
pub fn read(gate: &Gate, paths: &[PathBuf], problems: &mut Problems) -> Vec<Candidate> {
    let mut candidates = Vec::new();
    for path in paths {
        if path.is_dir() {
            let mut files = Vec::new();
            if let Err(error) = gather(path, &mut files) {
                problems.file(path, error);
            } else if files.is_empty() {
                problems.file(path, "there is no .graphql or .gql file in this folder");
            }
            files.sort();
            for file in files {
                read_file(gate, &file, problems, &mut candidates);
            }
        } else {
            read_file(gate, path, problems, &mut candidates);
        }
    }
    candidates
}

/// The documents in a folder and those below it, apart from hidden ones and packages. Manifests are named, since a folder of
/// sources has many other JSON files.
fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') || name == "node_modules" {
            continue;
        }
        let path = entry.path();
        // A link to a folder is not followed: it may lead back here.
        if entry.file_type()?.is_dir() {
            gather(&path, files)?;
        } else if is_document(&path) {
            files.push(path);
        }
    }
    Ok(())
}

fn has_extension(path: &Path, wanted: &[&str]) -> bool {
    path.extension()
        .is_some_and(|found| wanted.iter().any(|ext| found.eq_ignore_ascii_case(ext)))
}

fn is_document(path: &Path) -> bool {
    has_extension(path, &["graphql", "gql"])
}

fn read_file(gate: &Gate, file: &Path, problems: &mut Problems, candidates: &mut Vec<Candidate>) {
    let text = match read_text(file) {
        Ok(text) => text,
        Err(error) => return problems.file(file, error),
    };
    if has_extension(file, &["json"]) {
        manifest(file, &text, problems, candidates);
    } else if is_document(file) {
        documents(gate, file, &text, problems, candidates);
    } else {
        problems.file(
            file,
            "is neither a manifest (.json) nor a document (.graphql, .gql)",
        );
    }
}

fn read_text(file: &Path) -> io::Result<String> {
    let mut text = String::new();
    let read = fs::File::open(file)?
        .take(FILE_BYTES + 1)
        .read_to_string(&mut text)?;
    if read as u64 > FILE_BYTES {
        return Err(io::Error::other("is larger than 64 MiB"));
    }
    Ok(text)
}

fn documents(
    gate: &Gate,
    file: &Path,
    text: &str,
    problems: &mut Problems,
    candidates: &mut Vec<Candidate>,
) {
    match gate.split(text) {
        Err(refusal) => {
            for line in refusal.lines() {
                problems.file(file, line);
            }
        }
        Ok(texts) => {
            let several = texts.len() > 1;
            candidates.extend(
                texts
                    .into_iter()
                    .enumerate()
                    .map(|(index, text)| Candidate {
                        file: file.to_owned(),
                        label: if several {
                            format!("operation {}", index + 1)
                        } else {
                            "document".to_owned()
                        },
                        text,
                        told: None,
                    }),
            );
        }
    }
}

/// One operation of Apollo's manifest.
#[derive(Deserialize)]
struct Operation {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
    body: String,
}

fn manifest(file: &Path, text: &str, problems: &mut Problems, candidates: &mut Vec<Candidate>) {
    const FORM: &str =
        "is no manifest: it must be that of Apollo, or an object with a document under each hash";
    let object = match serde_json::from_str(text) {
        Ok(Value::Object(object)) => object,
        Ok(_) => return problems.file(file, FORM),
        Err(error) => return problems.file(file, format!("is not JSON: {error}")),
    };
    let before = (candidates.len(), problems.0.len());
    if let Some(format) = object.get("format") {
        if format != APOLLO || object.get("version").and_then(Value::as_u64) != Some(1) {
            return problems.file(
                file,
                format!("only manifests of the format {APOLLO} in version 1 can be read"),
            );
        }
        let operations = object.get("operations").and_then(Value::as_array);
        for (index, operation) in operations.into_iter().flatten().enumerate() {
            match Operation::deserialize(operation) {
                Ok(operation) => apollo(file, operation, problems, candidates),
                Err(error) => {
                    problems.add(
                        file,
                        &format!("operation {}", index + 1),
                        &error.to_string(),
                    );
                }
            }
        }
    } else {
        for (key, document) in object {
            match document {
                Value::String(text) => by_hash(file, &key, text, problems, candidates),
                _ => return problems.file(file, FORM),
            }
        }
    }
    if before == (candidates.len(), problems.0.len()) {
        problems.file(file, "names no operation");
    }
}

fn apollo(
    file: &Path,
    operation: Operation,
    problems: &mut Problems,
    candidates: &mut Vec<Candidate>,
) {
    let Operation {
        id,
        name,
        kind,
        body,
    } = operation;
    let label = format!("operation {name}");
    if let Some(wrong) = wrong_hash(&id, &body) {
        return problems.add(file, &label, &wrong);
    }
    candidates.push(Candidate {
        file: file.to_owned(),
        label,
        text: body,
        told: Some(Told { name, kind }),
    });
}

fn by_hash(
    file: &Path,
    key: &str,
    text: String,
    problems: &mut Problems,
    candidates: &mut Vec<Candidate>,
) {
    let label = format!("document {key}");
    if let Some(wrong) = wrong_hash(key, &text) {
        return problems.add(file, &label, &wrong);
    }
    candidates.push(Candidate {
        file: file.to_owned(),
        label,
        text,
        told: None,
    });
}

/// What is wrong with the hash that a manifest gives to a document. Requests name documents by SHA-256 only.
fn wrong_hash(told: &str, text: &str) -> Option<String> {
    let digits = told.strip_prefix("sha256:").unwrap_or(told);
    let hash = DocumentHash::of(text);
    match (DocumentHash::parse(digits), digits.len()) {
        (Ok(told), _) if told == hash => None,
        (Ok(_), _) => Some(format!(
            "the id {digits} is not the SHA-256 of the document, which is {hash}: write the manifest anew"
        )),
        (Err(_), 32) => Some(format!(
            "the id {digits} seems to be an MD5, and must be the SHA-256 of the document: with Relay, set \
             `algorithm: \"SHA256\"` in its `persistConfig`"
        )),
        (Err(_), 40) => Some(format!(
            "the id {digits} seems to be a SHA-1, and must be the SHA-256 of the document: with GraphQL Code Generator, \
             set `persistedDocuments: {{ hashAlgorithm: \"sha256\" }}`"
        )),
        (Err(_), _) => Some(format!(
            "the id {digits:?} is not the SHA-256 of the document, which is {hash}"
        )),
    }
}

#[cfg(test)]
mod tests;
