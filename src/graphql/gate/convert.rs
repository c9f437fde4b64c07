//! Turns an accepted document into the form that the executor runs.
//!
//! Called by [`super::Gate`] once for each accepted document, and by [`super::Admitted`]'s maker for what depends on
//! one request's variables. There is one parser only: what has been measured and validated is what runs, token by
//! token, so no difference between two parsers can be used to smuggle something past the gate. Never judges anything.

use std::collections::HashMap;

use apollo_compiler::{
    ast::{self, OperationType},
    parser::SourceSpan,
};
use async_graphql::{
    Name, Number, Pos, Positioned, Value as ConstValue, Variables,
    indexmap::IndexMap,
    parser::types::{
        BaseType, Directive, DocumentOperations, ExecutableDocument, Field, FragmentDefinition,
        FragmentSpread, InlineFragment, OperationDefinition, OperationType as Kind, Selection,
        SelectionSet, Type, TypeCondition, VariableDefinition,
    },
};
use async_graphql_value::Value;

use super::lexer::LineIndex;

/// Response key of a hidden `__typename` that the answer's writer leaves out.
///
/// The executor answers `null` for an object of which nothing was selected in the end, because everything was skipped
/// or no type condition held; the specification wants `{}`. A hidden field in every selection set that may come out
/// empty makes the object appear.
pub const HIDDEN_KEY: &str = "__regulars_present";

/// Converts the operation at `index` among the document's operations, with the fragments it reaches.
pub fn operation(
    document: &ast::Document,
    operation: &ast::OperationDefinition,
    at: Option<SourceSpan>,
    lines: &LineIndex<'_>,
) -> ExecutableDocument {
    let converter = Converter { lines };
    let definitions: HashMap<&str, _> = document
        .definitions
        .iter()
        .filter_map(ast::Definition::as_fragment_definition)
        .map(|fragment| (fragment.name.as_str(), fragment))
        .collect();
    let mut fragments = HashMap::new();
    let mut wanted = Vec::new();
    spreads(&operation.selection_set, &mut wanted);
    while let Some(name) = wanted.pop() {
        if fragments.contains_key(name) {
            continue;
        }
        let Some(fragment) = definitions.get(name) else {
            continue;
        };
        spreads(&fragment.selection_set, &mut wanted);
        let definition = FragmentDefinition {
            type_condition: converter.at(
                fragment.type_condition.location(),
                TypeCondition {
                    on: converter.name(&fragment.type_condition),
                },
            ),
            directives: converter.directives(&fragment.directives),
            selection_set: converter.selection_set(
                &fragment.selection_set,
                fragment.location(),
                false,
            ),
        };
        fragments.insert(
            Name::new(name),
            converter.at(fragment.location(), definition),
        );
    }
    let kind = match operation.operation_type {
        OperationType::Query => Kind::Query,
        OperationType::Mutation => Kind::Mutation,
        OperationType::Subscription => Kind::Subscription,
    };
    let definition = OperationDefinition {
        ty: kind,
        variable_definitions: operation
            .variables
            .iter()
            .map(|variable| converter.variable(variable))
            .collect(),
        directives: converter.directives(&operation.directives),
        selection_set: converter.selection_set(
            &operation.selection_set,
            at,
            kind != Kind::Subscription,
        ),
    };
    let definition = converter.at(at, definition);
    ExecutableDocument {
        operations: match &operation.name {
            Some(name) => {
                DocumentOperations::Multiple(HashMap::from([(Name::new(name), definition)]))
            }
            None => DocumentOperations::Single(definition),
        },
        fragments,
    }
}

/// The fragments that selections name directly.
pub(super) fn spreads<'d>(selections: &'d [ast::Selection], found: &mut Vec<&'d str>) {
    for selection in selections {
        match selection {
            ast::Selection::Field(field) => spreads(&field.selection_set, found),
            ast::Selection::FragmentSpread(spread) => found.push(&spread.fragment_name),
            ast::Selection::InlineFragment(inline) => spreads(&inline.selection_set, found),
        }
    }
}

