//! Relay connections: the arguments of a list, its cursors, its types.

use crate::access::{Ctx, Secrets};
use crate::db::{Bounds, PageRequest, SortKey};
use crate::error::{Error, Result};
use async_graphql::SimpleObject;
use entity::values::CursorValue;
use sea_orm::Value;
use std::sync::Arc;
use uuid::Uuid;

/// Rows of a page when neither `first` nor `last` is given.
pub const DEFAULT_PAGE: i32 = 20;
/// Rows of a page at most.
pub const LARGEST_PAGE: i32 = 100;

/// Where a page stands in its list.
#[derive(Clone, Debug, SimpleObject)]
#[graphql(name = "PageInfo")]
pub struct PageInfo {
    /// There are items behind the last one of this page.
    pub has_next_page: bool,
    /// There are items before the first one of this page.
    pub has_previous_page: bool,
    /// The cursor of the page's first item; null when the page is empty.
    pub start_cursor: Option<String>,
    /// The cursor of the page's last item; null when the page is empty.
    pub end_cursor: Option<String>,
}

/// The paging arguments of a connection, as they came.
#[derive(Clone, Debug, Default)]
pub struct PageArgs {
    /// Items from the start.
    pub first: Option<i32>,
    /// Only behind this cursor.
    pub after: Option<String>,
    /// Items from the end.
    pub last: Option<i32>,
    /// Only before this cursor.
    pub before: Option<String>,
}

/// A list with its filter and order, to which its cursors are bound: a cursor of one list, filter or order is
/// refused in another.
#[derive(Clone, Debug)]
pub struct List<'a> {
    ctx: &'a Ctx,
    binding: Arc<[u8]>,
}

/// The place of a row in its list. Nobody asks for the cursors of all rows, so each is sealed when it is shown.
#[derive(Clone)]
pub struct Cursor {
    secrets: Arc<Secrets>,
    binding: Arc<[u8]>,
    value: CursorValue,
    id: Uuid,
}

impl std::fmt::Debug for Cursor {
    /// Without the value: names do not belong into logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Cursor(..)")
    }
}

impl Cursor {
    /// The cursor as clients get it.
    ///
    /// # Errors
    /// [`Error::Internal`] when the values do not fit into a cursor.
    pub fn seal(&self) -> Result<String> {
        self.secrets
            .cursors
            .seal(
                &self.binding,
                &[self.value.clone(), CursorValue::Uuid(self.id)],
            )
            .map_err(|error| Error::internal(format!("cursor: {error}")))
    }
}

impl<'a> List<'a> {
    /// Names the list; `parts` are its filter and order in a fixed text form.
    pub fn new(ctx: &'a Ctx, name: &str, parts: &[&str]) -> Self {
        let mut binding = name.as_bytes().to_vec();
        for part in parts {
            binding.push(0);
            binding.extend_from_slice(part.as_bytes());
        }
        Self {
            ctx,
            binding: binding.into(),
        }
    }

    /// Reads the paging arguments.
    ///
    /// # Errors
    /// [`Error::BadRequest`] when `first` or `last` is outside 1 to 100, both are given, or a cursor is not of
    /// this list.
    pub fn page(&self, args: &PageArgs) -> Result<PageRequest> {
        let (size, backward) = match (args.first, args.last) {
            (Some(_), Some(_)) => {
                return Err(Error::BadRequest(
                    "give either first or last, not both".into(),
                ));
            }
            (Some(first), None) => (first, false),
            (None, Some(last)) => (last, true),
            (None, None) => (DEFAULT_PAGE, false),
        };
        let size = u64::try_from(size)
            .ok()
            .filter(|size| (1..=u64::from(LARGEST_PAGE.unsigned_abs())).contains(size))
            .ok_or_else(|| {
                Error::BadRequest(format!("first and last take 1 to {LARGEST_PAGE}").into())
            })?;
        let bounds = Bounds {
            after: self.key(args.after.as_deref())?,
            before: self.key(args.before.as_deref())?,
        };
        Ok(PageRequest {
            size,
            backward,
            bounds,
        })
    }

    fn key(&self, cursor: Option<&str>) -> Result<Option<SortKey>> {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let foreign = || {
            Error::BadRequest(
                "the cursor is not one of this list with this filter and order".into(),
            )
        };
        let values = self
            .ctx
            .secrets
            .cursors
            .open(&self.binding, cursor)
            .map_err(|_| foreign())?;
        match <[CursorValue; 2]>::try_from(values) {
            Ok([value, id]) => Ok(Some(SortKey {
                value: to_value(value),
                id: to_value(id),
            })),
            Err(_) => Err(foreign()),
        }
    }

