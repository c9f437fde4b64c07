//! Visits, receipts and their lines, as the API shows them.

use super::arrival::{self, Arrival};
use super::loader::{CostsOf, LinesOf, PurchasesOf};
use super::transcript::{self, EnquiryEntryConnection};
use crate::access::Action;
use crate::error::Error;
use crate::graphql::cards::money;
use crate::graphql::catalog::{BySku, Product};
use crate::graphql::context::{Reported, ctx};
use crate::graphql::customers::Customer;
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use crate::graphql::organization::{self, Staff, Store};
use crate::graphql::page::PageArgs;
use crate::graphql::scalars::{Date, DateTime, Decimal, Money};
use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use entity::values::Quantity;
use entity::{purchase, purchase_line, visit};

/// By which way a customer came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::VisitChannel")]
pub enum VisitChannel {
    /// Into the store.
    InStore,
    /// Ordered on the web or in an app.
    OnlineOrder,
    /// Ordered on the phone.
    PhoneOrder,
    /// Asked something, by chat or call.
    Enquiry,
}

/// What came of a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::VisitOutcome")]
pub enum VisitOutcome {
    /// Something was bought.
    Purchase,
    /// Something was brought back, and nothing bought.
    Return,
    /// Neither.
    NoPurchase,
}

/// Why nothing was bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::NoPurchaseReason")]
pub enum NoPurchaseReason {
    /// Only looked round.
    JustLooking,
    /// What was wanted was not there.
    OutOfStock,
    /// Too expensive.
    Price,
    /// Nothing fitted.
    Fit,
    /// Waited too long, or nobody had time.
    Waiting,
    /// Came for help or advice.
    Service,
    /// None of these.
    Other,
}

/// One encounter started by a customer.
#[derive(Clone, Debug)]
pub struct Visit(pub visit::Model);

/// One encounter started by a customer.
#[Object]
impl Visit {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// Who came.
    async fn customer(&self, context: &Context<'_>) -> Result<Option<Customer>> {
        Ok(load_one(context, self.0.customer_id).await?.map(Customer))
    }

    /// To which store.
    async fn store(&self, context: &Context<'_>) -> Result<Option<Store>> {
        organization::store(context, self.0.store_id).await
    }

    /// By which way.
    async fn channel(&self) -> VisitChannel {
        self.0.channel.into()
    }

    /// When.
    async fn at(&self) -> DateTime {
        self.0.at.into()
    }

    /// The store's business day: the day in the store's time zone.
    async fn business_date(&self) -> Date {
        Date(self.0.business_date)
    }

    /// Who served.
    async fn served_by(&self, context: &Context<'_>) -> Result<Option<Staff>> {
        match self.0.served_by_id {
            Some(id) => organization::staff(context, id).await,
            None => Ok(None),
        }
    }

    /// What came of it.
    async fn outcome(&self) -> VisitOutcome {
        self.0.outcome.into()
    }

    /// Why nothing was bought.
    async fn no_purchase_reason(&self) -> Option<NoPurchaseReason> {
        self.0.no_purchase_reason.map(NoPurchaseReason::from)
    }

    /// What was said.
    async fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// What was said in an enquiry, in its order; empty for any other visit.
    async fn transcript(
        &self,
        context: &Context<'_>,
        #[graphql(
            desc = "How many items from the start, 1 to 100; 20 when neither this nor `last` is given."
        )]
        first: Option<i32>,
        #[graphql(desc = "Only items behind this cursor.")] after: Option<String>,
        #[graphql(desc = "How many items from the end, 1 to 100.")] last: Option<i32>,
        #[graphql(desc = "Only items before this cursor.")] before: Option<String>,
    ) -> Result<EnquiryEntryConnection> {
        let args = PageArgs {
            first,
            after,
            last,
            before,
        };
        transcript::of_visit(context, self.0.id, &args).await
    }

    /// The arrival with which it began; null when nobody told that the customer is here.
    async fn arrival(&self, context: &Context<'_>) -> Result<Option<Arrival>> {
        arrival::of_visit(context, self.0.id).await
    }

    /// Was it moved in with the history of another system?
    async fn history(&self) -> bool {
        self.0.history
    }

    /// When it was recorded.
    async fn recorded_at(&self) -> DateTime {
        self.0.recorded_at.into()
    }

    /// The receipts of this visit; usually one, none when nothing was bought or brought back.
    async fn purchases(&self, context: &Context<'_>) -> Result<Vec<Purchase>> {
        Ok(load_one(context, PurchasesOf(self.0.id))
            .await?
            .unwrap_or_default()
            .into_iter()
            .map(Purchase)
            .collect())
    }
}

