//! The order in which an answer's fields have to stand: that of the document; and what each of them costs.
//!
//! Made by [`super::Gate`] once for each accepted operation, read by the answer's writer. The executor runs fields side
//! by side and lists them as they come in; the specification wants them as they were selected. Fragments count for
//! every type here, which is enough: what a type does not have does not come in. By what a field costs by itself, a walk
//! through an answer tells what it has really cost.

use std::collections::HashMap;

use apollo_compiler::ast::{
    Definition, Document, FragmentDefinition, OperationDefinition, Selection,
};
use async_graphql::{Value, indexmap::IndexMap};

use super::shape::Shape;

/// Response keys of an object in their order, each with the order below it; empty for leaves.
#[derive(Debug, Default)]
pub struct FieldOrder(IndexMap<Box<str>, FieldOrder>, u64);

/// What a walk needs to know.
struct Source<'d> {
    shape: &'d Shape,
    fragments: HashMap<&'d str, &'d FragmentDefinition>,
}

impl FieldOrder {
    /// The order of an operation. The document has passed the gate, so that its expansion is small.
    pub(super) fn new(document: &Document, operation: &OperationDefinition, shape: &Shape) -> Self {
        let fragments = document
            .definitions
            .iter()
            .filter_map(Definition::as_fragment_definition)
            .map(|fragment| (fragment.name.as_str(), &**fragment))
            .collect();
        let source = Source { shape, fragments };
        let mut order = Self::default();
        let within = shape.root(operation.operation_type);
        order.collect(&operation.selection_set, within, &source);
        order
    }

    fn collect(&mut self, selections: &[Selection], within: Option<&str>, source: &Source<'_>) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    let key = field.alias.as_ref().unwrap_or(&field.name).as_str();
                    let known = within.and_then(|within| source.shape.field(within, &field.name));
                    let below = self.0.entry(key.into()).or_default();
                    // Of two types with a field of one key, the dearer counts.
                    below.1 = below.1.max(known.map_or(0, |known| known.own));
                    let gives = known.map(|known| known.gives.as_str());
                    below.collect(&field.selection_set, gives, source);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = source.fragments.get(spread.fragment_name.as_str()) {
                        let within = Some(fragment.type_condition.as_str());
                        self.collect(&fragment.selection_set, within, source);
                    }
                }
                Selection::InlineFragment(inline) => {
                    let within = inline.type_condition.as_deref().or(within);
                    self.collect(&inline.selection_set, within, source);
                }
            }
        }
    }

    /// Whether nothing is selected below: a scalar, possibly an object of JSON in its own order.
    pub fn is_leaf(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.0.iter().map(|(key, below)| (&**key, below))
    }

    /// What an answer has cost: by the same figures as the estimate, but for what there really was.
    pub fn cost_of(&self, data: &Value) -> u64 {
        match data {
            Value::Object(fields) => {
                let (mut sum, mut next) = (0_u64, 0);
                for (key, value) in fields {
                    // As a rule the executor's order is the document's, and the next field is the one at hand.
                    let found = match self.0.get_index(next) {
                        Some((name, below)) if **name == *key.as_str() => Some((next, below)),
                        _ => self
                            .0
                            .get_full(key.as_str())
                            .map(|(index, _, below)| (index, below)),
                    };
                    if let Some((index, below)) = found {
                        next = index + 1;
                        sum = sum.saturating_add(below.cost_of_field(value));
                    }
                }
                sum
            }
            _ => 0,
        }
    }

    fn cost_of_field(&self, value: &Value) -> u64 {
        match value {
            Value::List(values) => values.iter().fold(0, |sum: u64, value| {
                sum.saturating_add(self.cost_of_field(value))
            }),
            Value::Object(_) if !self.is_leaf() => self.1.saturating_add(self.cost_of(value)),
            // To find that there is nothing costs as much as to find it.
            _ => self.1,
        }
    }
}
