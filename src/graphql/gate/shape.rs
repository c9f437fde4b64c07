//! What the cost formula needs to know about the schema, taken from the SDL once at start.
//!
//! Built by [`super::Gate::new`], read by `measure`. Never sees a document.

use std::collections::{HashMap, HashSet};

use apollo_compiler::{Schema, ast::OperationType, schema::ExtendedType};

/// Elements assumed in a plain list.
pub const PLAIN_LIST: u64 = 10;
/// Elements assumed in a list of the introspection system: its figures are in memory and small.
pub const INTROSPECTION_LIST: u64 = 5;
/// What one mutation field costs by itself.
pub const MUTATION: u64 = 10;
/// What counting a whole connection costs.
pub const TOTAL_COUNT: u64 = 10;

/// Figures that the SDL does not tell, by type and field.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// Elements of a plain list, where ten is far from the truth.
    pub list_sizes: HashMap<(String, String), u32>,
    /// What a field costs by itself, where it is dearer than its kind.
    pub field_costs: HashMap<(String, String), u32>,
}

/// How many times a field's selection set is resolved for each parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// As often as this.
    Times(u64),
    /// Once for each row of the page; the figure counts where neither `first` nor `last` is given.
    Page(u64),
    /// Once for each element of the argument `ids`.
    Ids,
}

/// A field as the cost formula sees it.
#[derive(Debug, Clone)]
pub struct FieldShape {
    /// Name of the type it gives, lists and `!` taken off.
    pub gives: String,
    /// Cost of one value of it, without what is selected below.
    pub own: u64,
    /// How often its children are resolved.
    pub repeat: Repeat,
}

/// The fields of every composite type.
#[derive(Debug, Default)]
pub struct Shape {
    types: HashMap<String, HashMap<String, FieldShape>>,
    roots: HashMap<&'static str, String>,
}

impl Shape {
    /// Reads the schema. `page` is the page size of connections that declare no default.
    pub fn new(schema: &Schema, overrides: &Overrides, page: u64) -> Self {
        let mut shape = Self::default();
        for kind in [
            OperationType::Query,
            OperationType::Mutation,
            OperationType::Subscription,
        ] {
            if let Some(name) = schema.root_operation(kind) {
                shape.roots.insert(kind.name(), name.to_string());
            }
        }
        let roots: HashSet<&String> = shape.roots.values().collect();
        let mutation = shape.roots.get(OperationType::Mutation.name());
        for (type_name, definition) in &schema.types {
            let fields = match definition {
                ExtendedType::Object(object) => &object.fields,
                ExtendedType::Interface(interface) => &interface.fields,
                _ => continue,
            };
            let within = type_name.as_str();
            let mut shapes = HashMap::with_capacity(fields.len());
            for (name, field) in fields {
                let key = (within.to_owned(), name.to_string());
                let gives = field.ty.inner_named_type().as_str();
                let composite = schema
                    .types
                    .get(gives)
                    .is_some_and(|ty| ty.is_object() || ty.is_interface() || ty.is_union());
                let own = if let Some(&cost) = overrides.field_costs.get(&key) {
                    u64::from(cost)
                } else if mutation.is_some_and(|root| root == within) {
                    MUTATION
                } else if within.ends_with("Connection") && name == "totalCount" {
                    TOTAL_COUNT
                } else if gives == "PageInfo" || (composite && gives.ends_with("Edge")) {
                    0
                } else {
                    u64::from(composite || roots.iter().any(|root| *root == within))
                };
                let repeat = if let Some(&size) = overrides.list_sizes.get(&key) {
                    Repeat::Times(u64::from(size))
                } else if composite && gives.ends_with("Connection") {
                    let declared = ["first", "last"]
                        .iter()
                        .filter_map(|arg| field.argument_by_name(arg)?.default_value.as_ref())
                        .filter_map(|value| value.to_i32())
                        .find_map(|value| u64::try_from(value).ok());
                    Repeat::Page(declared.unwrap_or(page))
                } else if !field.ty.is_list() || within.ends_with("Connection") {
                    Repeat::Times(1)
                } else if within.starts_with("__") {
                    Repeat::Times(INTROSPECTION_LIST)
                } else if field
                    .argument_by_name("ids")
                    .is_some_and(|ids| ids.ty.is_list())
                {
                    Repeat::Ids
                } else {
                    Repeat::Times(PLAIN_LIST)
                };
                shapes.insert(
                    name.to_string(),
                    FieldShape {
                        gives: gives.to_owned(),
                        own,
                        repeat,
                    },
                );
            }
            shape.types.insert(within.to_owned(), shapes);
        }
        if let Some(query) = shape.roots.get(OperationType::Query.name())
            && let Some(fields) = shape.types.get_mut(query)
        {
            for (name, gives) in [("__schema", "__Schema"), ("__type", "__Type")] {
                fields.insert(
                    name.to_owned(),
                    FieldShape {
                        gives: gives.to_owned(),
                        own: 1,
                        repeat: Repeat::Times(1),
                    },
                );
            }
        }
        shape
    }

    /// The type that an operation of this kind starts from, where the schema has it.
    pub fn root(&self, kind: OperationType) -> Option<&str> {
        self.roots.get(kind.name()).map(String::as_str)
    }

    /// The field of a type, where both exist.
    pub fn field(&self, within: &str, name: &str) -> Option<&FieldShape> {
        self.types.get(within)?.get(name)
    }
}
