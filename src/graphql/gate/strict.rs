//! What values must look like beyond what validation of the schema asks: strict scalars and one-of input objects.
//!
//! `literals` is called by [`super::Gate`] for each document that passed validation; the helpers are shared with
//! `coerce`. Never touches the executor's values.

use std::collections::HashSet;

use apollo_compiler::{
    Node, Schema,
    ast::{Argument, Type, Value},
    executable::{ExecutableDocument, Selection, SelectionSet},
    parser::SourceSpan,
    schema::{ExtendedType, FieldDefinition, InputObjectType},
};

use super::{
    lexer::LineIndex,
    refusal::{GateErrorEntry, Location, VALIDATION_FAILED},
};

/// Rules for values that the SDL does not carry.
#[derive(Debug, Clone)]
pub struct ValueRules {
    /// Custom scalars that travel as strings only, never as JSON numbers: a number has gone through a binary float
    /// somewhere on the way.
    pub text_scalars: HashSet<String>,
}

impl Default for ValueRules {
    fn default() -> Self {
        Self {
            text_scalars: HashSet::from(["Decimal".to_owned()]),
        }
    }
}

/// Whether exactly one field of this input object has to be given.
pub fn is_one_of(object: &InputObjectType) -> bool {
    object.directives.has("oneOf")
}

/// Whether the pair of `given` fields and a null among them breaks the one-of rule.
pub fn breaks_one_of(given: usize, has_null: bool) -> bool {
    given != 1 || has_null
}

/// Reports literals in `document` that break the rules.
pub fn literals(
    document: &ExecutableDocument,
    schema: &Schema,
    rules: &ValueRules,
    lines: &LineIndex<'_>,
) -> Vec<GateErrorEntry> {
    let mut check = Check {
        schema,
        rules,
        lines,
        errors: Vec::new(),
    };
    for operation in document.operations.iter() {
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                check.value(default, &variable.ty);
            }
        }
        check.set(&operation.selection_set);
    }
    for fragment in document.fragments.values() {
        check.set(&fragment.selection_set);
    }
    check.errors
}

struct Check<'s> {
    schema: &'s Schema,
    rules: &'s ValueRules,
    lines: &'s LineIndex<'s>,
    errors: Vec<GateErrorEntry>,
}

impl Check<'_> {
    fn set(&mut self, set: &SelectionSet) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.arguments, &field.definition);
                    self.set(&field.selection_set);
                }
                Selection::FragmentSpread(_) => {}
                Selection::InlineFragment(inline) => self.set(&inline.selection_set),
            }
        }
    }

    fn arguments(&mut self, arguments: &[Node<Argument>], definition: &FieldDefinition) {
        for argument in arguments {
            if let Some(declared) = definition.argument_by_name(&argument.name) {
                self.value(&argument.value, &declared.ty);
            }
        }
    }

    fn value(&mut self, value: &Node<Value>, ty: &Type) {
        match &**value {
            Value::Null | Value::Variable(_) => {}
            Value::List(values) => {
                for item in values {
                    self.value(item, ty.item_type());
                }
            }
            Value::Object(fields) => {
                let Some(ExtendedType::InputObject(object)) =
                    self.schema.types.get(ty.inner_named_type())
                else {
                    return;
                };
                let has_null = fields.iter().any(|(_, value)| value.is_null());
                if is_one_of(object) && breaks_one_of(fields.len(), has_null) {
                    self.report(
                        format!("exactly one field of `{}` must be given", object.name),
                        value.location(),
                    );
                }
                for (name, field) in fields {
                    if let Some(declared) = object.fields.get(name) {
                        self.value(field, &declared.ty);
                    }
                }
            }
            Value::Int(_) | Value::Float(_) | Value::Boolean(_) | Value::Enum(_) => {
                let name = ty.inner_named_type().as_str();
                if self.rules.text_scalars.contains(name) {
                    self.report(
                        format!("a value of type `{name}` must be written as a string"),
                        value.location(),
                    );
                }
            }
            Value::String(_) => {}
        }
    }

    fn report(&mut self, message: String, at: Option<SourceSpan>) {
        let locations = at
            .map(|span| Location::from(self.lines.position(span.offset())))
            .into_iter()
            .collect();
        self.errors.push(GateErrorEntry {
            message,
            code: VALIDATION_FAILED,
            locations,
        });
    }
}