/// A value that holds no variables, as in a default. Numbers that JSON cannot hold become null.
pub fn constant(value: &ast::Value) -> ConstValue {
    match value {
        ast::Value::Null | ast::Value::Variable(_) => ConstValue::Null,
        ast::Value::Enum(name) => ConstValue::Enum(Name::new(name)),
        ast::Value::String(text) => ConstValue::String(text.clone()),
        ast::Value::Float(number) => {
            number_or(number.as_str(), ConstValue::Number, ConstValue::Null)
        }
        ast::Value::Int(number) => number_or(number.as_str(), ConstValue::Number, ConstValue::Null),
        ast::Value::Boolean(value) => ConstValue::Boolean(*value),
        ast::Value::List(values) => {
            ConstValue::List(values.iter().map(|value| constant(value)).collect())
        }
        ast::Value::Object(fields) => ConstValue::Object(
            fields
                .iter()
                .map(|(name, value)| (Name::new(name), constant(value)))
                .collect(),
        ),
    }
}

fn number_or<T>(text: &str, number: impl FnOnce(Number) -> T, otherwise: T) -> T {
    // JSON reads -0 as a float, GraphQL as the integer 0.
    let text = if text == "-0" { "0" } else { text };
    text.parse().map_or(otherwise, number)
}

struct Converter<'t> {
    lines: &'t LineIndex<'t>,
}

impl Converter<'_> {
    fn at<T>(&self, span: Option<SourceSpan>, node: T) -> Positioned<T> {
        let pos = span.map_or_else(Pos::default, |span| self.lines.position(span.offset()));
        Positioned::new(node, pos)
    }

    fn name(&self, name: &apollo_compiler::Name) -> Positioned<Name> {
        self.at(name.location(), Name::new(name))
    }

    fn variable(
        &self,
        variable: &apollo_compiler::Node<ast::VariableDefinition>,
    ) -> Positioned<VariableDefinition> {
        let definition = VariableDefinition {
            name: self.name(&variable.name),
            var_type: self.at(variable.ty.location(), type_reference(&variable.ty)),
            directives: self.directives(&variable.directives),
            default_value: variable
                .default_value
                .as_ref()
                .map(|value| self.at(value.location(), constant(value))),
        };
        self.at(variable.location(), definition)
    }

    fn directives(&self, directives: &ast::DirectiveList) -> Vec<Positioned<Directive>> {
        directives
            .iter()
            .map(|directive| {
                let converted = Directive {
                    name: self.name(&directive.name),
                    arguments: self.arguments(&directive.arguments),
                };
                self.at(directive.location(), converted)
            })
            .collect()
    }

    fn arguments(
        &self,
        arguments: &[apollo_compiler::Node<ast::Argument>],
    ) -> Vec<(Positioned<Name>, Positioned<Value>)> {
        arguments
            .iter()
            .map(|argument| {
                let value = self.at(argument.value.location(), value(&argument.value));
                (self.name(&argument.name), value)
            })
            .collect()
    }

    fn selection_set(
        &self,
        selections: &[ast::Selection],
        at: Option<SourceSpan>,
        of_object: bool,
    ) -> Positioned<SelectionSet> {
        let mut items: Vec<_> = selections
            .iter()
            .map(|selection| self.selection(selection))
            .collect();
        let always = |selection: &ast::Selection| match selection {
            ast::Selection::Field(field) => {
                !field.directives.has("skip") && !field.directives.has("include")
            }
            _ => false,
        };
        if of_object && !selections.is_empty() && !selections.iter().any(always) {
            let hidden = Field {
                alias: Some(self.at(at, Name::new(HIDDEN_KEY))),
                name: self.at(at, Name::new("__typename")),
                arguments: Vec::new(),
                directives: Vec::new(),
                selection_set: Positioned::default(),
            };
            items.push(self.at(at, Selection::Field(self.at(at, hidden))));
        }
        self.at(at, SelectionSet { items })
    }

    fn selection(&self, selection: &ast::Selection) -> Positioned<Selection> {
        match selection {
            ast::Selection::Field(field) => {
                let at = field.location();
                let converted = Field {
                    alias: field.alias.as_ref().map(|alias| self.name(alias)),
                    name: self.name(&field.name),
                    arguments: self.arguments(&field.arguments),
                    directives: self.directives(&field.directives),
                    selection_set: self.selection_set(&field.selection_set, at, true),
                };
                self.at(at, Selection::Field(self.at(at, converted)))
            }
            ast::Selection::FragmentSpread(spread) => {
                let at = spread.location();
                let converted = FragmentSpread {
                    fragment_name: self.name(&spread.fragment_name),
                    directives: self.directives(&spread.directives),
                };
                self.at(at, Selection::FragmentSpread(self.at(at, converted)))
            }
            ast::Selection::InlineFragment(inline) => {
                let at = inline.location();
                let converted = InlineFragment {
                    type_condition: inline
                        .type_condition
                        .as_ref()
                        .map(|on| self.at(on.location(), TypeCondition { on: self.name(on) })),
                    directives: self.directives(&inline.directives),
                    selection_set: self.selection_set(&inline.selection_set, at, false),
                };
                self.at(at, Selection::InlineFragment(self.at(at, converted)))
            }
        }
    }
}

