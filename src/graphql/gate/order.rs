//! The order in which an answer's fields have to stand: that of the document.
//!
//! Made by [`super::Gate`] once for each accepted operation, read by the answer's writer. The executor runs fields side
//! by side and lists them as they come in; the specification wants them as they were selected. Fragments count for
//! every type here, which is enough: what a type does not have does not come in.

use std::collections::HashMap;

use apollo_compiler::ast::{
    Definition, Document, FragmentDefinition, OperationDefinition, Selection,
};
use async_graphql::indexmap::IndexMap;

/// Response keys of an object in their order, each with the order below it; empty for leaves.
#[derive(Debug, Default)]
pub struct FieldOrder(IndexMap<Box<str>, FieldOrder>);

impl FieldOrder {
    /// The order of an operation. The document has passed the gate, so that its expansion is small.
    pub(super) fn new(document: &Document, operation: &OperationDefinition) -> Self {
        let fragments = document
            .definitions
            .iter()
            .filter_map(Definition::as_fragment_definition)
            .map(|fragment| (fragment.name.as_str(), &**fragment))
            .collect();
        let mut order = Self::default();
        order.collect(&operation.selection_set, &fragments);
        order
    }

    fn collect(
        &mut self,
        selections: &[Selection],
        fragments: &HashMap<&str, &FragmentDefinition>,
    ) {
        for selection in selections {
            match selection {
                Selection::Field(field) => {
                    let key = field.alias.as_ref().unwrap_or(&field.name).as_str();
                    self.0
                        .entry(key.into())
                        .or_default()
                        .collect(&field.selection_set, fragments);
                }
                Selection::FragmentSpread(spread) => {
                    if let Some(fragment) = fragments.get(spread.fragment_name.as_str()) {
                        self.collect(&fragment.selection_set, fragments);
                    }
                }
                Selection::InlineFragment(inline) => {
                    self.collect(&inline.selection_set, fragments);
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
}
