//! What is asked of a document before it is registered: everything that can be known without a request.
//!
//! Called by the command that registers documents. What passes here can be refused later only for its variables, or when the
//! schema or a limit has changed.

use std::collections::HashSet;

use apollo_compiler::{
    ast::{Definition, OperationType, Selection},
    parser::SourceSpan,
};
use async_graphql::Variables;

use super::{Gate, Limits, OPERATION_RESOLUTION_FAILURE, Refusal, convert::spreads, plain};

/// An operation of a document that passed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Its name; none where it has none.
    pub name: Option<String>,
    /// Query, mutation or subscription.
    pub kind: OperationType,
}

impl Gate {
    /// Checks a document as a request with it would be, and gives its operations. An operation that takes no variables must
    /// keep to the limit of cost; what others cost depends on the values.
    ///
    /// # Errors
    /// What a request with it would be refused for.
    pub fn check(&self, text: &str) -> Result<Vec<Checked>, Refusal> {
        let accepted = self.accept(text)?;
        if accepted.operations.is_empty() {
            return Err(Refusal::one(
                OPERATION_RESOLUTION_FAILURE,
                "the document has no operation",
                None,
            ));
        }
        for operation in &accepted.operations {
            let cost = operation
                .cost
                .evaluate(&Variables::default(), &self.limits)?;
            if operation.variables.is_empty() && cost > self.limits.cost {
                return Err(Refusal::limit("cost", cost, self.limits.cost, None));
            }
        }
        let checked = |operation: &super::Operation| Checked {
            name: operation.name.clone(),
            kind: operation.kind,
        };
        Ok(accepted.operations.iter().map(checked).collect())
    }

    /// Takes a text with several operations apart: each becomes a document of its own, with the fragments that it uses in the
    /// order in which they stand, one empty line between them. A text with one operation stays as it is, to the byte.
    ///
    /// # Errors
    /// A text that cannot be read.
    pub fn split(&self, text: &str) -> Result<Vec<String>, Refusal> {
        // Its limits are meant for requests; each document is held to them on its own.
        let generous = Limits {
            document_bytes: usize::MAX,
            tokens: usize::MAX,
            ..self.limits.clone()
        };
        let document = self.parse(text, &generous)?;
        let operations: Vec<_> = document
            .definitions
            .iter()
            .filter_map(Definition::as_operation_definition)
            .collect();
        if operations.len() < 2 {
            return Ok(vec![text.to_owned()]);
        }
        let fragments: Vec<_> = document
            .definitions
            .iter()
            .filter_map(Definition::as_fragment_definition)
            .collect();
        let selections = |name: &str| {
            fragments
                .iter()
                .find(|fragment| fragment.name == name)
                .map_or(&[] as &[Selection], |fragment| &fragment.selection_set)
        };
        let mut documents = Vec::with_capacity(operations.len());
        for operation in operations {
            let mut wanted = Vec::new();
            spreads(&operation.selection_set, &mut wanted);
            let mut used = HashSet::new();
            while let Some(name) = wanted.pop() {
                if used.insert(name) {
                    spreads(selections(name), &mut wanted);
                }
            }
            let mut parts = vec![written(text, operation.location())];
            parts.extend(
                fragments
                    .iter()
                    .filter(|fragment| used.contains(fragment.name.as_str()))
                    .map(|fragment| written(text, fragment.location())),
            );
            documents.push(parts.join("\n\n"));
        }
        Ok(documents)
    }
}

impl Refusal {
    /// The reasons in one line each, with their places: for people at a terminal.
    pub fn lines(&self) -> impl Iterator<Item = String> {
        self.errors.iter().map(|error| {
            let at = error.locations.first();
            let place = at.map(|at| format!(" (line {}, column {})", at.line, at.column));
            plain(&format!("{}{}", error.message, place.unwrap_or_default()))
        })
    }
}

/// A definition as it stands in the text.
fn written(text: &str, at: Option<SourceSpan>) -> &str {
    at.and_then(|span| text.get(span.offset()..span.end_offset()))
        .unwrap_or_default()
        .trim()
}
