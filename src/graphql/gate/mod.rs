//! The gate: everything a document has to pass before anything of it runs.
//!
//! `http` calls [`Gate::admit`] with the text, the operation's name and the variables, and gets either an
//! [`Admitted`] request, ready for the executor with [`async_graphql::ValidationMode::Fast`], or a [`Refusal`]. In this
//! order: size and nesting of the raw text, parsing, one pass with memory for depth, width and cost, validation against
//! the SDL, strict values; then for each request the operation, its variables and its cost. Accepted documents are
//! remembered by their text within a bound; refused ones are not. The gate never resolves a field, never logs and
//! never looks at who is asking. `docs/adr/0003-the-gate.md` has the reasons and the figures.

mod coerce;
mod convert;
mod cost;
mod lexer;
mod limits;
mod measure;
mod order;
mod refusal;
mod registering;
mod shape;
mod strict;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use apollo_compiler::{
    Schema,
    ast::{Definition, DirectiveList, Document, FieldDefinition, OperationType, Type},
    parser::{Parser, SourceMap},
    schema::ExtendedType,
    validation::{DiagnosticList, Valid},
};
use async_graphql::{Request, Variables, parser::types::ExecutableDocument};

pub use self::{
    convert::HIDDEN_KEY,
    limits::Limits,
    order::FieldOrder,
    refusal::{
        BAD_USER_INPUT, GateErrorEntry, Location, OPERATION_RESOLUTION_FAILURE, PARSE_FAILED,
        Refusal, TOO_COSTLY, VALIDATION_FAILED,
    },
    registering::Checked,
    shape::Overrides,
    strict::{Form, ValueRules},
};

use self::{coerce::Declared, cost::Formula, lexer::LineIndex, shape::Shape};

/// Why no gate could be built. The program cannot serve with such a schema.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The SDL does not parse or is not a valid schema; a mistake in the program, found at start.
    #[error("the schema is not valid: {0}")]
    Schema(String),
}

/// Admits or refuses documents for one schema.
#[derive(Debug)]
pub struct Gate {
    schema: Valid<Schema>,
    shape: Shape,
    rules: ValueRules,
    limits: Limits,
    accepted: moka::sync::Cache<String, Arc<Accepted>>,
}

/// A request that may run.
#[derive(Debug)]
#[non_exhaustive]
pub struct Admitted {
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// Holds the parsed document and the coerced variables; its text is empty.
    pub request: Request,
    /// Name of the operation that was picked, if it has one.
    pub operation_name: Option<String>,
    /// Whether it asks about the schema itself.
    pub introspects: bool,
    /// What it costs at most.
    pub cost: u64,
    /// What an operation may cost.
    pub cost_limit: u64,
    /// How the answer's fields are to be ordered.
    pub order: Arc<FieldOrder>,
}

/// A document that passed, as remembered.
#[derive(Debug)]
struct Accepted {
    operations: Vec<Operation>,
    weight: u32,
}

#[derive(Debug)]
struct Operation {
    name: Option<String>,
    kind: OperationType,
    introspects: bool,
    cost: Formula,
    variables: Vec<Declared>,
    /// The operation with its fragments, and nothing else of the document.
    document: ExecutableDocument,
    order: Arc<FieldOrder>,
}

impl Gate {
    /// Builds the gate for a schema with the usual rules.
    pub fn new(sdl: &str, limits: Limits) -> Result<Self, GateError> {
        Self::with_rules(sdl, limits, &Overrides::default(), ValueRules::default())
    }

    /// Builds the gate with figures and rules that the SDL does not tell.
    pub fn with_rules(
        sdl: &str,
        limits: Limits,
        overrides: &Overrides,
        rules: ValueRules,
    ) -> Result<Self, GateError> {
        let schema = read_schema(sdl).map_err(GateError::Schema)?;
        let shape = Shape::new(&schema, overrides, limits.default_page_size);
        let accepted = moka::sync::Cache::builder()
            .weigher(|text: &String, accepted: &Arc<Accepted>| {
                u32::try_from(text.len())
                    .unwrap_or(u32::MAX)
                    .saturating_add(accepted.weight)
            })
            .max_capacity(limits.cache_bytes)
            .build();
        Ok(Self {
            schema,
            shape,
            rules,
            limits,
            accepted,
        })
    }

    /// The bounds that this gate keeps.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Checks one request. `variables` is the JSON object of the same name, empty when there was none.
    pub fn admit(
        &self,
        query: &str,
        operation_name: Option<&str>,
        variables: &serde_json::Map<String, serde_json::Value>,
    ) -> Result<Admitted, Refusal> {
        let accepted = match self.accepted.get(query) {
            Some(accepted) => accepted,
            None => {
                let accepted = Arc::new(self.accept(query)?);
                self.accepted
                    .insert(query.to_owned(), Arc::clone(&accepted));
                accepted
            }
        };
        let operation = accepted.pick(operation_name)?;
        coerce::check_size(variables, &self.limits)?;
        let variables = coerce::coerce(
            &self.schema,
            &self.rules,
            &operation.variables,
            variables,
            &self.limits,
        )?;
        let cost = operation.cost.evaluate(&variables, &self.limits)?;
        if cost > self.limits.cost {
            return Err(Refusal::limit("cost", cost, self.limits.cost, None));
        }
        Ok(Admitted {
            kind: operation.kind,
            request: operation.request(variables),
            operation_name: operation.name.clone(),
            introspects: operation.introspects,
            cost,
            cost_limit: self.limits.cost,
            order: Arc::clone(&operation.order),
        })
    }

