//! Variables from JSON to the types that the operation declares.
//!
//! Called by [`super::Gate::admit`] for each request. Unknown variables are ignored, required ones must be there,
//! defaults are filled in. Messages name the path of the value, never the value itself. Numbers keep the text they
//! came in as far as JSON allows; a strict scalar takes strings only.

use std::fmt::Write;

use apollo_compiler::{
    Node, Schema,
    ast::{Type, VariableDefinition},
    schema::{ExtendedType, InputObjectType},
};
use async_graphql::{Name, Number, Value, Variables, indexmap::IndexMap};
use serde_json::Value as Json;

use super::{
    convert::constant,
    limits::Limits,
    refusal::{BAD_USER_INPUT, GateErrorEntry, Location, Refusal},
    strict::{ValueRules, breaks_one_of, is_one_of},
};

/// A variable as declared, kept with each accepted operation.
#[derive(Debug)]
pub struct Declared {
    /// The definition.
    pub definition: Node<VariableDefinition>,
    /// Where it stands.
    pub location: Option<Location>,
}

/// Refuses variables whose JSON is too deep or too large; the depth counts the variables object itself as none.
pub fn check_size(values: &serde_json::Map<String, Json>, limits: &Limits) -> Result<(), Refusal> {
    let mut waiting: Vec<(&Json, usize)> = values.values().map(|value| (value, 1)).collect();
    let mut seen = waiting.len();
    while let Some((value, depth)) = waiting.pop() {
        let before = waiting.len();
        match value {
            Json::Array(items) => waiting.extend(items.iter().map(|item| (item, depth + 1))),
            Json::Object(fields) => {
                waiting.extend(fields.values().map(|item| (item, depth + 1)));
            }
            _ => continue,
        }
        if depth > limits.variable_depth {
            return Err(Refusal::limit(
                "depth of the variables",
                depth,
                limits.variable_depth,
                None,
            ));
        }
        seen += waiting.len() - before;
        if seen > limits.variable_values {
            return Err(Refusal::limit(
                "number of values in the variables",
                seen,
                limits.variable_values,
                None,
            ));
        }
    }
    Ok(())
}

/// Coerces `given` to what `declared` says.
pub fn coerce(
    schema: &Schema,
    rules: &ValueRules,
    declared: &[Declared],
    given: &serde_json::Map<String, Json>,
    limits: &Limits,
) -> Result<Variables, Refusal> {
    let mut variables = Variables::default();
    let mut errors = Vec::new();
    for variable in declared {
        let definition = &variable.definition;
        let name = definition.name.as_str();
        let mut run = Run {
            schema,
            rules,
            path: format!("${name}"),
        };
        let value = match given.get(name) {
            Some(value) => run.value(value, &definition.ty),
            None => match &definition.default_value {
                Some(default) => Ok(constant(default)),
                None if definition.ty.is_non_null() => Err(format!(
                    "variable `${name}` of required type `{}` was not given",
                    definition.ty
                )),
                None => continue,
            },
        };
        match value {
            Ok(value) => {
                variables.insert(Name::new(name), value);
            }
            Err(message) => errors.push(GateErrorEntry {
                message,
                code: BAD_USER_INPUT,
                locations: variable.location.into_iter().collect(),
            }),
        }
        if errors.len() >= limits.reported_errors {
            break;
        }
    }
    if errors.is_empty() {
        Ok(variables)
    } else {
        Err(Refusal { errors })
    }
}

struct Run<'s> {
    schema: &'s Schema,
    rules: &'s ValueRules,
    path: String,
}

