//! How complete files are, as the API shows and changes it: a customer's completeness, confirming fields, the rules.

use super::input::key;
use super::links::{self, StaffRef};
use super::object::Customer;
use super::words::{FileField, FileFieldState};
use crate::domain::customers::completeness::{self as service, FieldStanding, State};
use crate::graphql::context::{Reported, ctx};
use crate::graphql::loaders::{batch_loader, by_key};
use crate::graphql::payload::payload;
use crate::graphql::scalars::DateTime;
use async_graphql::{Context, ID, InputObject, Object};
use entity::ids::CustomerId;

/// How complete this customer's file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CompletenessOf(pub CustomerId);

batch_loader!(CompletenessOf => service::Completeness, |ctx, keys| {
    let ids: Vec<CustomerId> = keys.iter().map(|key| key.0).collect();
    let found = service::of_customers(ctx, &ids).await?;
    by_key(found, |one| CompletenessOf(one.customer))
});

/// How complete a customer's file is. Which fields are asked for differs between persons and businesses; a field that
/// weighs nothing is not asked for.
#[derive(Clone, Debug)]
pub struct CustomerCompleteness(pub service::Completeness);

impl CustomerCompleteness {
    fn in_state(&self, state: State) -> Vec<FileField> {
        let fields = self.0.fields.iter();
        fields
            .filter(|field| field.state == state)
            .map(|field| field.field.into())
            .collect()
    }
}

/// How complete a customer's file is. Which fields are asked for differs between persons and businesses; a field that
/// weighs nothing is not asked for.
#[Object]
impl CustomerCompleteness {
    /// From 0 to 100: the weight of the fields that are known in hundredths of the weight of all, rounded down. Lists are
    /// ordered by it. Null before it was counted for the first time, some minutes after an import at most.
    async fn score(&self) -> Option<i32> {
        self.0.score
    }

    /// Whether the score follows the rules of today and what is in the file now. False for some minutes after an import or
    /// a change of the rules; the score of before stands meanwhile.
    async fn up_to_date(&self) -> bool {
        self.0.is_counted
    }

    /// The fields that are asked for and not known.
    async fn missing(&self) -> Vec<FileField> {
        self.in_state(State::Missing)
    }

    /// The fields that are known and were never confirmed, or not for as long as the rules say: a year, usually.
    async fn not_confirmed(&self) -> Vec<FileField> {
        self.in_state(State::NotConfirmed)
    }

    /// All fields that are asked for, one by one.
    async fn fields(&self) -> Vec<CompletenessField> {
        self.0
            .fields
            .iter()
            .copied()
            .map(CompletenessField)
            .collect()
    }
}

/// A field of a customer's file, and how it stands with it.
#[derive(Clone, Copy, Debug)]
pub struct CompletenessField(FieldStanding);

/// A field of a customer's file, and how it stands with it.
#[Object]
impl CompletenessField {
    /// Which.
    async fn field(&self) -> FileField {
        self.0.field.into()
    }

    /// Whether it is known and confirmed.
    async fn state(&self) -> FileFieldState {
        match self.0.state {
            State::Present => FileFieldState::Present,
            State::Missing => FileFieldState::Missing,
            State::NotConfirmed => FileFieldState::NotConfirmed,
        }
    }

    /// What it weighs in a file of this kind.
    async fn weight(&self) -> i32 {
        self.0.weight
    }

    /// When it was last written, or was asked for and still held. Null for what is missing and for what only an import has
    /// brought: that confirms nothing.
    async fn confirmed_at(&self) -> Option<DateTime> {
        self.0.confirmed_at.map(DateTime)
    }

    /// Who confirmed it.
    async fn confirmed_by(&self, context: &Context<'_>) -> async_graphql::Result<Option<StaffRef>> {
        links::staff(context, self.0.confirmed_by).await
    }
}

/// What the fields of a customer's file weigh, and when a confirmation is stale.
#[derive(Clone, Debug)]
pub struct CompletenessRules(pub service::Rules);

/// What the fields of a customer's file weigh, and when a confirmation is stale.
#[Object]
impl CompletenessRules {
    /// Grows by one with every change; a change names the version that it was made from.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.version).unwrap_or(i32::MAX)
    }

    /// A confirmation so many days old confirms nothing any more.
    async fn stale_after_days(&self) -> i32 {
        self.0.stale_after_days
    }

    /// All fields with what they weigh.
    async fn weights(&self) -> Vec<FileFieldWeight> {
        self.0
            .weights()
            .map(|(field, weight)| FileFieldWeight(field, weight))
            .collect()
    }

    /// When they were changed; null for those that come with the program.
    async fn changed_at(&self) -> Option<DateTime> {
        self.0.made_at.map(DateTime)
    }

    /// Who changed them.
    async fn changed_by(&self, context: &Context<'_>) -> async_graphql::Result<Option<StaffRef>> {
        links::staff(context, self.0.made_by).await
    }

    /// How many customers are still to be counted by them. It falls to 0 within minutes.
    async fn uncounted(&self, context: &Context<'_>) -> async_graphql::Result<i32> {
        let left = service::count::left(ctx(context)?, &self.0)
            .await
            .reported(context)?;
        Ok(i32::try_from(left).unwrap_or(i32::MAX))
    }
}

