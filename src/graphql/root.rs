//! The roots of the schema: one line a topic; and the way to any object by its global id.
//!
//! `app` builds the schema once and hands it to the endpoint; `regulars schema` prints it.

use super::context::{Reported, ctx};
use super::ids::{GlobalKey, decode};
use super::operations::{AuditEntry, Job, OperationsMutation, OperationsQuery};
use crate::access::{Ctx, Viewer, audit_log};
use crate::error::{Error, Result};
use crate::jobs;
use async_graphql::{
    Context, EmptySubscription, ID, Interface, MergedObject, Object, SDLExportOptions, Schema,
    ValidationMode,
};
use entity::ids::{AuditEntryId, JobId};

/// The whole schema.
pub type ApiSchema = Schema<Query, Mutation, EmptySubscription>;

/// Everything that can be asked.
#[derive(Debug, Default, MergedObject)]
pub struct Query(NodeQuery, OperationsQuery);

/// Everything that can be changed.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(OperationsMutation);

/// The schema, ready to run what the gate has admitted.
pub fn build() -> ApiSchema {
    Schema::build(Query::default(), Mutation::default(), EmptySubscription)
        // The gate has validated and measured the document already, more strictly than the engine would.
        .validation_mode(ValidationMode::Fast)
        .finish()
}

/// The schema in the definition language, everything sorted, so that it changes only when the API does.
pub fn sdl() -> String {
    let options = SDLExportOptions::new()
        .sorted_fields()
        .sorted_arguments()
        .sorted_enum_items()
        .include_specified_by();
    build().sdl_with_options(options)
}

/// Objects that `nodes` gives at once at most.
const MOST_NODES: usize = 100;

/// An object that has a global id.
#[derive(Debug, Interface)]
#[graphql(field(
    name = "id",
    ty = "ID",
    desc = "The global id, opaque and good for ever."
))]
pub enum Node {
    /// An entry of the audit log.
    AuditEntry(AuditEntry),
    /// A job of the queue.
    Job(Job),
}

impl Node {
    /// The object with this id; none when it does not exist or the viewer may not see it.
    async fn find(ctx: &Ctx, id: &ID) -> Result<Option<Self>> {
        let Some((letter, key)) = decode(id) else {
            return Ok(None);
        };
        let found = match letter {
            AuditEntryId::LETTER => audit_log::by_id(ctx, key.into())
                .await
                .map(|row| row.map(|row| AuditEntry(row).into())),
            JobId::LETTER => jobs::list::by_id(ctx, key.into())
                .await
                .map(|row| row.map(|row| Job(row).into())),
            _ => Ok(None),
        };
        match found {
            // What one may not see looks as if it did not exist.
            Err(Error::Forbidden) => Ok(None),
            other => other,
        }
    }
}

/// The way to any object by its global id.
#[derive(Clone, Copy, Debug, Default)]
pub struct NodeQuery;

#[Object]
impl NodeQuery {
    /// The object with this global id; null when it does not exist or you may not see it.
    async fn node(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global id.")] id: ID,
    ) -> async_graphql::Result<Option<Node>> {
        let ctx = ctx(context)?;
        signed_in(ctx).reported(context)?;
        Node::find(ctx, &id).await.reported(context)
    }

    /// The objects with these global ids, in their order; null in the place of what does not exist or you may
    /// not see.
    async fn nodes(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The global ids, at most 100.")] ids: Vec<ID>,
    ) -> async_graphql::Result<Vec<Option<Node>>> {
        let ctx = ctx(context)?;
        signed_in(ctx).reported(context)?;
        if ids.len() > MOST_NODES {
            let error = Error::BadRequest(format!("ids takes at most {MOST_NODES}").into());
            return Err(error).reported(context);
        }
        let mut found = Vec::with_capacity(ids.len());
        for id in &ids {
            found.push(Node::find(ctx, id).await.reported(context)?);
        }
        Ok(found)
    }
}

/// Whoever is not signed in learns nothing about any id, not even that it is none.
fn signed_in(ctx: &Ctx) -> Result<()> {
    match ctx.viewer {
        Viewer::Anonymous => Err(Error::Unauthenticated),
        _ => Ok(()),
    }
}
