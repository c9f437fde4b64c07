//! Tables, columns and references as the sources of the entities tell them.
//!
//! The entities are in SeaORM's compact format: a struct `Model` a table, a field a column. They name no relations; a
//! reference is a column whose type is another table's id (`CustomerId`), and that is enough, since each table has an id type
//! of its own. A plain `Uuid` may point into several tables and is drawn as what it is.

use crate::failure::{During, Failure, Result};
use std::collections::{BTreeMap, BTreeSet};
use syn::{
    Attribute, Expr, Fields, GenericArgument, Item, Lit, Meta, PathArguments, Type, UseTree,
};

/// A file of `entity/src`.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its name.
    pub file: String,
    /// What stands in it.
    pub text: String,
}

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name in the database.
    pub name: String,
    /// What it is, in a sentence.
    pub about: String,
    /// The file that declares it.
    pub file: String,
    /// Its columns, in the order of the file.
    pub columns: Vec<Column>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in the database.
    pub name: String,
    /// What it holds, in a word.
    pub kind: String,
    /// It is the primary key, or a part of it.
    pub key: bool,
    /// It may be empty.
    pub nullable: bool,
    /// The table that it refers to.
    pub refers: Option<String>,
}

/// What a field's type is, before all tables are known.
#[derive(Clone, Debug)]
enum Kind {
    Word(String),
    Id(String),
}

/// A column, before all tables are known.
struct Raw {
    name: String,
    kind: Kind,
    key: bool,
    nullable: bool,
}

struct RawTable {
    table: Table,
    columns: Vec<Raw>,
}

/// Reads all tables, in the order of their names. A file without a table (`ids.rs`, `enums.rs`) is passed over.
pub fn tables(sources: &[Source]) -> Result<Vec<Table>> {
    let mut raw = Vec::new();
    for source in sources {
        if let Some(table) = table(source).during(format_args!("entity/src/{}", source.file))? {
            raw.push(table);
        }
    }
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for raw in &raw {
        let own = raw.columns.iter().find(|c| c.key && c.name == "id");
        if let Some(Raw {
            kind: Kind::Id(id), ..
        }) = own
        {
            owners.insert(id, &raw.table.name);
        }
    }
    let mut tables = Vec::new();
    for raw in &raw {
        let columns: Result<Vec<Column>> = raw
            .columns
            .iter()
            .map(|c| column(raw, c, &owners))
            .collect();
        tables.push(Table {
            columns: columns?,
            ..raw.table.clone()
        });
    }
    tables.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(tables)
}

fn column(of: &RawTable, raw: &Raw, owners: &BTreeMap<&str, &str>) -> Result<Column> {
    let (kind, refers) = match &raw.kind {
        Kind::Word(word) => (word.clone(), None),
        Kind::Id(id) => {
            let owner = owners.get(id.as_str()).during(format_args!(
                "entity/src/{}: `{}` is a {id}, and no table has a key `id` of that type: give the table that it \
                 refers to its entity file",
                of.table.file, raw.name
            ))?;
            let own = raw.key && raw.name == "id" && *owner == of.table.name;
            ("uuid".to_owned(), (!own).then(|| (*owner).to_owned()))
        }
    };
    Ok(Column {
        name: raw.name.clone(),
        kind,
        key: raw.key,
        nullable: raw.nullable,
        refers,
    })
}

fn table(source: &Source) -> Result<Option<RawTable>> {
    let file = syn::parse_file(&source.text)?;
    let mut imported = Imported::default();
    for item in &file.items {
        if let Item::Use(item) = item {
            imported.gather(&item.tree, &mut Vec::new());
        }
    }
    let model = file.items.iter().find_map(|item| match item {
        Item::Struct(item) if item.ident == "Model" => Some(item),
        _ => None,
    });
    let Some(model) = model else {
        return Ok(None);
    };
    let name = setting(&model.attrs, "table_name")?
        .during("`Model` does not say its `#[sea_orm(table_name = ...)]`")?;
    let Fields::Named(fields) = &model.fields else {
        fail!("the fields of `Model` have no names");
    };
    let mut columns = Vec::new();
    for field in &fields.named {
        let written = field.ident.as_ref().map(ToString::to_string);
        let written = written.unwrap_or_default();
        let written = written.trim_start_matches("r#");
        let (inner, nullable) = optional(&field.ty);
        let kind = imported
            .kind(inner)
            .during(format_args!("column `{written}`"))?;
        columns.push(Raw {
            name: setting(&field.attrs, "column_name")?.unwrap_or_else(|| written.to_owned()),
            kind,
            key: flag(&field.attrs, "primary_key")?,
            nullable,
        });
    }
    Ok(Some(RawTable {
        table: Table {
            name,
            about: documentation(&model.attrs),
            file: source.file.clone(),
            columns: Vec::new(),
        },
        columns,
    }))
}

