//! What values must look like beyond what the validator asks: strict scalars, one-of input objects, no input field
//! twice, variables that fit their place inside lists and objects.
//!
//! `values` is called by [`super::Gate`] for each document that passed validation; the helpers are shared with
//! `coerce`. Never touches the executor's values.

use std::collections::{HashMap, HashSet};

use apollo_compiler::{
    Node, Schema,
    ast::{Argument, Type, Value, VariableDefinition},
    executable::{ExecutableDocument, Selection, SelectionSet},
    parser::SourceSpan,
    schema::{ExtendedType, FieldDefinition, InputObjectType},
};

use super::{
    lexer::LineIndex,
    refusal::{GateErrorEntry, Location, VALIDATION_FAILED},
};

/// Reads the text of a custom scalar: what is expected, with an example, when it is none.
pub type Form = fn(&str) -> Result<(), String>;

/// Rules for values that the SDL does not carry.
#[derive(Debug, Clone)]
pub struct ValueRules {
    /// Custom scalars that travel as strings only, never as JSON numbers (a number has gone through a binary float
    /// somewhere on the way), with what their text must look like. What is checked here never reaches the executor,
    /// whose own words say little to a caller.
    pub text_scalars: HashMap<&'static str, Form>,
}

impl Default for ValueRules {
    fn default() -> Self {
        let any: Form = |_: &str| Ok(());
        Self {
            text_scalars: HashMap::from([("Decimal", any)]),
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

/// Reports values in `document` that break the rules. Validation proper has been passed before.
pub fn values(
    document: &ExecutableDocument,
    schema: &Schema,
    rules: &ValueRules,
    lines: &LineIndex<'_>,
) -> Vec<GateErrorEntry> {
    let mut check = Check {
        document,
        schema,
        rules,
        lines,
        variables: HashMap::new(),
        visited: HashSet::new(),
        errors: Vec::new(),
    };
    for operation in document.operations.iter() {
        check.visited.clear();
        check.variables = operation
            .variables
            .iter()
            .map(|variable| (variable.name.as_str(), &**variable))
            .collect();
        for variable in &operation.variables {
            if let Some(default) = &variable.default_value {
                check.value(default, &variable.ty);
            }
        }
        check.set(&operation.selection_set);
    }
    check.errors
}

struct Check<'s> {
    document: &'s ExecutableDocument,
    schema: &'s Schema,
    rules: &'s ValueRules,
    lines: &'s LineIndex<'s>,
    /// Of the operation at hand.
    variables: HashMap<&'s str, &'s VariableDefinition>,
    /// Fragments that the operation at hand has been followed into.
    visited: HashSet<&'s str>,
    errors: Vec<GateErrorEntry>,
}

impl<'s> Check<'s> {
    fn set(&mut self, set: &'s SelectionSet) {
        for selection in &set.selections {
            match selection {
                Selection::Field(field) => {
                    self.arguments(&field.arguments, &field.definition);
                    self.set(&field.selection_set);
                }
                Selection::FragmentSpread(spread) => {
                    let document = self.document;
                    if let Some(fragment) = document.fragments.get(&spread.fragment_name)
                        && self.visited.insert(fragment.name.as_str())
                    {
                        self.set(&fragment.selection_set);
                    }
                }
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
            // Variables that are a whole argument have been validated.
            Value::Null | Value::Variable(_) => {}
            Value::String(text) => self.text(text, value, ty),
            Value::List(values) if ty.is_list() => {
                for item in values {
                    self.nested(item, ty.item_type(), false);
                    self.value(item, ty.item_type());
                }
            }
            // Whatever stands in a custom scalar has no types.
            Value::List(_) => self.text_only(value, ty),
            Value::Object(fields) => {
                let Some(ExtendedType::InputObject(object)) =
                    self.schema.types.get(ty.inner_named_type())
                else {
                    self.text_only(value, ty);
                    return;
                };
                let has_null = fields.iter().any(|(_, value)| value.is_null());
                let one_of = is_one_of(object);
                if one_of && breaks_one_of(fields.len(), has_null) {
                    self.report(
                        format!("exactly one field of `{}` must be given", object.name),
                        value.location(),
                    );
                }
                let mut seen = HashSet::new();
                for (name, field) in fields {
                    if !seen.insert(name) {
                        let message = format!("the input field `{name}` is given twice");
                        self.report(message, name.location());
                    }
                    let Some(declared) = object.fields.get(name) else {
                        continue;
                    };
                    if one_of {
                        self.nested(field, &declared.ty.as_ref().clone().non_null(), false);
                    } else {
                        self.nested(field, &declared.ty, declared.default_value.is_some());
                    }
                    self.value(field, &declared.ty);
                }
            }
            Value::Int(_) | Value::Float(_) | Value::Boolean(_) | Value::Enum(_) => {
                self.text_only(value, ty);
            }
        }
    }

    /// A string in the place of a custom scalar has to have its form.
    fn text(&mut self, text: &str, value: &Node<Value>, ty: &Type) {
        let form = self.rules.text_scalars.get(ty.inner_named_type().as_str());
        if let Some(Err(expected)) = form.map(|form| form(text)) {
            self.report(expected, value.location());
        }
    }

    fn text_only(&mut self, value: &Node<Value>, ty: &Type) {
        let name = ty.inner_named_type().as_str();
        if self.rules.text_scalars.contains_key(name) {
            self.report(
                format!("a value of type `{name}` must be written as a string"),
                value.location(),
            );
        }
    }

    /// A variable within a list or an object has to fit its place as one that is a whole argument has to; the
    /// validator checks only the latter.
    fn nested(&mut self, value: &Node<Value>, place: &Type, place_has_default: bool) {
        let Value::Variable(name) = &**value else {
            return;
        };
        let Some(variable) = self.variables.get(name.as_str()) else {
            return;
        };
        let given = &*variable.ty;
        let has_default = place_has_default
            || variable
                .default_value
                .as_ref()
                .is_some_and(|default| !default.is_null());
        let fits = if place.is_non_null() && !given.is_non_null() {
            has_default && given.is_assignable_to(&place.clone().nullable())
        } else {
            given.is_assignable_to(place)
        };
        if !fits {
            self.report(
                format!("variable `${name}` of type `{given}` cannot be used where `{place}` is expected"),
                value.location(),
            );
        }
    }

    fn report(&mut self, message: String, at: Option<SourceSpan>) {
        let locations = at
            .map(|span| Location::from(self.lines.position(span.offset())))
            .into_iter()
            .collect();
        let entry = GateErrorEntry {
            message,
            code: VALIDATION_FAILED,
            locations,
        };
        // Fragments are followed from each operation that uses them.
        if !self.errors.contains(&entry) {
            self.errors.push(entry);
        }
    }
}
