//! What a list of customers is narrowed down to: checked, and made into a condition.
//!
//! Called by [`super::list`] and through it by the API. Masked means unguessable: a part of a contact detail can be
//! searched for only by those who see it in full, and only among the customers of whom they do; a whole one can be
//! looked up by everyone who may read customers, counted and written down for those who see it masked.

use super::attribute_filter::{self, AttributeCondition};
use super::completeness::LISTED;
use super::lookup;
use crate::access::{Action, Ctx, sight};
use crate::db::{Engine, Sort};
use crate::domain::organization;
use crate::error::{Code, Result, UserErrors, text_code};
use entity::customer::Column;
use entity::enums::{ContactKind, CustomerKind, Importance};
use entity::ids::{GroupId, StaffId, StoreId};
use entity::values::{CardNumber, ContactValue, Email, PhoneRegion, SearchQuery, clean_line};
use entity::{card, contact_point, customer, group_member};
use sea_orm::sea_query::{BinOper, Expr, ExprTrait, Query, SelectStatement, UnionType};
use sea_orm::{ColumnTrait, Condition};
use serde::Serialize;

/// Characters of a text that is searched for.
const LONGEST: usize = 200;
/// Characters of the shortest beginning of a contact detail.
const SHORTEST_PREFIX: usize = 3;

/// What to narrow a list down to; everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CustomerFilter {
    /// One box for all: a name, an employer, a whole phone number, e-mail address or card number.
    pub query: Option<String>,
    /// Words of the name.
    pub name: Option<String>,
    /// A whole phone number.
    pub phone: Option<String>,
    /// The beginning of a phone number with + and country code.
    pub phone_prefix: Option<String>,
    /// A whole e-mail address.
    pub email: Option<String>,
    /// The beginning of an e-mail address.
    pub email_prefix: Option<String>,
    /// A whole card number.
    pub card_number: Option<String>,
    /// Words of the employer's name.
    pub employer: Option<String>,
    /// Their home store.
    pub home_store: Option<StoreId>,
    /// Who keeps them.
    pub keeper: Option<StaffId>,
    /// How much they matter.
    pub importance: Option<Importance>,
    /// Person or trade.
    pub kind: Option<CustomerKind>,
    /// What the shop's own attributes say of them.
    pub attributes: Vec<AttributeCondition>,
    /// In this group now.
    pub group: Option<GroupId>,
    /// Only files that were put away, or only those that were not, which is usual.
    pub archived: Option<bool>,
    /// Only files whose score is below this; one that was not counted yet is not known to be.
    pub completeness_below: Option<i32>,
}

/// By what customers are ordered. Contact details are not among it, since an order tells them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum OrderField {
    /// By name, in the company's locale.
    Name,
    /// By when the file was made.
    CreatedAt,
    /// By how complete the file is; those that were not counted yet below all others.
    Completeness,
}

/// How a list is ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CustomerOrder {
    /// By what.
    pub field: OrderField,
    /// Which way.
    pub sort: Sort,
}

impl Default for CustomerOrder {
    fn default() -> Self {
        Self {
            field: OrderField::Name,
            sort: Sort::Ascending,
        }
    }
}

/// A filter that was checked: without sight, which the list adds.
#[derive(Clone, Debug)]
pub struct Narrowed {
    pub(super) condition: Condition,
}