    /// The place of a row.
    ///
    /// # Errors
    /// None of its own: it is what a connection is made with, and a place may take reading to tell.
    pub fn cursor(&self, value: CursorValue, id: impl Into<Uuid>) -> Result<Cursor> {
        Ok(Cursor {
            secrets: self.ctx.secrets.clone(),
            binding: self.binding.clone(),
            value,
            id: id.into(),
        })
    }
}

fn to_value(value: CursorValue) -> Value {
    match value {
        CursorValue::Null => Value::String(None),
        CursorValue::Bytes(bytes) => bytes.into(),
        CursorValue::Text(text) => text.into(),
        CursorValue::Int(number) => number.into(),
        CursorValue::Uuid(id) => id.into(),
        CursorValue::Timestamp(at) => at.into(),
        CursorValue::Date(day) => day.into(),
    }
}

/// Makes the edge and connection types of a node type, as the Relay specification has them, with a
/// `totalCount` that is counted only when it is asked for.
///
/// `Total` is a type with `async fn count(&self, ctx: &Ctx) -> crate::error::Result<u64>`: what the list's
/// filter would count.
macro_rules! connection {
    ($connection:ident, $edge:ident, $node:ty, $total:ty, $connection_doc:literal, $edge_doc:literal) => {
        #[doc = $edge_doc]
        #[derive(Clone, Debug, async_graphql::SimpleObject)]
        #[graphql(complex)]
        pub struct $edge {
            /// The item.
            pub node: $node,
            #[graphql(skip)]
            place: $crate::graphql::page::Cursor,
        }

        #[async_graphql::ComplexObject]
        impl $edge {
            /// The item's place in the list, for `after` and `before`.
            async fn cursor(
                &self,
                context: &async_graphql::Context<'_>,
            ) -> async_graphql::Result<String> {
                use $crate::graphql::context::Reported;
                self.place.seal().reported(context)
            }
        }

        #[doc = $connection_doc]
        #[derive(Clone, Debug)]
        pub struct $connection {
            edges: Vec<$edge>,
            has_next: bool,
            has_previous: bool,
            total: $total,
        }

        impl $connection {
            /// Makes the connection of a page; `cursor` gives a node's place.
            ///
            /// # Errors
            /// Those of `cursor`.
            pub fn new(
                page: $crate::db::Page<$node>,
                total: $total,
                cursor: impl Fn(&$node) -> $crate::error::Result<$crate::graphql::page::Cursor>,
            ) -> $crate::error::Result<Self> {
                let edges = page
                    .items
                    .into_iter()
                    .map(|node| {
                        Ok($edge {
                            place: cursor(&node)?,
                            node,
                        })
                    })
                    .collect::<$crate::error::Result<Vec<_>>>()?;
                Ok(Self {
                    edges,
                    has_next: page.has_next,
                    has_previous: page.has_previous,
                    total,
                })
            }
        }

        #[doc = $connection_doc]
        #[async_graphql::Object]
        impl $connection {
            /// The items of this page with their cursors.
            async fn edges(&self) -> &[$edge] {
                &self.edges
            }

            /// The items of this page.
            async fn nodes(&self) -> Vec<&$node> {
                self.edges.iter().map(|edge| &edge.node).collect()
            }

            /// Where this page stands in the list.
            async fn page_info(
                &self,
                context: &async_graphql::Context<'_>,
            ) -> async_graphql::Result<$crate::graphql::page::PageInfo> {
                use $crate::graphql::context::Reported;
                let seal = |edge: Option<&$edge>| edge.map(|edge| edge.place.seal()).transpose();
                Ok($crate::graphql::page::PageInfo {
                    has_next_page: self.has_next,
                    has_previous_page: self.has_previous,
                    start_cursor: seal(self.edges.first()).reported(context)?,
                    end_cursor: seal(self.edges.last()).reported(context)?,
                })
            }

            /// How many items the whole list has; counted only when asked for.
            async fn total_count(
                &self,
                context: &async_graphql::Context<'_>,
            ) -> async_graphql::Result<i32> {
                use $crate::graphql::context::Reported;
                let count = self
                    .total
                    .count($crate::graphql::context::ctx(context)?)
                    .await
                    .reported(context)?;
                Ok(i32::try_from(count).unwrap_or(i32::MAX))
            }
        }
    };
}
pub(crate) use connection;
