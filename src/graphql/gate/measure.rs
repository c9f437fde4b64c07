//! The one pass over a parsed document: what it amounts to once its fragments are expanded, without expanding them.
//!
//! Called by [`super::Gate`] before validation, so that nothing that follows ever walks a document which doubles at
//! each spread. Every fragment is measured once and remembered; sums saturate. It never judges whether fields exist:
//! unknown ones cost nothing here and are refused by validation right after.

use std::collections::HashMap;

use apollo_compiler::{
    ast::{Definition, Document, Field, FragmentDefinition, OperationType, Selection, Value},
    parser::SourceSpan,
};
use async_graphql::Pos;

use super::{
    cost::{Amount, Formula, Part, Times},
    lexer::LineIndex,
    limits::Limits,
    refusal::{Refusal, VALIDATION_FAILED},
    shape::{Repeat, Shape},
};

/// Selection sets within each other, fragments and inline fragments counted: bounds the stack of every later stage.
const LEVELS: usize = 200;
/// Lists of types within lists of types that one introspection may ask for, as in graphql-js.
const INTROSPECTION_LISTS: usize = 3;

/// What a selection set amounts to, everything below it included.
#[derive(Debug, Clone, Copy, Default)]
struct Totals {
    depth: usize,
    introspection_depth: usize,
    introspection_lists: usize,
    levels: usize,
    selections: u64,
    aliases: u64,
    directives: u64,
    /// Fields directly in this set.
    fields: u64,
    /// Where its cost stands in the formula.
    set: usize,
}

/// One operation as measured.
#[derive(Debug)]
pub struct Measured {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Query, mutation or subscription.
    pub kind: OperationType,
    /// Whether it asks about the schema itself.
    pub introspects: bool,
    /// What it costs, given its variables.
    pub cost: Formula,
}

enum Memo {
    Open,
    Done(Totals),
}

struct Pass<'d> {
    shape: &'d Shape,
    limits: &'d Limits,
    lines: &'d LineIndex<'d>,
    fragments: HashMap<&'d str, &'d FragmentDefinition>,
    memo: HashMap<&'d str, Memo>,
    sets: Vec<Amount>,
}

/// Measures every operation and fragment of `document` and refuses what passes the limits.
pub fn measure(
    document: &Document,
    shape: &Shape,
    limits: &Limits,
    lines: &LineIndex<'_>,
) -> Result<Vec<Measured>, Refusal> {
    let operations: Vec<_> = document
        .definitions
        .iter()
        .filter_map(Definition::as_operation_definition)
        .collect();
    let fragments: HashMap<_, _> = document
        .definitions
        .iter()
        .filter_map(Definition::as_fragment_definition)
        .map(|fragment| (fragment.name.as_str(), &**fragment))
        .collect();
    bound(
        "number of operations",
        operations.len(),
        limits.operations,
        None,
    )?;
    bound(
        "number of fragments",
        fragments.len(),
        limits.fragments,
        None,
    )?;
    let mut pass = Pass {
        shape,
        limits,
        lines,
        fragments,
        memo: HashMap::new(),
        sets: Vec::new(),
    };
    let names: Vec<_> = document
        .definitions
        .iter()
        .filter_map(Definition::as_fragment_definition)
        .collect();
    for fragment in names {
        let totals = pass.fragment(&fragment.name, 0, None)?;
        pass.check(&totals, fragment.location())?;
    }
    let mut roots = Vec::with_capacity(operations.len());
    for operation in &operations {
        let at = operation.location();
        bound(
            "number of variables",
            operation.variables.len(),
            limits.variables,
            pass.position(at),
        )?;
        let within = shape.root(operation.operation_type);
        let mut totals = pass.set(&operation.selection_set, within, 1)?;
        totals.directives = operation
            .variables
            .iter()
            .map(|variable| variable.directives.len())
            .fold(totals.directives, add)
            .saturating_add(operation.directives.len() as u64);
        pass.check(&totals, at)?;
        let position = pass.position(at);
        bound("depth", totals.depth, limits.depth, position)?;
        bound(
            "introspection depth",
            totals.introspection_depth,
            limits.introspection_depth,
            position,
        )?;
        bound(
            "number of root fields",
            totals.fields,
            limits.root_fields,
            position,
        )?;
        roots.push((totals.set, totals.introspection_depth > 0));
    }
    Ok(operations
        .iter()
        .zip(roots)
        .map(|(operation, (root, introspects))| Measured {
            name: operation.name.as_ref().map(ToString::to_string),
            kind: operation.operation_type,
            introspects,
            cost: Formula::new(&pass.sets, root),
        })
        .collect())
}