fn type_reference(ty: &ast::Type) -> Type {
    let base = match ty {
        ast::Type::Named(name) | ast::Type::NonNullNamed(name) => BaseType::Named(Name::new(name)),
        ast::Type::List(inner) | ast::Type::NonNullList(inner) => {
            BaseType::List(Box::new(type_reference(inner)))
        }
    };
    Type {
        base,
        nullable: !ty.is_non_null(),
    }
}

fn value(given: &ast::Value) -> Value {
    match given {
        ast::Value::Null => Value::Null,
        ast::Value::Variable(name) => Value::Variable(Name::new(name)),
        ast::Value::Enum(name) => Value::Enum(Name::new(name)),
        ast::Value::String(text) => Value::String(text.clone()),
        ast::Value::Float(number) => number_or(number.as_str(), Value::Number, Value::Null),
        ast::Value::Int(number) => number_or(number.as_str(), Value::Number, Value::Null),
        ast::Value::Boolean(flag) => Value::Boolean(*flag),
        ast::Value::List(values) => Value::List(values.iter().map(|item| value(item)).collect()),
        ast::Value::Object(fields) => Value::Object(
            fields
                .iter()
                .map(|(name, field)| (Name::new(name), value(field)))
                .collect::<IndexMap<_, _>>(),
        ),
    }
}

/// Takes arguments and input fields away whose variable was not given: the executor would read them as `null`, while
/// the specification has them count as absent, so that defaults apply.
pub fn prune(document: &mut ExecutableDocument, given: &Variables) {
    match &mut document.operations {
        DocumentOperations::Single(operation) => {
            prune_set(&mut operation.node.selection_set.node, given);
        }
        DocumentOperations::Multiple(operations) => {
            for operation in operations.values_mut() {
                prune_set(&mut operation.node.selection_set.node, given);
            }
        }
    }
    for fragment in document.fragments.values_mut() {
        prune_set(&mut fragment.node.selection_set.node, given);
    }
}

fn prune_set(set: &mut SelectionSet, given: &Variables) {
    for selection in &mut set.items {
        match &mut selection.node {
            Selection::Field(field) => {
                field.node.arguments.retain_mut(|(_, value)| {
                    let present = is_present(&value.node, given);
                    if present {
                        prune_value(&mut value.node, given);
                    }
                    present
                });
                prune_set(&mut field.node.selection_set.node, given);
            }
            Selection::FragmentSpread(_) => {}
            Selection::InlineFragment(inline) => {
                prune_set(&mut inline.node.selection_set.node, given);
            }
        }
    }
}

fn is_present(value: &Value, given: &Variables) -> bool {
    match value {
        Value::Variable(name) => given.contains_key(name),
        _ => true,
    }
}

fn prune_value(value: &mut Value, given: &Variables) {
    match value {
        Value::List(values) => values.iter_mut().for_each(|item| prune_value(item, given)),
        Value::Object(fields) => {
            fields.retain(|_, field| is_present(field, given));
            fields
                .values_mut()
                .for_each(|field| prune_value(field, given));
        }
        _ => {}
    }
}
