//! Queries of the catalogue.

use super::input::{ProductFilterInput, ProductOrderInput};
use super::list::{self, ProductConnection};
use super::object::{Category, Product};
use crate::access::Action;
use crate::domain::catalog::categories;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use crate::graphql::page::PageArgs;
use async_graphql::{Context, ID, Object, Result};
use entity::ids::{CategoryId, ProductId};

/// Queries of the catalogue.
#[derive(Debug, Default)]
pub struct CatalogQuery;

/// Queries of the catalogue.
#[Object]
impl CatalogQuery {
    /// All categories of products in the order of their names, 1,000 at most; the tree is in `parent` and `parts`.
    async fn categories(&self, context: &Context<'_>) -> Result<Vec<Category>> {
        let all = categories::all(ctx(context)?).await.reported(context)?;
        Ok(all.into_iter().map(Category).collect())
    }

    /// A category by its id; null when there is none.
    async fn category(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The category's global id.")] id: ID,
    ) -> Result<Option<Category>> {
        ctx(context)?
            .require(Action::CatalogRead)
            .reported(context)?;
        match CategoryId::parse(&id) {
            Some(id) => Ok(load_one(context, id).await?.map(Category)),
            None => Ok(None),
        }
    }

    /// Products in the order of their names, or as asked for.
    #[expect(
        clippy::too_many_arguments,
        reason = "the arguments of every connection"
    )]
    async fn products(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
        #[graphql(desc = "Which products; all that are sold when absent.")] filter: Option<
            ProductFilterInput,
        >,
        #[graphql(desc = "In which order; by name when absent.")] order_by: Option<
            ProductOrderInput,
        >,
    ) -> Result<ProductConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        list::products(ctx(context)?, &args, filter, order_by)
            .await
            .reported(context)
    }

    /// A product by its id; null when there is none.
    async fn product(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The product's global id.")] id: ID,
    ) -> Result<Option<Product>> {
        ctx(context)?
            .require(Action::CatalogRead)
            .reported(context)?;
        match ProductId::parse(&id) {
            Some(id) => Ok(load_one(context, id).await?.map(Product)),
            None => Ok(None),
        }
    }
}