/// Checks a filter; looks up nothing yet, but counts and writes down a look-up of a masked contact detail.
///
/// # Errors
/// User errors for what cannot be searched for, [`Error::Forbidden`](crate::error::Error::Forbidden) for a part of a contact detail in the hands of
/// somebody who sees it masked, [`Error::RateLimited`](crate::error::Error::RateLimited) after too many look-ups.
pub async fn narrow(ctx: &Ctx, filter: &CustomerFilter) -> Result<Narrowed> {
    ctx.require(Action::CustomerRead)?;
    let engine = ctx.db.engine();
    let mut errors = UserErrors::new();
    let mut all = Condition::all();
    if let Some(store) = filter.home_store {
        all = all.add(Column::HomeStoreId.eq(store));
    }
    if let Some(keeper) = filter.keeper {
        all = all.add(Column::KeeperId.eq(keeper));
    }
    if let Some(importance) = filter.importance {
        all = all.add(Column::Importance.eq(importance));
    }
    if let Some(kind) = filter.kind {
        all = all.add(Column::Kind.eq(kind));
    }
    all = all.add_option(filter.group.map(|group| within(members(group))));
    if let Some(below) = filter.completeness_below {
        if !(1..=100).contains(&below) {
            errors.push(
                Code::OutOfRange,
                "filter.completenessBelow",
                "completenessBelow must be 1 to 100",
            );
        }
        all = all
            .add(Expr::cust(LISTED).gte(0))
            .add(Expr::cust(LISTED).lt(below));
    }
    all = all.add(if filter.archived.unwrap_or(false) {
        Column::ArchivedAt.is_not_null()
    } else {
        Column::ArchivedAt.is_null()
    });
    for (text, column) in [(&filter.name, "name"), (&filter.employer, "employer")] {
        if let Some(text) = text
            && let Some(text) = cleaned(&mut errors, column, text)
        {
            all = all.add(match SearchQuery::parse(&text) {
                Some(query) => within(search(engine, column, &query)),
                None => nothing(),
            });
        }
    }
    if let Some(text) = &filter.card_number
        && let Some(text) = cleaned(&mut errors, "cardNumber", text)
    {
        let number = errors.take(
            "filter.cardNumber",
            |_| Code::Invalid,
            CardNumber::parse_any(&text),
        );
        if let Some(number) = number {
            all = all.add(within(holder(&number)));
        }
    }
    for known in attribute_filter::narrow(ctx, &filter.attributes, &mut errors).await? {
        all = all.add(within(known));
    }
    let mut looked_up = Vec::new();
    all = contacts(ctx, filter, all, &mut looked_up, &mut errors).await?;
    errors.check()?;
    lookup::permit(ctx, &looked_up).await?;
    Ok(Narrowed { condition: all })
}

/// Everything in a filter that touches contact details.
async fn contacts(
    ctx: &Ctx,
    filter: &CustomerFilter,
    mut all: Condition,
    looked_up: &mut Vec<&'static str>,
    errors: &mut UserErrors,
) -> Result<Condition> {
    if filter.phone.is_some() || filter.query.is_some() {
        let country = organization::settings(ctx).await?.country;
        if let Some(text) = &filter.phone {
            let phone = ContactValue::parse(ContactKind::Mobile, text, country);
            if let Some(phone) = errors.take("filter.phone", |_| Code::Invalid, phone) {
                looked_up.push("phone");
                all = all.add(within(exact(&phone.normal, PHONES)));
            }
        }
        if let Some(text) = &filter.query
            && let Some(text) = cleaned(errors, "query", text)
        {
            all = all.add(one_box(ctx.db.engine(), &text, country, looked_up));
        }
    }
    if let Some(text) = &filter.email
        && let Some(email) = errors.take("filter.email", |_| Code::Invalid, Email::parse(text))
    {
        looked_up.push("email");
        all = all.add(within(exact(email.normal(), EMAILS)));
    }
    for (text, field, kinds) in [
        (&filter.phone_prefix, "phonePrefix", PHONES),
        (&filter.email_prefix, "emailPrefix", EMAILS),
    ] {
        let Some(text) = text else { continue };
        // Only among those whose details the viewer sees in full.
        let full = sight::customers(ctx, Action::ContactSearch)?;
        if let Some(prefix) = prefix(errors, field, text) {
            all = all
                .add(full)
                .add(within(beginning(ctx.db.engine(), &prefix, kinds)));
        }
    }
    Ok(all)
}

const PHONES: &[ContactKind] = &[ContactKind::Mobile, ContactKind::Landline];
const EMAILS: &[ContactKind] = &[ContactKind::Email];

fn cleaned(errors: &mut UserErrors, field: &str, text: &str) -> Option<String> {
    errors.take(
        &format!("filter.{field}"),
        text_code,
        clean_line(text, LONGEST),
    )
}

/// The normal form of a beginning: of a phone number with its country code, of an address in lower case.
fn prefix(errors: &mut UserErrors, field: &str, text: &str) -> Option<String> {
    let text = cleaned(errors, field, text)?;
    let prefix: String = if field == "phonePrefix" {
        let digits: String = text.chars().filter(char::is_ascii_digit).collect();
        if !text.starts_with('+')
            || !text
                .chars()
                .all(|c| c.is_ascii_digit() || matches!(c, '+' | ' ' | '-' | '(' | ')'))
        {
            return errors.none(
                Code::Invalid,
                "filter.phonePrefix",
                "phonePrefix must begin with + and the country code and have digits only, such as +86138",
            );
        }
        format!("+{digits}")
    } else {
        text.to_lowercase()
    };
    if prefix.chars().count() < SHORTEST_PREFIX {
        return errors.none(
            Code::Invalid,
            &format!("filter.{field}"),
            format!("{field} is too short; give at least {SHORTEST_PREFIX} characters"),
        );
    }
    Some(prefix)
}

