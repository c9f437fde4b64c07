//! The schema as it is committed, described throughout; and the table of settings in the README.

use async_graphql::parser::types::{TypeKind, TypeSystemDefinition};
use regulars::config;
use regulars::graphql::root;
use std::path::Path;

fn file(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{name}: {error}"))
}

#[test]
fn the_committed_schema_is_the_programs() {
    assert!(
        file("schema.graphql").trim_end() == root::sdl().trim_end(),
        "schema.graphql differs from the program's: run `cargo run --release -- schema > schema.graphql` and look \
         at the difference"
    );
}

#[test]
fn every_item_of_the_schema_is_described() {
    let document = async_graphql::parser::parse_schema(root::sdl()).unwrap();
    let mut wrong = Vec::new();
    let mut seen = 0;
    let mut look = |what: String, description: Option<&str>| {
        seen += 1;
        match description.map(|text| text.chars().next()) {
            Some(Some(first)) if first.is_uppercase() => {}
            Some(_) => wrong.push(format!("{what}: begins with no capital letter")),
            None => wrong.push(what),
        }
    };
    for definition in &document.definitions {
        let TypeSystemDefinition::Type(of_type) = definition else {
            continue;
        };
        let of_type = &of_type.node;
        let name = of_type.name.node.to_string();
        let text = |text: &Option<async_graphql::Positioned<String>>| {
            text.as_ref().map(|text| text.node.clone())
        };
        if !matches!(name.as_str(), "Query" | "Mutation") {
            look(name.clone(), text(&of_type.description).as_deref());
        }
        let fields = match &of_type.kind {
            TypeKind::Object(object) => &object.fields,
            TypeKind::Interface(interface) => &interface.fields,
            TypeKind::InputObject(input) => {
                for field in &input.fields {
                    let field = &field.node;
                    look(
                        format!("{name}.{}", field.name.node),
                        text(&field.description).as_deref(),
                    );
                }
                continue;
            }
            TypeKind::Enum(of_enum) => {
                for value in &of_enum.values {
                    let value = &value.node;
                    look(
                        format!("{name}.{}", value.value.node),
                        text(&value.description).as_deref(),
                    );
                }
                continue;
            }
            _ => continue,
        };
        for field in fields {
            let field = &field.node;
            let path = format!("{name}.{}", field.name.node);
            look(path.clone(), text(&field.description).as_deref());
            for argument in &field.arguments {
                let argument = &argument.node;
                look(
                    format!("{path}({})", argument.name.node),
                    text(&argument.description).as_deref(),
                );
            }
        }
    }
    assert!(seen > 50, "only {seen} items were seen");
    assert!(wrong.is_empty(), "not described:\n{}", wrong.join("\n"));
}

#[test]
fn the_readme_lists_every_setting() {
    let readme = file("README.md");
    let between = readme
        .split_once(config::BEGIN)
        .and_then(|(_, rest)| rest.split_once(config::END))
        .map(|(between, _)| between.trim())
        .expect("README.md has the two markers of the table of settings");
    assert!(
        between == config::markdown().trim(),
        "the README's table of settings differs; between the markers belongs:\n{}",
        config::markdown()
    );
}