/// How a receipt is known to the system that printed it.
#[derive(Clone, Debug, SimpleObject)]
pub struct Receipt {
    /// The system that numbers its receipts.
    pub source: String,
    /// Its number there, unique within the source for good.
    pub number: String,
}

/// A purchase: one receipt.
#[derive(Clone, Debug)]
pub struct Purchase(pub purchase::Model);

/// A purchase: one receipt.
#[Object]
impl Purchase {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The visit it belongs to.
    async fn visit(&self, context: &Context<'_>) -> Result<Option<Visit>> {
        Ok(load_one(context, self.0.visit_id).await?.map(Visit))
    }

    /// How it is known to the system that printed it.
    async fn receipt(&self) -> Receipt {
        Receipt {
            source: self.0.source.clone(),
            number: self.0.receipt_number.clone(),
        }
    }

    /// Sum of the lines bought.
    async fn bought(&self, context: &Context<'_>) -> Result<Money> {
        money(context, self.0.bought_minor).await
    }

    /// Sum of the lines given back.
    async fn returned(&self, context: &Context<'_>) -> Result<Money> {
        money(context, self.0.returned_minor).await
    }

    /// Bought less given back.
    async fn net(&self, context: &Context<'_>) -> Result<Money> {
        money(
            context,
            self.0.bought_minor.saturating_sub(self.0.returned_minor),
        )
        .await
    }

    /// The lines, in the order of the receipt: those bought, then those given back.
    async fn lines(&self, context: &Context<'_>) -> Result<Vec<PurchaseLine>> {
        Ok(load_one(context, LinesOf(self.0.id))
            .await?
            .unwrap_or_default()
            .into_iter()
            .map(PurchaseLine)
            .collect())
    }
}

/// A line of a receipt, bought or given back.
#[derive(Clone, Debug)]
pub struct PurchaseLine(pub purchase_line::Model);

/// A line of a receipt, bought or given back.
#[Object]
impl PurchaseLine {
    /// The global id; `visitRecord` takes it to say what is given back.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The receipt it belongs to.
    async fn purchase(&self, context: &Context<'_>) -> Result<Option<Purchase>> {
        Ok(load_one(context, self.0.purchase_id).await?.map(Purchase))
    }

    /// Its place on the receipt, from 1.
    async fn line(&self) -> i32 {
        self.0.line
    }

    /// The product's number.
    async fn sku(&self) -> Option<&str> {
        self.0.sku.as_deref()
    }

    /// The product with this number, as the catalogue has it now; null when it has none.
    async fn product(&self, context: &Context<'_>) -> Result<Option<Product>> {
        match &self.0.sku {
            Some(sku) => Ok(load_one(context, BySku(sku.clone())).await?.map(Product)),
            None => Ok(None),
        }
    }

    /// The product's name.
    async fn name(&self) -> Option<&str> {
        self.0.name.as_deref()
    }

    /// The product's category.
    async fn category(&self) -> Option<&str> {
        self.0.category.as_deref()
    }

    /// The product's brand.
    async fn brand(&self) -> Option<&str> {
        self.0.brand.as_deref()
    }

    /// How many, with at most three decimals; negative when given back.
    async fn quantity(&self) -> Decimal {
        Decimal(Quantity::from_thousandths(self.0.quantity_milli).to_string())
    }

    /// List price of one.
    async fn list_price(&self, context: &Context<'_>) -> Result<Option<Money>> {
        match self.0.list_price_minor {
            Some(minor) => Ok(Some(money(context, minor).await?)),
            None => Ok(None),
        }
    }

    /// What was paid for the line; negative when given back.
    async fn amount(&self, context: &Context<'_>) -> Result<Money> {
        money(context, self.0.amount_minor).await
    }

    /// What one cost the shop; only for managers of the store in which it was bought.
    async fn unit_cost(&self, context: &Context<'_>) -> Result<Option<Money>> {
        ctx(context)?.require(Action::CostRead).reported(context)?;
        if load_one(context, CostsOf(self.0.purchase_id))
            .await?
            .is_none()
        {
            return Err(Error::Forbidden).reported(context);
        }
        match self.0.unit_cost_minor {
            Some(minor) => Ok(Some(money(context, minor).await?)),
            None => Ok(None),
        }
    }

    /// Why less than the list price was paid.
    async fn discount_reason(&self) -> Option<&str> {
        self.0.discount_reason.as_deref()
    }

    /// The line that this one undoes; null when it was bought.
    async fn returns(&self, context: &Context<'_>) -> Result<Option<Self>> {
        match self.0.returns_line_id {
            Some(id) => Ok(load_one(context, id).await?.map(Self)),
            None => Ok(None),
        }
    }
}
