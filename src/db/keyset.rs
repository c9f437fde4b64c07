//! Keyset paging: a page deep in a million rows costs what the first one costs.
//!
//! A list is ordered by one column and, where that is equal, by the id. A cursor holds both values of a row;
//! a page starts right behind it, by a row comparison that an index answers.

use super::sql::{literal_limit, literal_limits};
use crate::error::Result;
use sea_orm::sea_query::{Expr, ExprTrait, Order, SelectStatement, SimpleExpr};
use sea_orm::{ConnectionTrait, FromQueryResult, QueryTrait, Value};

/// Which way a list is sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sort {
    /// Smallest first.
    Ascending,
    /// Largest first.
    Descending,
}

impl Sort {
    fn reversed(self, reverse: bool) -> Self {
        match (self, reverse) {
            (Self::Ascending, false) | (Self::Descending, true) => Self::Ascending,
            _ => Self::Descending,
        }
    }
}

/// The values of a row by which it is found again: the order column's and the id's.
#[derive(Clone, Debug, PartialEq)]
pub struct SortKey {
    /// The order column's value; never null.
    pub value: Value,
    /// The id.
    pub id: Value,
}

/// Which part of a list is asked for: after the `first`/`after`/`last`/`before` of a connection.
#[derive(Clone, Debug, PartialEq)]
pub struct PageRequest {
    /// How many rows at most, 1 to 100.
    pub size: u64,
    /// Count from the end of the list (`last`).
    pub backward: bool,
    /// Only behind and before these rows.
    pub bounds: Bounds,
}

/// The rows between which a page lies.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Bounds {
    /// Only behind this row.
    pub after: Option<SortKey>,
    /// Only before this row.
    pub before: Option<SortKey>,
}

/// A page: rows in the list's order, and whether there are more on either side.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// There are rows behind the last one.
    pub has_next: bool,
    /// There are rows before the first one.
    pub has_previous: bool,
}

impl<T> Page<T> {
    /// The same page of other items.
    pub fn map<U>(self, mut f: impl FnMut(T) -> U) -> Page<U> {
        self.keep(|item| Some(f(item)))
    }

    /// The same page of other items, without those of which nothing is made.
    pub fn keep<U>(self, f: impl FnMut(T) -> Option<U>) -> Page<U> {
        Page {
            items: self.items.into_iter().filter_map(f).collect(),
            has_next: self.has_next,
            has_previous: self.has_previous,
        }
    }
}

/// How a list is ordered.
#[derive(Clone, Debug)]
pub struct Keyset {
    /// The column, never null in the rows listed.
    pub column: SimpleExpr,
    /// The id column, which makes the order total.
    pub id: SimpleExpr,
    /// Both ascend or descend together.
    pub sort: Sort,
}

impl Keyset {
    /// Orders by a column and then by id.
    pub fn new(column: impl Into<SimpleExpr>, id: impl Into<SimpleExpr>, sort: Sort) -> Self {
        Self {
            column: column.into(),
            id: id.into(),
            sort,
        }
    }

    /// Restricts and orders a select statement for a page.
    pub fn apply(&self, select: &mut SelectStatement, page: &PageRequest) {
        let row = || Expr::tuple([self.column.clone(), self.id.clone()]);
        let key =
            |key: &SortKey| Expr::tuple([Expr::val(key.value.clone()), Expr::val(key.id.clone())]);
        for (bound, behind) in [(&page.bounds.after, true), (&page.bounds.before, false)] {
            let Some(bound) = bound else { continue };
            let greater = behind == (self.sort == Sort::Ascending);
            select.and_where(if greater {
                row().gt(key(bound))
            } else {
                row().lt(key(bound))
            });
        }
        let order = match self.sort.reversed(page.backward) {
            Sort::Ascending => Order::Asc,
            Sort::Descending => Order::Desc,
        };
        select.order_by_expr(self.column.clone(), order.clone());
        select.order_by_expr(self.id.clone(), order);
    }

    /// Reads a page of `select` into rows of `T`.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn page<T: FromQueryResult>(
        &self,
        connection: &impl ConnectionTrait,
        select: impl QueryTrait<QueryStatement = SelectStatement>,
        page: &PageRequest,
    ) -> Result<Page<T>> {
        let mut select = select.into_query();
        self.apply(&mut select, page);
        // One more than asked for tells whether there is a next page.
        let statement = literal_limits(connection.get_database_backend().build(&select));
        let statement = literal_limit(statement, page.size.saturating_add(1));
        let rows = T::find_by_statement(statement).all(connection).await?;
        Ok(page.cut(rows))
    }
}

impl PageRequest {
    /// Makes a page of rows that were read in the page's direction with one row too many.
    pub fn cut<T>(&self, mut rows: Vec<T>) -> Page<T> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX);
        let more = rows.len() > size;
        rows.truncate(size);
        if self.backward {
            rows.reverse();
            Page {
                items: rows,
                has_next: self.bounds.before.is_some(),
                has_previous: more,
            }
        } else {
            Page {
                items: rows,
                has_next: more,
                has_previous: self.bounds.after.is_some(),
            }
        }
    }
}