impl Run<'_> {
    fn value(&mut self, value: &Json, ty: &Type) -> Result<Value, String> {
        if value.is_null() {
            return if ty.is_non_null() {
                Err(self.mismatch(ty, value))
            } else {
                Ok(Value::Null)
            };
        }
        match ty {
            Type::List(inner) | Type::NonNullList(inner) => match value {
                Json::Array(items) => {
                    let mut list = Vec::with_capacity(items.len());
                    for (index, item) in items.iter().enumerate() {
                        let item =
                            self.below(format_args!("[{index}]"), |run| run.value(item, inner))?;
                        list.push(item);
                    }
                    Ok(Value::List(list))
                }
                single => Ok(Value::List(vec![self.value(single, inner)?])),
            },
            Type::Named(name) | Type::NonNullNamed(name) => match self.schema.types.get(name) {
                Some(ExtendedType::Scalar(_)) => self.scalar(name, value, ty),
                Some(ExtendedType::Enum(declared)) => match value {
                    Json::String(text) if declared.values.contains_key(text.as_str()) => {
                        Ok(Value::Enum(Name::new(text)))
                    }
                    Json::String(_) => Err(format!(
                        "variable `{}` holds no value of enum `{name}`",
                        self.path
                    )),
                    _ => Err(self.mismatch(ty, value)),
                },
                Some(ExtendedType::InputObject(object)) => match value {
                    Json::Object(fields) => self.object(object, fields),
                    _ => Err(self.mismatch(ty, value)),
                },
                _ => Err(self.mismatch(ty, value)),
            },
        }
    }

    fn object(
        &mut self,
        object: &InputObjectType,
        fields: &serde_json::Map<String, Json>,
    ) -> Result<Value, String> {
        if let Some(unknown) = fields
            .keys()
            .find(|key| !object.fields.contains_key(key.as_str()))
        {
            // The name is the caller's and may be as long as the body.
            let shown: String = unknown.chars().take(64).collect();
            return Err(format!(
                "variable `{}` has a field `{shown}` that `{}` does not declare",
                self.path, object.name
            ));
        }
        if is_one_of(object) && breaks_one_of(fields.len(), fields.values().any(Json::is_null)) {
            return Err(format!(
                "variable `{}`: exactly one field of `{}` must be given",
                self.path, object.name
            ));
        }
        let mut map = IndexMap::with_capacity(fields.len());
        for (name, declared) in &object.fields {
            match fields.get(name.as_str()) {
                Some(field) => {
                    let field = self.below(format_args!(".{name}"), |run| {
                        run.value(field, &declared.ty)
                    })?;
                    map.insert(Name::new(name), field);
                }
                None => match &declared.default_value {
                    Some(default) => {
                        map.insert(Name::new(name), constant(default));
                    }
                    None if declared.ty.is_non_null() => {
                        return Err(format!(
                            "variable `{}.{name}` of required type `{}` was not given",
                            self.path, declared.ty
                        ));
                    }
                    None => {}
                },
            }
        }
        Ok(Value::Object(map))
    }

    fn scalar(&self, name: &str, value: &Json, ty: &Type) -> Result<Value, String> {
        let coerced = match (name, value) {
            ("Int", Json::Number(number)) => whole(number)
                .and_then(|whole| i32::try_from(whole).ok())
                .map(|whole| Value::Number(whole.into())),
            ("Float", Json::Number(number)) => Some(Value::Number(number.clone())),
            ("String" | "ID", Json::String(text)) => Some(Value::String(text.clone())),
            ("ID", Json::Number(number)) => {
                whole(number).map(|whole| Value::String(whole.to_string()))
            }
            ("Boolean", Json::Bool(flag)) => Some(Value::Boolean(*flag)),
            ("Int" | "Float" | "String" | "ID" | "Boolean", _) => None,
            (custom, given) => match (self.rules.text_scalars.get(custom), given) {
                (Some(form), Json::String(text)) => {
                    form(text)
                        .map_err(|expected| format!("variable `{}`: {expected}", self.path))?;
                    Some(Value::String(text.clone()))
                }
                (Some(_), _) => {
                    return Err(format!(
                        "variable `{}`: a value of type `{custom}` must be given as a string, not as {}",
                        self.path,
                        kind(value)
                    ));
                }
                (None, other) => Value::from_json(other.clone()).ok(),
            },
        };
        coerced.ok_or_else(|| self.mismatch(ty, value))
    }

    fn mismatch(&self, ty: &Type, value: &Json) -> String {
        format!(
            "variable `{}` must be of type `{ty}`, but {} was given",
            self.path,
            kind(value)
        )
    }

    fn below<T>(
        &mut self,
        segment: std::fmt::Arguments<'_>,
        inner: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let length = self.path.len();
        // Writing to a String cannot fail.
        let _ = self.path.write_fmt(segment);
        let result = inner(self);
        self.path.truncate(length);
        result
    }
}

/// The integer that a JSON number stands for, also when written as `3.0`.
fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be whole and within 53 bits"
        )]
        (float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).then_some(float as i64)
    })
}

fn kind(value: &Json) -> &'static str {
    match value {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(number) if number.is_f64() => "a fractional number",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "a list",
        Json::Object(_) => "an object",
    }
}
