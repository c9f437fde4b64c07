//! What is in `deploy` and `docs/metrics.md` speaks of the program as it is: its metrics, settings and commands.

use crate::support::program;
use crate::support::{Place, Program};
use regulars::config::reference;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The metrics that the sources record, with their types: the first argument of the macros, a text or a constant.
fn recorded() -> BTreeMap<String, &'static str> {
    let mut sources = Vec::new();
    files(&root().join("src"), &mut sources);
    let mut all = BTreeMap::new();
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        for kind in ["counter", "gauge", "histogram"] {
            let call = format!("metrics::{kind}!(");
            for (at, _) in text.match_indices(&call) {
                let argument = text[at + call.len()..].trim_start();
                let name = match argument.strip_prefix('"') {
                    Some(rest) => rest.split('"').next().unwrap().to_owned(),
                    None => {
                        let constant = argument
                            .split(|c: char| !c.is_ascii_uppercase() && c != '_')
                            .next()
                            .unwrap();
                        let declared = format!("const {constant}: &str = \"");
                        let rest = text.split_once(&declared).unwrap_or_else(|| {
                            panic!("{}: what is {argument:.40}?", path.display())
                        });
                        rest.1.split('"').next().unwrap().to_owned()
                    }
                };
                all.insert(name, kind);
            }
        }
    }
    assert!(all.len() > 10, "{all:?}");
    all
}

/// The rows of the tables in docs/metrics.md: name and type.
fn documented() -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root().join("docs/metrics.md")).unwrap();
    let rows = text.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split(" | ").collect();
        assert!(cells.len() >= 5, "{row}");
        let name = cells[0].trim_start_matches("| `").trim_end_matches('`');
        (name.to_owned(), cells[1].trim().to_owned())
    })
    .collect()
}

/// Names in an expression that stand before a selector, without what a histogram adds to its name.
fn selected(expression: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for (at, _) in expression.match_indices('{') {
        let before = &expression[..at];
        let start = before
            .rfind(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .map_or(0, |end| end + 1);
        let name = &before[start..];
        assert!(!name.is_empty(), "a selector without a name: {expression}");
        names.insert(name.to_owned());
    }
    names
}

fn is_known(name: &str, known: &BTreeMap<String, &'static str>) -> bool {
    let histogram = ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .is_some_and(|base| known.get(base) == Some(&"histogram"));
    // Prometheus makes it itself.
    name == "up" || histogram || known.get(name).is_some_and(|kind| *kind != "histogram")
}

#[test]
fn every_metric_is_documented_and_no_other() {
    let recorded: BTreeMap<String, String> = recorded()
        .into_iter()
        .map(|(name, kind)| (name, kind.to_owned()))
        .collect();
    assert_eq!(recorded, documented());
}

#[test]
fn the_dashboard_and_the_alerts_ask_for_metrics_that_there_are() {
    let known = recorded();
    let path = root().join("deploy/grafana/regulars.json");
    let board: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut asked = BTreeSet::new();
    let mut ids = BTreeSet::new();
    for panel in board["panels"].as_array().unwrap() {
        assert!(ids.insert(panel["id"].as_i64().unwrap()), "{panel}");
        for target in panel["targets"].as_array().into_iter().flatten() {
            let names = selected(target["expr"].as_str().unwrap());
            assert!(!names.is_empty(), "{target}");
            asked.extend(names);
        }
    }
    let rules = std::fs::read_to_string(root().join("deploy/prometheus/alerts.yaml")).unwrap();
    let expressions: Vec<&str> = rules
        .lines()
        .filter_map(|line| line.trim_start().strip_prefix("expr: "))
        .collect();
    assert_eq!(expressions.len(), rules.matches("- alert: ").count());
    for expression in expressions {
        asked.extend(selected(expression));
    }
    for name in &asked {
        assert!(is_known(name, &known), "there is no metric {name}");
    }
    // Whatever is counted can be seen.
    for (name, kind) in &known {
        let series = match *kind {
            "histogram" => format!("{name}_bucket"),
            _ => name.clone(),
        };
        assert!(asked.contains(&series), "{name} is on no panel");
    }
}

#[test]
fn the_files_of_a_deployment_name_settings_that_there_are() {
    let mut known: BTreeSet<&str> = reference().iter().map(|variable| variable.name).collect();
    known.insert("REGULARS_CONFIG");
    let mut all = Vec::new();
    files(&root().join("deploy"), &mut all);
    for document in ["docs/operations.md", "docs/metrics.md"] {
        all.push(root().join(document));
    }
    let mut named = 0;
    for path in all {
        let text = std::fs::read_to_string(&path).unwrap();
        for (at, _) in text.match_indices("REGULARS_") {
            let name: &str = text[at..]
                .split(|c: char| !c.is_ascii_uppercase() && c != '_')
                .next()
                .unwrap();
            // `REGULARS_RETENTION_...` stands for several.
            let is_prefix =
                name.ends_with('_') && known.iter().any(|known| known.starts_with(name));
            assert!(
                known.contains(name) || is_prefix,
                "{} names {name}",
                path.display()
            );
            named += 1;
        }
    }
    assert!(named > 15, "{named}");
}

/// The commands of the program that a file of a deployment runs.
fn commands(text: &str) -> Vec<Vec<String>> {
    let words = |list: &str| -> Vec<String> {
        let all = list.split([' ', ',', '[', ']', '"']);
        all.filter(|word| !word.is_empty() && *word != "/usr/local/bin/regulars")
            .map(str::to_owned)
            .collect()
    };
    text.lines()
        .filter_map(|line| {
            let line = line.trim();
            line.strip_prefix("ExecStart=")
                .or_else(|| line.strip_prefix("command: "))
                .or_else(|| Some(line.split_once("CMD [")?.1))
        })
        .map(words)
        .collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_of_a_deployment_are_understood() {
    let place = Place::new().await;
    let mut all = Vec::new();
    files(&root().join("deploy"), &mut all);
    let mut run = BTreeSet::new();
    for path in all {
        for command in commands(&std::fs::read_to_string(&path).unwrap()) {
            run.insert(command[0].clone());
            // With help in place of its work.
            let help = command.into_iter().chain(["--help".to_owned()]);
            program::succeed(&place, help);
        }
    }
    let expected = ["backup", "health", "migrate", "serve"].map(str::to_owned);
    assert_eq!(run, BTreeSet::from(expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_version_is_told_to_prometheus() {
    let place = Place::new().await;
    let program = Program::serve(&place);
    let (_, text) = program.client.get("/metrics").await;
    let line = format!(
        "regulars_build_info{{version=\"{}\"}} 1",
        env!("CARGO_PKG_VERSION")
    );
    assert!(text.contains(&line), "{text}");
}