fn add(sum: u64, more: usize) -> u64 {
    sum.saturating_add(more as u64)
}

fn bound<T: PartialOrd + std::fmt::Display>(
    what: &str,
    value: T,
    bound: T,
    at: Option<Pos>,
) -> Result<(), Refusal> {
    if value > bound {
        return Err(Refusal::limit(what, value, bound, at));
    }
    Ok(())
}

impl<'d> Pass<'d> {
    fn position(&self, at: Option<SourceSpan>) -> Option<Pos> {
        at.map(|span| self.lines.position(span.offset()))
    }

    fn check(&self, totals: &Totals, at: Option<SourceSpan>) -> Result<(), Refusal> {
        let limits = self.limits;
        let at = self.position(at);
        bound(
            "number of selections",
            totals.selections,
            limits.selections,
            at,
        )?;
        bound("number of aliases", totals.aliases, limits.aliases, at)?;
        bound(
            "number of directives",
            totals.directives,
            limits.directives,
            at,
        )?;
        bound("nesting through fragments", totals.levels, LEVELS, at)
    }

    fn fragment(
        &mut self,
        name: &str,
        level: usize,
        at: Option<SourceSpan>,
    ) -> Result<Totals, Refusal> {
        match self.memo.get(name) {
            Some(Memo::Done(totals)) => return Ok(*totals),
            Some(Memo::Open) => {
                return Err(Refusal::one(
                    VALIDATION_FAILED,
                    format!("fragment `{name}` includes itself"),
                    self.position(at),
                ));
            }
            None => {}
        }
        let Some((&name, &fragment)) = self.fragments.get_key_value(name) else {
            // Validation says that it is unknown.
            return Ok(Totals {
                set: self.push(Amount::default()),
                ..Totals::default()
            });
        };
        self.memo.insert(name, Memo::Open);
        let mut totals = self.set(
            &fragment.selection_set,
            Some(fragment.type_condition.as_str()),
            level + 1,
        )?;
        totals.directives = add(totals.directives, fragment.directives.len());
        self.memo.insert(name, Memo::Done(totals));
        Ok(totals)
    }

    fn push(&mut self, amount: Amount) -> usize {
        self.sets.push(amount);
        self.sets.len() - 1
    }

    fn set(
        &mut self,
        selections: &'d [Selection],
        within: Option<&str>,
        level: usize,
    ) -> Result<Totals, Refusal> {
        bound("nesting through fragments", level, LEVELS, None)?;
        let mut sum = Totals::default();
        let mut amount = Amount::default();
        for selection in selections {
            let (below, directives) = match selection {
                Selection::Field(field) => {
                    sum.fields = sum.fields.saturating_add(1);
                    sum.aliases = add(sum.aliases, usize::from(field.alias.is_some()));
                    let below = self.field(field, within, level, &mut amount)?;
                    (below, field.directives.len())
                }
                Selection::FragmentSpread(spread) => {
                    let below = self.fragment(&spread.fragment_name, level, spread.location())?;
                    sum.fields = sum.fields.saturating_add(below.fields);
                    amount.add_set(below.set);
                    (below, spread.directives.len())
                }
                Selection::InlineFragment(inline) => {
                    let narrowed = inline.type_condition.as_deref().or(within);
                    let below = self.set(&inline.selection_set, narrowed, level + 1)?;
                    sum.fields = sum.fields.saturating_add(below.fields);
                    amount.add_set(below.set);
                    (below, inline.directives.len())
                }
            };
            sum.depth = sum.depth.max(below.depth);
            sum.introspection_depth = sum.introspection_depth.max(below.introspection_depth);
            sum.introspection_lists = sum.introspection_lists.max(below.introspection_lists);
            sum.levels = sum.levels.max(below.levels + 1);
            sum.selections = sum
                .selections
                .saturating_add(below.selections)
                .saturating_add(1);
            sum.aliases = sum.aliases.saturating_add(below.aliases);
            sum.directives = add(sum.directives.saturating_add(below.directives), directives);
            bound(
                "nesting through fragments",
                level + sum.levels,
                LEVELS,
                None,
            )?;
        }
        sum.set = self.push(amount);
        Ok(sum)
    }

