//! What goes into the queries and mutations of attributes.

use super::object::{AttributeKind, AttributeProvenance};
use crate::domain::attributes::value::Given;
use crate::domain::attributes::{AttributeChange, Choice, NewAttribute};
use crate::domain::customers::AttributeCondition;
use crate::domain::customers::attributes::AttributeSetting;
use crate::graphql::ids::key;
use crate::graphql::patch::patch;
use crate::graphql::scalars::{Date, Decimal};
use async_graphql::{ID, InputObject, MaybeUndefined, OneofObject};

/// Something that can be chosen.
#[derive(Clone, Debug, InputObject)]
pub struct AttributeChoiceInput {
    /// What programs call it: at most 32 letters a to z, digits and `_`. A choice that keeps its key is the same choice.
    key: String,
    /// What people call it, at most 200 characters.
    name: String,
}

fn choices(given: Vec<AttributeChoiceInput>) -> Vec<Choice> {
    let choices = given.into_iter().map(|choice| Choice {
        key: choice.key,
        name: choice.name,
    });
    choices.collect()
}

/// An attribute to be defined.
#[derive(Clone, Debug, InputObject)]
pub struct AttributeCreateInput {
    /// What programs call it, unique and for good: at most 32 letters a to z, digits and `_`, such as `risk_preference`.
    key: String,
    /// What people call it, at most 200 characters.
    name: String,
    /// What it is for, and how it is found out, at most 1,000 characters.
    description: Option<String>,
    /// What its values are, for good.
    kind: AttributeKind,
    /// What can be chosen, in order, at most 50; only for `CHOICE` and `CHOICES`.
    #[graphql(default)]
    choices: Vec<AttributeChoiceInput>,
    /// What its numbers count, such as `cm`, at most 20 characters; only for `INTEGER` and `DECIMAL`.
    unit: Option<String>,
    /// The smallest number, such as `18` or `0.5`, or the first day, such as `2020-01-01`; not for other kinds.
    minimum: Option<String>,
    /// The largest number or the last day.
    maximum: Option<String>,
}

impl From<AttributeCreateInput> for NewAttribute {
    fn from(input: AttributeCreateInput) -> Self {
        Self {
            key: input.key,
            name: input.name,
            description: input.description,
            kind: input.kind.into(),
            choices: choices(input.choices),
            unit: input.unit,
            minimum: input.minimum,
            maximum: input.maximum,
        }
    }
}

/// A change of an attribute; what is left out stays. Key and kind are for good.
#[derive(Clone, Debug, InputObject)]
pub struct AttributeUpdateInput {
    /// Which attribute.
    pub(super) id: ID,
    /// The version that the change is based on.
    version: i32,
    /// What people call it, at most 200 characters.
    name: Option<String>,
    /// What it is for; null clears it.
    description: MaybeUndefined<String>,
    /// What can be chosen, all of it, in order. One that stands with a customer cannot be left out.
    choices: Option<Vec<AttributeChoiceInput>>,
    /// What its numbers count; null clears it.
    unit: MaybeUndefined<String>,
    /// The smallest number or the first day that is taken from now on; values that stand are not touched. Null clears it.
    minimum: MaybeUndefined<String>,
    /// The largest number or the last day that is taken from now on; null clears it.
    maximum: MaybeUndefined<String>,
}

impl From<AttributeUpdateInput> for AttributeChange {
    fn from(input: AttributeUpdateInput) -> Self {
        Self {
            version: input.version.into(),
            name: input.name,
            description: patch(input.description),
            choices: input.choices.map(choices),
            unit: patch(input.unit),
            minimum: patch(input.minimum),
            maximum: patch(input.maximum),
        }
    }
}

/// Which attribute is put away, or taken out again.
#[derive(Clone, Debug, InputObject)]
pub struct AttributeArchiveInput {
    /// Which attribute.
    pub(super) id: ID,
    /// The version that the change is based on.
    pub(super) version: i32,
}

/// A value of an attribute, in the field of the attribute's kind.
#[derive(Clone, Debug, OneofObject)]
pub enum AttributeValueInput {
    /// A line of at most 500 characters, for `TEXT`.
    Text(String),
    /// A whole number, for `INTEGER`.
    Integer(i32),
    /// A number with at most 6 decimals, for `DECIMAL`.
    Decimal(Decimal),
    /// Yes or no, for `BOOLEAN`.
    Boolean(bool),
    /// A day, for `DATE`.
    Date(Date),
    /// The key of a choice, for `CHOICE`.
    Choice(String),
    /// The keys of all that is chosen, for `CHOICES`.
    Choices(Vec<String>),
}

impl From<AttributeValueInput> for Given {
    fn from(input: AttributeValueInput) -> Self {
        match input {
            AttributeValueInput::Text(text) => Self::Text(text),
            AttributeValueInput::Integer(number) => Self::Integer(number),
            AttributeValueInput::Decimal(number) => Self::Decimal(number.0),
            AttributeValueInput::Boolean(yes) => Self::Boolean(yes),
            AttributeValueInput::Date(day) => Self::Date(day.0),
            AttributeValueInput::Choice(key) => Self::Choice(key),
            AttributeValueInput::Choices(keys) => Self::Choices(keys),
        }
    }
}

/// What an attribute says of a customer.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerAttributeSetInput {
    /// The customer.
    customer_id: ID,
    /// The attribute.
    attribute_id: ID,
    /// The value; it takes the place of one that is known in the same way.
    value: AttributeValueInput,
    /// Said by the customer or noted by staff; what is derived cannot be set by hand.
    provenance: AttributeProvenance,
}

impl From<CustomerAttributeSetInput> for AttributeSetting {
    fn from(input: CustomerAttributeSetInput) -> Self {
        Self {
            customer: key(&input.customer_id),
            attribute: key(&input.attribute_id),
            provenance: input.provenance.into(),
            value: input.value.into(),
        }
    }
}

/// What is no longer known of a customer.
#[derive(Clone, Debug, InputObject)]
pub struct CustomerAttributeClearInput {
    /// The customer.
    pub(super) customer_id: ID,
    /// The attribute.
    pub(super) attribute_id: ID,
    /// In which way it was known; what is derived cannot be cleared by hand.
    pub(super) provenance: AttributeProvenance,
}

/// A condition on one of the shop's own attributes; everything given must hold. With nothing but the attribute, any value
/// does.
#[derive(Clone, Debug, InputObject)]
#[graphql(name = "AttributeCondition")]
pub struct AttributeConditionInput {
    /// The attribute.
    attribute_id: ID,
    /// Only what is known in this way; in any, when absent.
    provenance: Option<AttributeProvenance>,
    /// Exactly this value; of several choices, exactly these.
    equals: Option<AttributeValueInput>,
    /// This number or a larger one, this day or a later one.
    at_least: Option<AttributeValueInput>,
    /// This number or a smaller one, this day or an earlier one.
    at_most: Option<AttributeValueInput>,
    /// One of these values, at most 50; of several choices, at least one of these.
    among: Option<Vec<AttributeValueInput>>,
}

impl From<AttributeConditionInput> for AttributeCondition {
    fn from(input: AttributeConditionInput) -> Self {
        Self {
            attribute: key(&input.attribute_id),
            provenance: input.provenance.map(Into::into),
            equals: input.equals.map(Into::into),
            at_least: input.at_least.map(Into::into),
            at_most: input.at_most.map(Into::into),
            among: input
                .among
                .map(|among| among.into_iter().map(Into::into).collect()),
        }
    }
}