/// What a field weighs.
#[derive(Clone, Copy, Debug)]
pub struct FileFieldWeight(entity::enums::FileField, service::Weight);

/// What a field weighs.
#[Object]
impl FileFieldWeight {
    /// Which field.
    async fn field(&self) -> FileField {
        self.0.into()
    }

    /// In a person's file; 0 when it is not asked for there.
    async fn person(&self) -> i32 {
        self.1.person
    }

    /// In the file of a business; 0 when it is not asked for there.
    async fn trade(&self) -> i32 {
        self.1.trade
    }
}

/// Fields of a customer's file that were asked for and still hold.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerConfirmInput {
    /// The customer.
    customer_id: ID,
    /// The fields; none of them may be missing.
    fields: Vec<FileField>,
    /// The same key with the same input confirms once.
    idempotency_key: Option<String>,
}

/// What a field is to weigh; what is left out stays.
#[derive(Clone, Copy, Debug, InputObject)]
pub struct FileFieldWeightInput {
    /// Which field.
    field: FileField,
    /// In a person's file, 0 to 100; 0 asks for it no more.
    person: Option<i32>,
    /// In the file of a business, 0 to 100; 0 asks for it no more.
    trade: Option<i32>,
}

/// A change of the rules; what is left out stays.
#[derive(Clone, Debug, InputObject)]
pub struct CompletenessRulesUpdateInput {
    /// The version that you have read.
    version: i32,
    /// Days after which a confirmation is stale, 30 to 3650.
    stale_after_days: Option<i32>,
    /// Fields that are to weigh something else.
    #[graphql(default)]
    weights: Vec<FileFieldWeightInput>,
}

impl From<CompletenessRulesUpdateInput> for service::RulesChange {
    fn from(given: CompletenessRulesUpdateInput) -> Self {
        let weights = given.weights.into_iter();
        Self {
            version: given.version.into(),
            stale_after_days: given.stale_after_days,
            weights: weights
                .map(|weight| service::WeightChange {
                    field: weight.field.into(),
                    person: weight.person,
                    trade: weight.trade,
                })
                .collect(),
        }
    }
}

payload!(
    CustomerConfirmPayload,
    customer: Customer,
    "What came of confirming fields of a customer's file.",
    "The customer; null when nothing was confirmed."
);
payload!(
    versioned CompletenessRulesUpdatePayload,
    rules: CompletenessRules,
    "What came of changing the rules of completeness.",
    "The rules as they are now, also when the change was made from a stale version; null after other errors."
);

/// The queries about completeness.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompletenessQuery;

#[Object]
impl CompletenessQuery {
    /// What the fields of a customer's file weigh, and when a confirmation is stale.
    async fn completeness_rules(
        &self,
        context: &Context<'_>,
    ) -> async_graphql::Result<CompletenessRules> {
        let rules = service::read(ctx(context)?).await.reported(context)?;
        Ok(CompletenessRules(rules))
    }
}

/// The mutations of completeness.
#[derive(Clone, Copy, Debug, Default)]
pub struct CompletenessMutation;

#[Object]
impl CompletenessMutation {
    /// Confirms that fields of a customer's file were asked for and still hold. Writing a field confirms it by itself.
    async fn customer_confirm(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The customer and the fields.")] input: CustomerConfirmInput,
    ) -> async_graphql::Result<CustomerConfirmPayload> {
        let fields: Vec<_> = input.fields.into_iter().map(Into::into).collect();
        let made = service::confirm(
            ctx(context)?,
            key(&input.customer_id),
            &fields,
            input.idempotency_key.as_deref(),
        )
        .await;
        CustomerConfirmPayload::from_result(context, made.map(Customer))
    }

    /// Changes what the fields of a customer's file weigh, or when a confirmation is stale. All scores are counted anew
    /// in the background. For administrators.
    async fn completeness_rules_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The change.")] input: CompletenessRulesUpdateInput,
    ) -> async_graphql::Result<CompletenessRulesUpdatePayload> {
        let ctx = ctx(context)?;
        let changed = service::change(ctx, &input.into()).await;
        CompletenessRulesUpdatePayload::from_change(
            context,
            changed.map(CompletenessRules),
            async { Ok(Some(CompletenessRules(service::read(ctx).await?))) },
        )
        .await
    }
}