/// Names that a file takes from `ids` and `enums`.
#[derive(Default)]
struct Imported {
    ids: BTreeSet<String>,
    words: BTreeSet<String>,
}

impl Imported {
    fn gather(&mut self, tree: &UseTree, way: &mut Vec<String>) {
        match tree {
            UseTree::Path(path) => {
                way.push(path.ident.to_string());
                self.gather(&path.tree, way);
                way.pop();
            }
            UseTree::Name(name) => self.note(way, name.ident.to_string()),
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.gather(tree, way);
                }
            }
            UseTree::Rename(_) | UseTree::Glob(_) => {}
        }
    }

    fn note(&mut self, way: &[String], name: String) {
        match way.last().map(String::as_str) {
            Some("ids") => _ = self.ids.insert(name),
            Some("enums") => _ = self.words.insert(name),
            _ => {}
        }
    }

    /// What a type is called in the picture.
    fn kind(&self, ty: &Type) -> Result<Kind> {
        let Type::Path(path) = ty else {
            return Err(unknown("its type"));
        };
        let names: Vec<String> = path
            .path
            .segments
            .iter()
            .map(|s| s.ident.to_string())
            .collect();
        let name = names.last().cloned().unwrap_or_default();
        if self.ids.contains(&name) || names.iter().any(|part| part == "ids") {
            return Ok(Kind::Id(name));
        }
        if self.words.contains(&name) || names.iter().any(|part| part == "enums") {
            return Ok(Kind::Word(name));
        }
        let word = match name.as_str() {
            "Uuid" => "uuid",
            "String" => "text",
            "bool" => "yes/no",
            "i32" => "int",
            "i64" => "bigint",
            "DateTimeUtc" => "time",
            "Date" => "date",
            "Json" => "json",
            "Vec" => "bytes",
            _ => return Err(unknown(&name)),
        };
        Ok(Kind::Word(word.to_owned()))
    }
}

fn unknown(ty: &str) -> Failure {
    Failure::new(format!(
        "the picture has no word for {ty}: add one to `Imported::kind` in xtask/src/data_model/read.rs"
    ))
}

/// The type within an `Option`, and whether it was one.
fn optional(ty: &Type) -> (&Type, bool) {
    if let Type::Path(path) = ty
        && let Some(last) = path.path.segments.last()
        && last.ident == "Option"
        && let PathArguments::AngleBracketed(arguments) = &last.arguments
        && let Some(GenericArgument::Type(inner)) = arguments.args.first()
    {
        return (inner, true);
    }
    (ty, false)
}

/// The text that `#[sea_orm(name = "text")]` gives.
fn setting(attributes: &[Attribute], name: &str) -> Result<Option<String>> {
    let mut found = None;
    settings(attributes, |setting, text| {
        if setting == name {
            found = text;
        }
    })?;
    Ok(found)
}

/// Whether `#[sea_orm(name)]` is said.
fn flag(attributes: &[Attribute], name: &str) -> Result<bool> {
    let mut found = false;
    settings(attributes, |setting, _| found |= setting == name)?;
    Ok(found)
}

fn settings(attributes: &[Attribute], mut each: impl FnMut(&str, Option<String>)) -> Result<()> {
    for attribute in attributes.iter().filter(|a| a.path().is_ident("sea_orm")) {
        attribute.parse_nested_meta(|meta| {
            let name = meta.path.get_ident().map(ToString::to_string);
            let text = if meta.input.peek(syn::Token![=]) {
                match meta.value()?.parse::<Lit>()? {
                    Lit::Str(text) => Some(text.value()),
                    _ => None,
                }
            } else {
                None
            };
            each(&name.unwrap_or_default(), text);
            Ok(())
        })?;
    }
    Ok(())
}

/// The first paragraph of a doc comment, without the ids of rules at its end.
fn documentation(attributes: &[Attribute]) -> String {
    let mut words = Vec::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(literal) = &pair.value
            && let Lit::Str(line) = &literal.lit
        {
            let line = line.value().trim().to_owned();
            if line.is_empty() {
                break;
            }
            words.push(line);
        }
    }
    words.join(" ").trim_end_matches('.').to_owned()
}
