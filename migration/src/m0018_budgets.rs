//! Budgets of cost that hold over all nodes.

use crate::sql::{
    Change,
    Step::{self, Both},
};

pub(crate) const CHANGE: Change = Change {
    name: "m0018_budgets",
    oldest_program: 14,
    up: UP,
    down: DOWN,
};

const UP: &[Step] = &[
    Both(
        "create table cost_budget (
            holder {bytes} primary key,
            available {long} not null,
            at {time} not null
        ) {strict}",
    ),
    Both("create index cost_budget_at on cost_budget (at)"),
];

const DOWN: &[Step] = &[Both("drop table cost_budget")];
