//! Who may import whom: downward only (ARCHITECTURE, 'Who may import whom').
//!
//! Reads all sources as the compiler does, from the crate roots along their modules, and looks at every path: imports
//! with their trees, paths in code, `super` and `self`, paths inside macros. Code that is compiled for tests only is
//! left out. The rules are proved on snippets in `proofs`.

mod proofs;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use syn::visit::Visit;

/// The rooms of the main crate from the top down; rooms of one line do not import each other.
const ROOMS: [&[&str]; 11] = [
    &["main"],
    &["cli"],
    &["app", "demo"],
    &["http"],
    &["graphql"],
    &["domain"],
    &["jobs", "events", "channels"],
    &["access"],
    &["db"],
    &["error"],
    &["intake", "spans"],
];

/// The topics of `domain` from the bottom up.
const TOPICS: [&str; 17] = [
    "organization",
    "attributes",
    "customers",
    "groups",
    "catalog",
    "cards",
    "visits",
    "moving",
    "insight",
    "follow_ups",
    "complaints",
    "campaigns",
    "reports",
    "sheets",
    "transfers",
    "identity",
    "webhooks",
];

/// Who may read the configuration and change the schema.
const TOP: [&str; 3] = ["main", "cli", "app"];

/// A place in the sources: the crate and the modules on the way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Place {
    krate: String,
    path: Vec<String>,
}

impl Place {
    fn new(krate: &str, path: &[&str]) -> Self {
        Self {
            krate: krate.to_owned(),
            path: path.iter().map(|part| (*part).to_owned()).collect(),
        }
    }

    fn room(&self) -> &str {
        self.path.first().map_or("lib", String::as_str)
    }

    fn topic(&self) -> Option<&str> {
        (self.room() == "domain")
            .then(|| self.path.get(1).map(String::as_str))
            .flatten()
            .filter(|topic| TOPICS.contains(topic))
    }
}

/// Why `from` may not import `to`; none when it may.
fn objection(from: &Place, to: &Place) -> Option<String> {
    let says = |why: &str| Some(format!("{} imports {}: {why}", show(from), show(to)));
    match (from.krate.as_str(), to.krate.as_str()) {
        ("entity", "entity")
        | ("explorer", "explorer")
        | ("migration", "migration")
        | ("regulars", "entity") => None,
        ("entity", _) => says("entity imports nothing of ours"),
        ("migration", _) => {
            says("a change of the schema means the same for ever, so it imports nothing of ours")
        }
        ("regulars", "migration") if TOP.contains(&from.room()) => None,
        ("regulars", "migration") => says("only app and cli change the schema"),
        ("regulars", "explorer") if from.room() == "http" => None,
        ("regulars", "explorer") => says("only http serves the explorer"),
        _ => inside(from, to).and_then(|why| says(&why)),
    }
}

fn inside(from: &Place, to: &Place) -> Option<String> {
    let (source, target) = (from.room(), to.room());
    // The crate root declares the rooms and holds no code.
    if source == target || source == "lib" {
        return topics(from, to);
    }
    if target == "lib" {
        return None;
    }
    if source == "config" {
        return Some("config is a leaf".to_owned());
    }
    if target == "config" {
        return (!TOP.contains(&source))
            .then(|| "only app and cli read the configuration".to_owned());
    }
    let rank = |room: &str| ROOMS.iter().position(|line| line.contains(&room));
    match (rank(source), rank(target)) {
        (Some(source), Some(target)) if target > source => None,
        (Some(source), Some(target)) if target == source => {
            Some("rooms beside each other do not import each other".to_owned())
        }
        (Some(_), Some(_)) => Some("that is upward".to_owned()),
        // A name of another crate that was imported whole, such as `regulars::Something`.
        (_, None) => Some(format!("{target} is no room: give it its place in ROOMS")),
        (None, _) => Some(format!("{source} is no room: give it its place in ROOMS")),
    }
}

fn topics(from: &Place, to: &Place) -> Option<String> {
    let rank = |place: &Place| {
        let topic = place.topic()?;
        TOPICS.iter().position(|known| *known == topic)
    };
    match (rank(from), rank(to)) {
        (Some(source), Some(target)) if target > source => Some("that topic is higher".to_owned()),
        _ => None,
    }
}

fn show(place: &Place) -> String {
    let mut text = place.krate.clone();
    for part in &place.path {
        text.push_str("::");
        text.push_str(part);
    }
    text
}

/// Reads one file's paths.
struct Reader {
    place: Place,
    found: Vec<Vec<String>>,
    objections: BTreeSet<String>,
    modules: Vec<(Vec<String>, bool)>,
    is_test: bool,
}

impl Reader {
    fn read(place: Place, source: &str) -> Self {
        let file = syn::parse_file(source).unwrap_or_else(|e| panic!("{}: {e}", show(&place)));
        let mut reader = Self {
            place,
            found: Vec::new(),
            objections: BTreeSet::new(),
            modules: Vec::new(),
            is_test: false,
        };
        reader.visit_file(&file);
        reader
    }

    fn path(&mut self, parts: Vec<String>) {
        if self.is_test {
            return;
        }
        if let Some(to) = self.resolve(&parts)
            && let Some(objection) = objection(&self.place, &to)
        {
            self.objections.insert(objection);
        }
        self.found.push(parts);
    }

    /// The place that a path names; none when it leads to another crate, to a local name or downward from here.
    fn resolve(&self, parts: &[String]) -> Option<Place> {
        let (first, mut rest) = parts.split_first()?;
        let mut path = self.place.path.clone();
        match first.as_str() {
            "crate" => path.clear(),
            "regulars" | "entity" | "explorer" | "migration" => {
                return Some(Place {
                    krate: first.clone(),
                    path: rest.to_vec(),
                });
            }
            "self" => {}
            "super" => {
                path.pop();
                while let Some((next, after)) = rest.split_first()
                    && next == "super"
                {
                    path.pop();
                    rest = after;
                }
            }
            _ => return None,
        }
        path.extend(rest.iter().cloned());
        Some(Place {
            krate: self.place.krate.clone(),
            path,
        })
    }