/// Whatever the one box may mean, in one subquery.
fn one_box(
    engine: Engine,
    text: &str,
    country: PhoneRegion,
    looked_up: &mut Vec<&'static str>,
) -> Condition {
    let mut found = Vec::new();
    if let Some(query) = SearchQuery::parse(text) {
        found.push(search(engine, "name", &query));
        found.push(search(engine, "employer", &query));
    }
    if let Ok(phone) = ContactValue::parse(ContactKind::Mobile, text, country) {
        looked_up.push("phone");
        found.push(exact(&phone.normal, PHONES));
    }
    if let Ok(email) = Email::parse(text) {
        looked_up.push("email");
        found.push(exact(email.normal(), EMAILS));
    }
    if let Ok(number) = CardNumber::parse_any(text) {
        found.push(holder(&number));
    }
    let mut found = found.into_iter();
    match found.next() {
        Some(mut first) => {
            first.unions(found.map(|other| (UnionType::All, other)));
            within(first)
        }
        None => nothing(),
    }
}

/// The customers whose ids a subquery gives.
fn within(ids: SelectStatement) -> Condition {
    Condition::all().add(Expr::col((customer::Entity, Column::Id)).in_subquery(ids))
}

/// Those who are in a group.
fn members(group: GroupId) -> SelectStatement {
    Query::select()
        .column(group_member::Column::CustomerId)
        .from(group_member::Entity)
        .and_where(group_member::Column::GroupId.eq(group))
        .and_where(group_member::Column::LeftAt.is_null())
        .to_owned()
}

fn nothing() -> Condition {
    Condition::all().add(Expr::cust("1 = 0"))
}

fn search(engine: Engine, column: &'static str, query: &SearchQuery) -> SelectStatement {
    let mut select = Query::select();
    select.column("customer_id").from("customer_search");
    match engine {
        Engine::Sqlite => {
            let index = "customer_search_index";
            let rows = Query::select()
                .column("rowid")
                .from(index)
                .and_where(Expr::col(index).binary(BinOper::Custom("match"), query.to_fts5(column)))
                .to_owned();
            select.and_where(Expr::col("id").in_subquery(rows));
        }
        Engine::Postgres => {
            let document = if column == "name" {
                "name_document"
            } else {
                // Most customers have none, and are not in the index.
                select.and_where(Expr::col(column).ne(""));
                "employer_document"
            };
            select.and_where(Expr::col(document).binary(
                BinOper::Custom("@@"),
                Expr::val(query.to_tsquery()).cast_as("tsquery"),
            ));
        }
    }
    select
}

fn exact(normal: &str, kinds: &[ContactKind]) -> SelectStatement {
    Query::select()
        .column(contact_point::Column::CustomerId)
        .from(contact_point::Entity)
        .and_where(contact_point::Column::Value.eq(normal))
        .and_where(contact_point::Column::RemovedAt.is_null())
        .and_where(contact_point::Column::Kind.is_in(kinds.iter().copied()))
        .to_owned()
}

/// Contact points that begin so. Both engines have an order of bytes in an index for it.
fn beginning(engine: Engine, prefix: &str, kinds: &[ContactKind]) -> SelectStatement {
    // Behind everything that begins so, and before everything else: no text has a character above the last one.
    let end = format!("{prefix}\u{10FFFF}");
    let (from, to) = match engine {
        Engine::Sqlite => (">=", "<"),
        Engine::Postgres => ("~>=~", "~<~"),
    };
    let value = || Expr::col(contact_point::Column::Value);
    Query::select()
        .column(contact_point::Column::CustomerId)
        .from(contact_point::Entity)
        .and_where(value().binary(BinOper::Custom(from), prefix))
        .and_where(value().binary(BinOper::Custom(to), end))
        .and_where(contact_point::Column::RemovedAt.is_null())
        .and_where(contact_point::Column::Kind.is_in(kinds.iter().copied()))
        .to_owned()
}

fn holder(number: &CardNumber) -> SelectStatement {
    Query::select()
        .column(card::Column::CustomerId)
        .from(card::Entity)
        .and_where(card::Column::Number.eq(number.as_str()))
        .to_owned()
}