    /// What a field adds to its set; its cost goes into `amount`.
    fn field(
        &mut self,
        field: &'d Field,
        within: Option<&str>,
        level: usize,
        amount: &mut Amount,
    ) -> Result<Totals, Refusal> {
        let shape = self.shape;
        let known = within.and_then(|within| shape.field(within, &field.name));
        let mut below = if field.selection_set.is_empty() {
            Totals::default()
        } else {
            let gives = known.map(|known| known.gives.as_str());
            self.set(&field.selection_set, gives, level + 1)?
        };
        if let Some(known) = known {
            let set = (!field.selection_set.is_empty()).then_some(below.set);
            self.charge(field, known.own, known.repeat, set, amount)?;
        }
        below.depth += 1;
        below.fields = 0;
        if within == Some("__Type")
            && matches!(
                field.name.as_str(),
                "fields" | "interfaces" | "possibleTypes" | "inputFields"
            )
        {
            below.introspection_lists += 1;
        }
        if matches!(field.name.as_str(), "__schema" | "__type") {
            let at = self.position(field.name.location());
            if !self.limits.introspection {
                return Err(Refusal::one(
                    VALIDATION_FAILED,
                    "introspection is switched off",
                    at,
                ));
            }
            if below.introspection_lists >= INTROSPECTION_LISTS {
                return Err(Refusal::limit(
                    "nesting of type lists in introspection",
                    below.introspection_lists,
                    INTROSPECTION_LISTS - 1,
                    at,
                ));
            }
            below.introspection_depth = below.depth;
            below.depth = 1;
        }
        Ok(below)
    }

    fn charge(
        &self,
        field: &Field,
        own: u64,
        repeat: Repeat,
        set: Option<usize>,
        amount: &mut Amount,
    ) -> Result<(), Refusal> {
        let argument = |name: &str| {
            field
                .arguments
                .iter()
                .find(|argument| argument.name == name)
                .map(|argument| &argument.value)
        };
        match repeat {
            Repeat::Times(times) => amount.parts.push(Part {
                times: Times::Fixed(times),
                each: own,
                set,
            }),
            Repeat::Page(default) => {
                let mut variables = Vec::new();
                let mut rows = None;
                for name in ["first", "last"] {
                    match argument(name).map(|value| &**value) {
                        Some(Value::Variable(variable)) => {
                            variables.push((name, variable.to_string()));
                        }
                        Some(Value::Int(given)) => {
                            // What is no 32-bit number is refused by validation, what is negative by the resolver.
                            let given = given
                                .try_to_i32()
                                .ok()
                                .and_then(|given| u64::try_from(given).ok())
                                .unwrap_or(0);
                            if given > self.limits.page_size {
                                let at = argument(name).and_then(|value| value.location());
                                return Err(page_refusal(
                                    name,
                                    given,
                                    self.limits.page_size,
                                    self.position(at),
                                ));
                            }
                            rows = rows.max(Some(given));
                        }
                        _ => {}
                    }
                }
                amount.base = amount.base.saturating_add(own);
                amount.parts.push(Part {
                    times: if variables.is_empty() {
                        Times::Fixed(rows.unwrap_or(default))
                    } else {
                        Times::Page {
                            literal: rows,
                            variables,
                            default,
                        }
                    },
                    each: 0,
                    set,
                });
            }
            Repeat::Ids => amount.parts.push(Part {
                times: match argument("ids").map(|value| &**value) {
                    Some(Value::Variable(variable)) => Times::Length(variable.to_string()),
                    Some(Value::List(values)) => Times::Fixed(values.len() as u64),
                    _ => Times::Fixed(1),
                },
                each: own,
                set,
            }),
        }
        Ok(())
    }
}

/// A connection was asked for more rows than a page may have.
pub fn page_refusal(argument: &str, given: u64, bound: u64, at: Option<Pos>) -> Refusal {
    Refusal::limit(&format!("page size (`{argument}`)"), given, bound, at)
}