    fn tree(&mut self, tree: &syn::UseTree, mut before: Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(&path.tree, before);
            }
            syn::UseTree::Group(group) => {
                for item in &group.items {
                    self.tree(item, before.clone());
                }
            }
            syn::UseTree::Name(name) => {
                if name.ident != "self" {
                    before.push(name.ident.to_string());
                }
                self.path(before);
            }
            syn::UseTree::Rename(rename) => {
                if rename.ident != "self" {
                    before.push(rename.ident.to_string());
                }
                self.path(before);
            }
            syn::UseTree::Glob(_) => self.path(before),
        }
    }

    /// Paths inside a macro, which is text to the parser.
    fn tokens(&mut self, text: &str) {
        let words = words(text);
        let mut at = 0;
        while at < words.len() {
            let mut parts = Vec::new();
            if words[at].starts_with(|c: char| c.is_alphabetic() || c == '_') {
                parts.push(words[at].clone());
                while words.get(at + 1).is_some_and(|word| word == "::")
                    && words.get(at + 2).is_some_and(|word| {
                        word.starts_with(|c: char| c.is_alphabetic() || c == '_')
                    })
                {
                    parts.push(words[at + 2].clone());
                    at += 2;
                }
            }
            at += 1;
            if parts.len() > 1 {
                self.path(parts);
            }
        }
    }
}

/// Splits tokens into words and `::`; everything else counts as a gap.
fn words(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word = String::new();
    let mut colons = 0;
    for c in text.chars().chain([' ']) {
        if c.is_alphanumeric() || c == '_' {
            word.push(c);
            colons = 0;
            continue;
        }
        if !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c == ':' {
            colons += 1;
            if colons == 2 {
                words.push("::".to_owned());
                colons = 0;
            }
        } else if !c.is_whitespace() {
            colons = 0;
            words.push(c.to_string());
        }
    }
    words
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => false,
    })
}

impl<'a> Visit<'a> for Reader {
    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        if !is_for_tests(&item.attrs) {
            self.tree(&item.tree, Vec::new());
        }
    }

    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        let for_tests = self.is_test || is_for_tests(&item.attrs);
        let mut inner = self.place.path.clone();
        inner.push(item.ident.to_string());
        if item.content.is_none() {
            self.modules.push((inner, for_tests));
            return;
        }
        let outer = std::mem::replace(&mut self.place.path, inner);
        let was_test = std::mem::replace(&mut self.is_test, for_tests);
        syn::visit::visit_item_mod(self, item);
        self.place.path = outer;
        self.is_test = was_test;
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        if !is_for_tests(&item.attrs) {
            syn::visit::visit_item_fn(self, item);
        }
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        if !is_for_tests(&item.attrs) {
            syn::visit::visit_item_impl(self, item);
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let parts = path.segments.iter().map(|part| part.ident.to_string());
        self.path(parts.collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, macro_: &'a syn::Macro) {
        let text = macro_.tokens.to_string();
        self.tokens(&text);
        syn::visit::visit_macro(self, macro_);
    }
}

/// The file of a module: `x.rs` or `x/mod.rs` below its crate.
fn file_of(root: &Path, path: &[String]) -> PathBuf {
    let base = path
        .iter()
        .fold(root.to_owned(), |base, part| base.join(part));
    let beside = base.with_extension("rs");
    if beside.exists() {
        beside
    } else {
        base.join("mod.rs")
    }
}

/// Reads a crate from its root; gives the objections and the files that were read.
fn read_crate(
    krate: &str,
    root: &Path,
    start: &Path,
    at: &[&str],
) -> (Vec<String>, BTreeSet<PathBuf>) {
    let mut objections = Vec::new();
    let mut files = BTreeSet::new();
    let mut waiting = vec![(start.to_owned(), Place::new(krate, at), false)];
    while let Some((file, place, for_tests)) = waiting.pop() {
        let source = std::fs::read_to_string(&file)
            .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        files.insert(file);
        let reader = Reader::read(place, &source);
        if !for_tests {
            objections.extend(reader.objections);
        }
        for (path, declared_for_tests) in reader.modules {
            let place = Place {
                krate: krate.to_owned(),
                path: path.clone(),
            };
            waiting.push((file_of(root, &path), place, for_tests || declared_for_tests));
        }
    }
    (objections, files)
}

fn sources(directory: &Path, found: &mut BTreeSet<PathBuf>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.insert(path);
        }
    }
}

#[test]
fn nobody_imports_upward() {
    let house = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut objections = Vec::new();
    let (mut read, mut there) = (BTreeSet::new(), BTreeSet::new());
    for (krate, directory, start, at) in [
        ("regulars", "src", "lib.rs", &[][..]),
        ("regulars", "src", "main.rs", &["main"]),
        ("entity", "entity/src", "lib.rs", &[]),
        ("explorer", "explorer/src", "lib.rs", &[]),
        ("migration", "migration/src", "lib.rs", &[]),
    ] {
        let root = house.join(directory);
        let (found, files) = read_crate(krate, &root, &root.join(start), at);
        objections.extend(found);
        read.extend(files);
        sources(&root, &mut there);
    }
    assert!(read.len() > 100, "only {} files were read", read.len());
    let unread: Vec<_> = there.difference(&read).collect();
    assert!(unread.is_empty(), "files that no module names: {unread:#?}");
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}
