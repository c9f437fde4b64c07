//! The cost of an operation as a formula over its variables.
//!
//! Made by `measure` once for each accepted document, evaluated for each request. A formula is a list of amounts in
//! which each refers only to earlier ones, so evaluating it is one loop, however often a fragment is spread.

use std::collections::HashMap;

use async_graphql::{Name, Value, Variables};

use super::{limits::Limits, measure::page_refusal, refusal::Refusal};

/// How often a part counts.
#[derive(Debug, Clone)]
pub enum Times {
    /// Known from the document.
    Fixed(u64),
    /// Page of a connection whose size hangs on variables.
    Page {
        /// The other of `first` and `last`, where it is a number in the document.
        literal: Option<u64>,
        /// Argument and variable.
        variables: Vec<(&'static str, String)>,
        /// Rows where no variable holds a number.
        default: u64,
    },
    /// As many times as the list in this variable is long.
    Length(String),
}

/// `times x (each + the amount of another selection set)`.
#[derive(Debug, Clone)]
pub struct Part {
    /// The factor.
    pub times: Times,
    /// Cost of one value by itself.
    pub each: u64,
    /// Index of the selection set below, if there is one.
    pub set: Option<usize>,
}

/// The cost of one selection set.
#[derive(Debug, Clone, Default)]
pub struct Amount {
    /// What is known already.
    pub base: u64,
    /// What has to be multiplied.
    pub parts: Vec<Part>,
}

impl Amount {
    /// Adds another selection set once.
    pub fn add_set(&mut self, set: usize) {
        self.parts.push(Part {
            times: Times::Fixed(1),
            each: 0,
            set: Some(set),
        });
    }
}

/// The cost of an operation, ready to be computed for given variables.
#[derive(Debug, Clone)]
pub struct Formula {
    amounts: Vec<Amount>,
}

impl Formula {
    /// Keeps of `sets` what `root` is made of. Each set refers to sets with a smaller index only.
    pub fn new(sets: &[Amount], root: usize) -> Self {
        let mut wanted = vec![false; sets.len()];
        if let Some(slot) = wanted.get_mut(root) {
            *slot = true;
        }
        for index in (0..sets.len()).rev() {
            if wanted.get(index) != Some(&true) {
                continue;
            }
            for part in sets.get(index).into_iter().flat_map(|set| &set.parts) {
                if let Some(slot) = part.set.and_then(|set| wanted.get_mut(set)) {
                    *slot = true;
                }
            }
        }
        let mut renumbered = HashMap::new();
        let mut amounts = Vec::new();
        for (index, set) in sets.iter().enumerate() {
            if wanted.get(index) != Some(&true) {
                continue;
            }
            let mut set = set.clone();
            for part in &mut set.parts {
                part.set = part.set.and_then(|set| renumbered.get(&set).copied());
            }
            renumbered.insert(index, amounts.len());
            amounts.push(set);
        }
        Self { amounts }
    }

    /// Computes the cost. Refuses page sizes above the limit, not the cost itself.
    pub fn evaluate(&self, variables: &Variables, limits: &Limits) -> Result<u64, Refusal> {
        let mut known: Vec<u64> = Vec::with_capacity(self.amounts.len());
        for amount in &self.amounts {
            let mut sum = amount.base;
            for part in &amount.parts {
                let below = part
                    .set
                    .and_then(|set| known.get(set))
                    .copied()
                    .unwrap_or(0);
                let each = part.each.saturating_add(below);
                let times = part.times.evaluate(variables, limits)?;
                sum = sum.saturating_add(times.saturating_mul(each));
            }
            known.push(sum);
        }
        Ok(known.last().copied().unwrap_or(0))
    }

    /// Rough size in memory, for the cache.
    pub fn weight(&self) -> usize {
        self.amounts
            .iter()
            .map(|amount| 32 + amount.parts.len() * size_of::<Part>())
            .sum()
    }
}

impl Times {
    fn evaluate(&self, variables: &Variables, limits: &Limits) -> Result<u64, Refusal> {
        match self {
            Self::Fixed(times) => Ok(*times),
            Self::Length(name) => Ok(match variables.get(&Name::new(name)) {
                Some(Value::List(values)) => values.len() as u64,
                Some(Value::Null) | None => 0,
                Some(_) => 1,
            }),
            Self::Page {
                literal,
                variables: names,
                default,
            } => {
                let mut rows = *literal;
                for (argument, name) in names {
                    let Some(Value::Number(number)) = variables.get(&Name::new(name)) else {
                        continue;
                    };
                    let given = number.as_u64().unwrap_or(0);
                    if given > limits.page_size {
                        return Err(page_refusal(argument, given, limits.page_size, None));
                    }
                    rows = rows.max(Some(given));
                }
                Ok(rows.unwrap_or(*default))
            }
        }
    }
}
