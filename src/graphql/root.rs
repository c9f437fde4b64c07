//! The roots of the schema: one line a topic.
//!
//! `app` builds the schema once and hands it to the endpoint; `regulars schema` prints it.

use super::attributes::{AttributesMutation, AttributesQuery};
use super::cards::{CardsMutation, CardsQuery};
use super::catalog::{CatalogMutation, CatalogQuery};
use super::clients::{ClientsMutation, ClientsQuery};
use super::customers::{
    CompletenessMutation, CompletenessQuery, CustomerMutation, CustomerPartsMutation, CustomerQuery,
};
use super::gate::Overrides;
use super::groups::{GroupsMutation, GroupsQuery};
use super::identity::{IdentityMutation, IdentityQuery};
use super::live::{EventsQuery, LiveSubscription, PerEvent};
use super::node::NodeQuery;
use super::operations::{OperationsMutation, OperationsQuery};
use super::organization::{OrganizationMutation, OrganizationQuery, SessionMutation};
use super::transfers::{TransfersMutation, TransfersQuery};
use super::visits::{VisitsMutation, VisitsQuery};
use super::webhooks::{WebhooksMutation, WebhooksQuery};
use async_graphql::{MergedObject, SDLExportOptions, Schema, SchemaBuilder, ValidationMode};
use std::collections::HashMap;

/// The whole schema.
pub type ApiSchema = Schema<Query, Mutation, LiveSubscription>;

/// Everything that can be asked.
#[derive(Debug, Default, MergedObject)]
pub struct Query(
    NodeQuery,
    OrganizationQuery,
    ClientsQuery,
    WebhooksQuery,
    CustomerQuery,
    AttributesQuery,
    GroupsQuery,
    CompletenessQuery,
    CatalogQuery,
    CardsQuery,
    VisitsQuery,
    TransfersQuery,
    OperationsQuery,
    IdentityQuery,
    EventsQuery,
);

/// Everything that can be changed.
#[derive(Debug, Default, MergedObject)]
pub struct Mutation(
    SessionMutation,
    OrganizationMutation,
    ClientsMutation,
    WebhooksMutation,
    CustomerMutation,
    CustomerPartsMutation,
    AttributesMutation,
    GroupsMutation,
    CompletenessMutation,
    CatalogMutation,
    CardsMutation,
    VisitsMutation,
    TransfersMutation,
    OperationsMutation,
    IdentityMutation,
);

fn begin() -> SchemaBuilder<Query, Mutation, LiveSubscription> {
    Schema::build(Query::default(), Mutation::default(), LiveSubscription)
        // The gate has validated and measured the document already, more strictly than the engine would.
        .validation_mode(ValidationMode::Fast)
}

/// The schema, ready to run queries and mutations that the gate has admitted.
pub fn build() -> ApiSchema {
    begin().finish()
}

/// The same schema, ready to run subscriptions.
pub fn build_live() -> ApiSchema {
    begin().extension(PerEvent).finish()
}

/// Plain lists that are nearly always shorter than the gate assumes, so that what is asked through them is not priced
/// beyond what anybody may ask.
pub fn usual_sizes() -> Overrides {
    let purchases = ("Visit".to_owned(), "purchases".to_owned());
    Overrides {
        list_sizes: HashMap::from([(purchases, 1)]),
        ..Overrides::default()
    }
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