    /// Everything that depends on the document alone.
    fn accept(&self, query: &str) -> Result<Accepted, Refusal> {
        let document = self.parse(query, &self.limits)?;
        let lines = LineIndex::new(query);
        let measured = measure::measure(&document, &self.shape, &self.limits, &lines)?;
        let valid = document
            .to_executable_validate(&self.schema)
            .map_err(|failed| self.report(&failed.errors, VALIDATION_FAILED))?;
        let mut errors = strict::values(&valid, &self.schema, &self.rules, &lines);
        if !errors.is_empty() {
            errors.truncate(self.limits.reported_errors);
            return Err(Refusal { errors });
        }
        let operations: Vec<_> = document
            .definitions
            .iter()
            .filter_map(Definition::as_operation_definition)
            .zip(measured)
            .map(|(operation, measured)| Operation {
                name: measured.name,
                kind: measured.kind,
                introspects: measured.introspects,
                cost: measured.cost,
                variables: operation
                    .variables
                    .iter()
                    .map(|variable| Declared {
                        definition: variable.clone(),
                        location: variable
                            .location()
                            .map(|span| lines.position(span.offset()).into()),
                    })
                    .collect(),
                document: convert::operation(&document, operation, operation.location(), &lines),
                order: Arc::new(FieldOrder::new(&document, operation, &self.shape)),
            })
            .collect();
        // Measured: a remembered document takes about 85 bytes for each byte of its text.
        let weight = query
            .len()
            .saturating_mul(70)
            .saturating_mul(operations.len().max(1))
            + operations
                .iter()
                .map(|operation| operation.cost.weight())
                .sum::<usize>()
            + 1_024;
        Ok(Accepted {
            operations,
            weight: u32::try_from(weight).unwrap_or(u32::MAX),
        })
    }

    /// Reads a text, within the bounds on its size and nesting.
    fn parse(&self, query: &str, limits: &Limits) -> Result<Document, Refusal> {
        let extent = lexer::scan(query, limits)?;
        Parser::new()
            .recursion_limit(extent.nesting.saturating_mul(8).saturating_add(64))
            .token_limit(usize::MAX)
            .parse_ast(query, "document.graphql")
            .map_err(|failed| self.report(&failed.errors, PARSE_FAILED))
    }

    /// Turns what the parser or the validator found into a refusal.
    fn report(&self, errors: &DiagnosticList, code: &'static str) -> Refusal {
        let entries = errors
            .iter()
            .take(self.limits.reported_errors)
            .map(|diagnostic| GateErrorEntry {
                message: plain(&diagnostic.error.to_string()),
                code,
                locations: locate(diagnostic.error, diagnostic.sources),
            })
            .collect::<Vec<_>>();
        if entries.is_empty() {
            return Refusal::one(code, "the document is not valid", None);
        }
        Refusal { errors: entries }
    }
}

/// Reads the SDL and adds what the validator does not know of the specification yet: `@oneOf` and `isOneOf`.
fn read_schema(sdl: &str) -> Result<Valid<Schema>, String> {
    let mut sdl = sdl.to_owned();
    if !sdl.contains("directive @oneOf") {
        sdl.push_str("\ndirective @oneOf on INPUT_OBJECT\n");
    }
    let mut schema =
        Schema::parse(sdl, "schema.graphql").map_err(|failed| failed.errors.to_string())?;
    if let Some(ExtendedType::Object(object)) = schema.types.get_mut("__Type") {
        let name = apollo_compiler::name!("isOneOf");
        let field = FieldDefinition {
            description: None,
            name: name.clone(),
            arguments: Vec::new(),
            ty: Type::Named(apollo_compiler::name!("Boolean")),
            directives: DirectiveList::default(),
        };
        object.make_mut().fields.insert(name, field.into());
    }
    schema
        .validate()
        .map_err(|failed| failed.errors.to_string())
}

fn locate<E: apollo_compiler::diagnostic::ToCliReport>(
    error: &E,
    sources: &SourceMap,
) -> Vec<Location> {
    error
        .location()
        .and_then(|span| span.line_column(sources))
        .map(|at| Location {
            line: at.line,
            column: at.column,
        })
        .into_iter()
        .collect()
}

/// One line of bounded length: messages quote the document, which may be long.
fn plain(message: &str) -> String {
    let mut short: String = message.chars().take(400).collect();
    if short.len() < message.len() {
        short.push_str("...");
    }
    short.replace(['\n', '\r'], " ")
}

impl Accepted {
    fn pick(&self, name: Option<&str>) -> Result<&Operation, Refusal> {
        let refuse = |message: String| Refusal::one(OPERATION_RESOLUTION_FAILURE, message, None);
        match name {
            Some(name) => self
                .operations
                .iter()
                .find(|operation| operation.name.as_deref() == Some(name))
                .ok_or_else(|| {
                    let shown: String = name.chars().take(64).collect();
                    refuse(format!("the document has no operation named `{shown}`"))
                }),
            None => match self.operations.as_slice() {
                [operation] => Ok(operation),
                [] => Err(refuse("the document has no operation".to_owned())),
                _ => Err(refuse(
                    "the document has several operations: `operationName` must pick one".to_owned(),
                )),
            },
        }
    }
}

impl Operation {
    fn request(&self, variables: Variables) -> Request {
        let mut document = self.document.clone();
        if variables.len() < self.variables.len() {
            convert::prune(&mut document, &variables);
        }
        let mut request = Request::new(String::new()).variables(variables);
        request.set_parsed_query(document);
        request
    }
}
