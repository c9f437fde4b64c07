//! A picture of the data model, drawn from the sources of the entities: `cargo xtask data-model`.
//!
//! [`read`] takes tables, columns and references from `entity/src/*.rs`, [`groups`] says which topic each table belongs to,
//! [`layout`] gives every box its place, [`lines`] leads the references between them, [`draw`] writes the SVG. Nothing but the
//! sources decides what comes out, so that the committed picture can be held against them. It never asks a database.

mod draw;
mod groups;
mod layout;
mod lines;
mod read;
#[cfg(test)]
mod tests;

use crate::failure::{During, Result};
use clap::Args;
use groups::{GROUPS, Group};
use read::Source;
use std::fs;
use std::path::{Path, PathBuf};

/// Where the picture stands, from the root of the workspace.
const PICTURE: &str = "docs/data-model.svg";

/// How to make it anew, for whoever finds that it is old.
const ADVICE: &str = "run `cargo xtask data-model` and commit the picture";

/// What is done with the picture.
#[derive(Clone, Debug, Args)]
pub struct DataModelArgs {
    /// Write nothing, and fail when the committed picture is not what the entities give.
    #[arg(long)]
    check: bool,
}

/// Draws the picture, or compares it with the committed one; gives what there is to say.
pub fn run(args: &DataModelArgs) -> Result<String> {
    let root = root();
    let picture = picture(&sources(&root)?, GROUPS)?;
    let path = root.join(PICTURE);
    if args.check {
        check(&path, &picture)?;
        return Ok(format!("{PICTURE} is what the entities give"));
    }
    fs::write(&path, picture).during(format_args!("writing {PICTURE}"))?;
    Ok(format!("written: {PICTURE}"))
}

/// The picture of tables in groups, as SVG.
fn picture(sources: &[Source], groups: &[Group]) -> Result<String> {
    let tables = read::tables(sources)?;
    let grouped = groups::gather(tables, groups)?;
    let plan = layout::plan(&grouped);
    let routes = lines::lead(&plan);
    Ok(draw::svg(&plan, &routes))
}

/// Fails unless the committed picture is this one.
fn check(path: &Path, picture: &str) -> Result<()> {
    let committed = fs::read_to_string(path).during(format_args!("reading {PICTURE}: {ADVICE}"))?;
    ensure!(
        committed == picture,
        "{PICTURE} is not what the entities give: {ADVICE}"
    );
    Ok(())
}

/// The sources of the entities, in the order of their names.
fn sources(root: &Path) -> Result<Vec<Source>> {
    let directory = root.join("entity/src");
    let mut sources = Vec::new();
    for entry in fs::read_dir(&directory).during("reading entity/src")? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            let file = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            let text = fs::read_to_string(&path).during(format_args!("reading {file}"))?;
            sources.push(Source { file, text });
        }
    }
    sources.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(sources)
}

/// The root of the workspace: the directory above this crate.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
