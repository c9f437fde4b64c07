//! Lists what `npm run build` has left in `dist/page`, for `src/lib.rs` to embed. Nothing there is no error: the
//! plain page is served then.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    // The directory is always there, since a missing path would have this run, and all be built, each time.
    println!("cargo::rerun-if-changed=dist");
    println!("cargo::rerun-if-changed=build.rs");
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("dist/page");
    let page = root.join("index.html");
    let mut text = "/// The page that was built; none where it was not.\n".to_owned();
    if page.is_file() {
        let mut files = Vec::new();
        gather(&root.join("explorer"), &mut files)?;
        files.sort();
        let _ = writeln!(
            text,
            "pub const BUILT: Option<Built> = Some(Built {{ page: include_str!({page:?}), files: &["
        );
        for file in &files {
            if let Some(name) = file.file_name().and_then(|name| name.to_str()) {
                if name.ends_with(".br") || name.ends_with(".gz") {
                    continue;
                }
                let _ = writeln!(
                    text,
                    "File {{ name: {name:?}, body: include_bytes!({file:?}), brotli: {}, gzip: {} }},",
                    beside(file, "br"),
                    beside(file, "gz"),
                );
            }
        }
        text.push_str("] });\n");
    } else {
        text.push_str("pub const BUILT: Option<Built> = None;\n");
    }
    let out = PathBuf::from(variable("OUT_DIR")?).join("built.rs");
    // Written only when it changes, so that nothing is compiled anew for nothing.
    if fs::read_to_string(&out).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::write(out, text)
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(io::Error::other)
}

fn gather(directory: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    Ok(())
}

/// The expression for a file that was compressed ahead.
fn beside(file: &Path, ending: &str) -> String {
    let mut path = file.as_os_str().to_owned();
    path.push(".");
    path.push(ending);
    let path = PathBuf::from(path);
    if path.is_file() {
        format!("Some(include_bytes!({path:?}))")
    } else {
        "None".to_owned()
    }
}
