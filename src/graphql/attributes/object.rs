//! Attributes and what they say of customers, as the API shows them.

use super::loader::Defined;
use crate::domain::attributes::value::{self, Shown};
use crate::domain::attributes::{Choice, Definition};
use crate::error::Error;
use crate::graphql::context::Reported;
use crate::graphql::customers::Customer;
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::load_one;
use crate::graphql::organization::{self, Staff};
use crate::graphql::scalars::{Date, DateTime, Decimal};
use async_graphql::{Context, Enum, ID, Object, Result, SimpleObject};
use entity::customer_attribute;
use std::sync::Arc;

/// What the values of an attribute are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::AttributeKind")]
pub enum AttributeKind {
    /// A line of text.
    Text,
    /// A whole number.
    Integer,
    /// A decimal number with at most 6 decimals.
    Decimal,
    /// Yes or no.
    Boolean,
    /// A day.
    Date,
    /// One of the choices.
    Choice,
    /// Any of the choices.
    Choices,
}

/// Where it is known from what an attribute says: three things kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::TasteProvenance")]
pub enum AttributeProvenance {
    /// The customer said so.
    Stated,
    /// A member of staff noticed it.
    Noted,
    /// Computed from purchases; cannot be set by hand.
    Derived,
}

/// Something that can be chosen.
#[derive(Clone, Debug, SimpleObject)]
pub struct AttributeChoice {
    /// What programs call it.
    key: String,
    /// What people call it.
    name: String,
}

impl From<Choice> for AttributeChoice {
    fn from(choice: Choice) -> Self {
        Self {
            key: choice.key,
            name: choice.name,
        }
    }
}

/// An attribute that the shop defines for its customers.
#[derive(Clone, Debug)]
pub struct Attribute(pub Arc<Definition>);

/// An attribute that the shop defines for its customers.
#[Object]
impl Attribute {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.row.id.global()
    }

    /// What programs call it, unique and for good.
    async fn key(&self) -> &str {
        &self.0.row.key
    }

    /// What people call it.
    async fn name(&self) -> &str {
        &self.0.row.name
    }

    /// What it is for, and how it is found out.
    async fn description(&self) -> Option<&str> {
        self.0.row.description.as_deref()
    }

    /// What its values are.
    async fn kind(&self) -> AttributeKind {
        self.0.row.kind.into()
    }

    /// What can be chosen, in order; empty for other kinds.
    async fn choices(&self) -> Vec<AttributeChoice> {
        self.0.choices.iter().cloned().map(Into::into).collect()
    }

    /// What its numbers count, such as `cm`.
    async fn unit(&self) -> Option<&str> {
        self.0.row.unit.as_deref()
    }

    /// The smallest number or the first day that is taken.
    async fn minimum(&self) -> Option<&str> {
        self.0.row.minimum.as_deref()
    }

    /// The largest number or the last day that is taken.
    async fn maximum(&self) -> Option<&str> {
        self.0.row.maximum.as_deref()
    }

    /// When it was put away; null while it is in use.
    async fn archived_at(&self) -> Option<DateTime> {
        self.0.row.archived_at.map(Into::into)
    }

    /// Grows by one with every change; send it back with yours.
    async fn version(&self) -> i32 {
        i32::try_from(self.0.row.version).unwrap_or(i32::MAX)
    }

    /// When it was made.
    async fn created_at(&self) -> DateTime {
        self.0.row.created_at.into()
    }

    /// When it was last changed.
    async fn updated_at(&self) -> DateTime {
        self.0.row.updated_at.into()
    }
}

/// A value of an attribute: as text for people, and in the field of its kind for programs.
#[derive(Clone, Debug)]
pub struct AttributeValue {
    shown: Shown,
    unit: Option<String>,
}

/// A value of an attribute: as text for people, and in the field of its kind for programs.
#[Object]
impl AttributeValue {
    /// As a person reads it: a number with its unit, choices by their names.
    async fn text(&self) -> String {
        self.shown.read(self.unit.as_deref())
    }

    /// The number of an `INTEGER`.
    async fn integer(&self) -> Option<i32> {
        match self.shown {
            Shown::Integer(number) => Some(number),
            _ => None,
        }
    }

    /// The number of a `DECIMAL`.
    async fn decimal(&self) -> Option<Decimal> {
        match &self.shown {
            Shown::Decimal(number) => Some(Decimal(number.clone())),
            _ => None,
        }
    }

    /// The answer of a `BOOLEAN`.
    async fn boolean(&self) -> Option<bool> {
        match self.shown {
            Shown::Boolean(yes) => Some(yes),
            _ => None,
        }
    }

    /// The day of a `DATE`.
    async fn date(&self) -> Option<Date> {
        match self.shown {
            Shown::Date(day) => Some(Date(day)),
            _ => None,
        }
    }

    /// What is chosen of a `CHOICE`.
    async fn choice(&self) -> Option<AttributeChoice> {
        match &self.shown {
            Shown::Choice(choice) => Some(choice.clone().into()),
            _ => None,
        }
    }

    /// All that is chosen of `CHOICES`, in the order of the attribute.
    async fn choices(&self) -> Option<Vec<AttributeChoice>> {
        match &self.shown {
            Shown::Choices(chosen) => Some(chosen.iter().cloned().map(Into::into).collect()),
            _ => None,
        }
    }
}

/// What an attribute says of a customer, by one of the ways in which it may be known.
#[derive(Clone, Debug)]
pub struct CustomerAttribute(pub customer_attribute::Model);

impl CustomerAttribute {
    async fn definition(&self, context: &Context<'_>) -> Result<Arc<Definition>> {
        let found = load_one(context, Defined(self.0.attribute_id)).await?;
        found
            .ok_or_else(|| Error::internal("a value without its attribute"))
            .reported(context)
    }
}

/// What an attribute says of a customer, by one of the ways in which it may be known.
#[Object]
impl CustomerAttribute {
    /// The global id.
    pub async fn id(&self) -> ID {
        self.0.id.global()
    }

    /// The attribute; it may have been put away since.
    async fn attribute(&self, context: &Context<'_>) -> Result<Attribute> {
        Ok(Attribute(self.definition(context).await?))
    }

    /// Whose it is.
    async fn customer(&self, context: &Context<'_>) -> Result<Option<Customer>> {
        Ok(load_one(context, self.0.customer_id).await?.map(Customer))
    }

    /// The value.
    async fn value(&self, context: &Context<'_>) -> Result<AttributeValue> {
        let definition = self.definition(context).await?;
        let shown = value::show(&definition, &self.0.value)
            .ok_or_else(|| Error::internal("a value that is none of its attribute"))
            .reported(context)?;
        Ok(AttributeValue {
            shown,
            unit: definition.row.unit.clone(),
        })
    }

    /// Where it is known from.
    async fn provenance(&self) -> AttributeProvenance {
        self.0.provenance.into()
    }

    /// Who noted it, or confirmed it last; null when the program did.
    async fn noted_by(&self, context: &Context<'_>) -> Result<Option<Staff>> {
        match self.0.noted_by {
            Some(id) => organization::staff(context, id).await,
            None => Ok(None),
        }
    }

    /// When it was noted, or last confirmed.
    async fn noted_at(&self) -> DateTime {
        self.0.noted_at.into()
    }
}
