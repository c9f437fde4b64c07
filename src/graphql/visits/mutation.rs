//! Mutations of visits.

use super::input::VisitRecordInput;
use super::object::Visit;
use crate::access::{Action, Ctx};
use crate::domain::visits::record;
use crate::error::Result;
use crate::graphql::context::ctx;
use crate::payload;
use async_graphql::{Context, Object};

payload!(VisitRecordPayload, visit: Visit, "What `visitRecord` answers.", "The recorded visit.");

/// Mutations of visits.
#[derive(Debug, Default)]
pub struct VisitsMutation;

/// Mutations of visits.
#[Object]
impl VisitsMutation {
    /// Records a visit, with or without a purchase. The customer's totals and tier change with it.
    async fn visit_record(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Who came where, and what came of it.")] input: VisitRecordInput,
    ) -> async_graphql::Result<VisitRecordPayload> {
        VisitRecordPayload::from_result(
            context,
            visit_record(ctx(context)?, input).await.map(Visit),
        )
    }
}

async fn visit_record(ctx: &Ctx, input: VisitRecordInput) -> Result<entity::visit::Model> {
    ctx.require(Action::VisitRecord)?;
    record::record(ctx, input.read(ctx)?).await
}
