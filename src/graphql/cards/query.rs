//! Queries of programmes and cards.

use super::object::{Card, Programme};
use crate::domain::cards::programmes;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use async_graphql::{Context, ID, Object, Result};
use entity::ids::CardId;

/// Queries of programmes and cards.
#[derive(Debug, Default)]
pub struct CardsQuery;

/// Queries of programmes and cards.
#[Object]
impl CardsQuery {
    /// All loyalty programmes, by code: a handful by nature.
    async fn programmes(&self, context: &Context<'_>) -> Result<Vec<Programme>> {
        let all = programmes::all(ctx(context)?).await.reported(context)?;
        Ok(all.into_iter().map(Programme).collect())
    }

    /// A card by its id; null when there is none in sight.
    async fn card(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The card's global id.")] id: ID,
    ) -> Result<Option<Card>> {
        match CardId::parse(&id) {
            Some(id) => Ok(load_one(context, id).await?.map(Card)),
            None => {
                ctx(context)?
                    .require(crate::access::Action::CustomerRead)
                    .reported(context)?;
                Ok(None)
            }
        }
    }
}
