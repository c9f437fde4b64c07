//! The program that is proved: built as it is shipped, or one that is there already.

use crate::failure::{During, Result};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Builds the program as it is shipped.
pub fn build() -> Result<PathBuf> {
    println!("building the program with the profile dist");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["build", "--locked", "--profile", "dist"])
        .args(["--package", "regulars", "--bin", "regulars"])
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()
        .during("cargo build")?;
    ensure!(output.status.success(), "the program cannot be built");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message.pointer("/target/name") == Some(&Value::from("regulars")))
        .find_map(|message| Some(PathBuf::from(message.get("executable")?.as_str()?)))
        .during("cargo does not say where the program is")
}

/// Takes a program that is there.
pub fn given(path: PathBuf) -> Result<PathBuf> {
    let path = path.canonicalize().during(path.display())?;
    ensure!(path.is_file(), "{} is no file", path.display());
    Ok(path)
}
