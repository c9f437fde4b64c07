//! The closed sets of words of this topic, as the API has them.

use async_graphql::Enum;

/// What kind of customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::CustomerKind")]
pub enum CustomerKind {
    /// A private person.
    Person,
    /// A business.
    Trade,
}

/// A customer's gender, as they state it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::Gender")]
pub enum Gender {
    /// Female.
    Female,
    /// Male.
    Male,
    /// Neither of the two.
    Other,
}

/// How much a customer matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::Importance")]
pub enum Importance {
    /// One of the few who are kept on a list of their own.
    Key,
    /// Everyone else.
    Regular,
}

/// A customer's monthly income, in bands relative to the usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::IncomeBand")]
pub enum IncomeBand {
    /// Far below the usual.
    VeryLow,
    /// Below the usual.
    Low,
    /// The usual.
    Middle,
    /// Above the usual.
    High,
    /// Far above the usual.
    VeryHigh,
}

/// How a customer's income is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::IncomeProvenance")]
pub enum IncomeProvenance {
    /// The customer said so.
    Stated,
    /// A member of staff estimates it, with a reason.
    Estimated,
}

/// How much the price decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::PriceSensitivity")]
pub enum PriceSensitivity {
    /// Hardly.
    Low,
    /// Somewhat.
    Medium,
    /// Mostly.
    High,
}

/// How a customer came to the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::AcquisitionSource")]
pub enum AcquisitionSource {
    /// Walked in.
    WalkIn,
    /// Another customer referred them.
    Referral,
    /// Received a gift bought here.
    Gift,
    /// A storefront on the web or in an app.
    Online,
    /// An advertisement.
    Advertisement,
    /// An event of the shop's.
    Event,
    /// Moved in with the history of another system.
    Import,
    /// None of these.
    Other,
}

/// The ways to reach a customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::ContactKind")]
pub enum ContactKind {
    /// A mobile phone.
    Mobile,
    /// A phone that stays in its place.
    Landline,
    /// An e-mail address.
    Email,
    /// A WeChat name.
    #[graphql(name = "WECHAT")]
    WeChat,
    /// A QQ number.
    Qq,
    /// Anything else, in words.
    Other,
}

/// What a contact point may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(name = "ConsentPurpose", remote = "entity::enums::Purpose")]
pub enum Purpose {
    /// What the customer asked for: orders, deliveries, complaints.
    Service,
    /// Care: thanks, wishes, questions after a purchase.
    Care,
    /// Marketing: offers.
    Marketing,
}

/// How a consent was given or withdrawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::ConsentMethod")]
pub enum ConsentMethod {
    /// Said in the store.
    InStore,
    /// Said on the phone.
    Phone,
    /// Signed on paper.
    Paper,
    /// Ticked in the app or on the web.
    Online,
    /// Brought from another system, with evidence.
    Import,
}

/// What a taste is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::TasteAspect")]
pub enum TasteAspect {
    /// A category of goods.
    Category,
    /// A brand.
    Brand,
    /// A size, such as `shoe 42`.
    Size,
    /// A hobby.
    Hobby,
    /// Another shop where the customer buys.
    OtherShop,
}

/// For or against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::Attitude")]
pub enum Attitude {
    /// The customer likes, has or does it.
    Likes,
    /// The customer dislikes it.
    Dislikes,
}

/// Where a piece of knowledge comes from: three things kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::TasteProvenance")]
pub enum TasteProvenance {
    /// The customer said so.
    Stated,
    /// A member of staff noticed it.
    Noted,
    /// Computed from purchases; cannot be set by hand.
    Derived,
}

/// A part of a customer's file that is either known or missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
#[graphql(remote = "entity::enums::FileField")]
pub enum FileField {
    /// The full name, told and not only a number in another system.
    FullName,
    /// How to address them.
    Salutation,
    /// Their gender, as they state it.
    Gender,
    /// When they were born.
    BirthDate,
    /// A telephone number.
    Phone,
    /// An e-mail address or a name in a chat: another way to reach them.
    EmailOrChat,
    /// Their home address; of a business, its address.
    Address,
    /// The region they live in.
    Region,
    /// The language in which they are addressed.
    Language,
    /// What they do: occupation, position or employer.
    Occupation,
    /// Their income.
    Income,
    /// Something they like or dislike, as they said or as staff noticed.
    Taste,
    /// A size they wear or use.
    Size,
    /// A day worth remembering.
    SpecialDay,
    /// Who keeps them.
    Keeper,
    /// The store that is their home.
    HomeStore,
    /// Whether they may be contacted: a statement about a contact point in use, given or refused.
    Consent,
}

/// How it stands with a field of a customer's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum FileFieldState {
    /// Known, and confirmed lately.
    Present,
    /// Not known.
    Missing,
    /// Known, and never confirmed or not for as long as the rules say.
    NotConfirmed,
}
