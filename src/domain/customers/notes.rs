//! Notes on a customer: dated, signed, only ever added (rule C10).
//!
//! Called by the API. There is no change and no removal, on purpose: what was wrong is set right by another note.

use super::completeness::Touched;
use super::lock::{note, open};
use super::parse::lines;
use crate::access::{Action, Ctx, sight};
use crate::db::{Keyset, Page, PageRequest, Sort};
use crate::error::{Error, Result, UserErrors};
use entity::customer_note::{self, Column, Model};
use entity::ids::{CustomerId, NoteId};
use sea_orm::sea_query::{Expr, ExprTrait, SelectStatement};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, EntityTrait, FromQueryResult, IntoActiveModel, PaginatorTrait,
    QueryFilter, QueryTrait, Select,
};
use serde_json::json;

/// Adds a note, signed by the viewer.
///
/// # Errors
/// User errors when the customer is unknown or the text is refused; those of the policy and the database.
pub async fn add(ctx: &Ctx, customer_id: CustomerId, text: &str) -> Result<Model> {
    ctx.require(Action::CustomerWrite)?;
    let mut errors = UserErrors::new();
    let text = lines(&mut errors, "text", text, 4000);
    errors.check()?;
    let row = &Model {
        id: NoteId::new(),
        customer_id,
        author_id: ctx.viewer.staff_id(),
        text: text.ok_or_else(|| Error::internal("no text and no error"))?,
        written_at: ctx.now(),
    };
    ctx.db
        .write_for(&[customer_id], |tx| async move {
            let customer = open(&*tx, ctx, customer_id).await?;
            let made = row
                .clone()
                .into_active_model()
                .reset_all()
                .insert(&*tx)
                .await?;
            let words = ("customer.note_added", "customer.note_add");
            let detail = json!({ "note": made.id });
            note(
                &*tx,
                ctx,
                words,
                &customer,
                made.id.into(),
                detail,
                Touched::Nothing,
            )
            .await?;
            Ok(made)
        })
        .await
}

/// Notes by id, where their customers are in sight.
///
/// # Errors
/// Those of the policy and the database.
pub async fn by_ids(ctx: &Ctx, ids: &[NoteId]) -> Result<Vec<Model>> {
    let select = in_sight(ctx)?.filter(Column::Id.is_in(ids.iter().copied()));
    Ok(select.all(ctx.db.read()).await?)
}

fn in_sight(ctx: &Ctx) -> Result<Select<customer_note::Entity>> {
    let mut select = customer_note::Entity::find();
    if let Some(sight) = sight::customer_ids(ctx, Action::CustomerRead)? {
        select = select
            .filter(Expr::col((customer_note::Entity, Column::CustomerId)).in_subquery(sight));
    }
    Ok(select)
}

/// The newest first, and of the same moment the one written last.
fn order() -> Keyset {
    Keyset::new(
        Expr::col((customer_note::Entity, Column::WrittenAt)),
        Expr::col((customer_note::Entity, Column::Id)),
        Sort::Descending,
    )
}

/// A page of one customer's notes.
///
/// # Errors
/// Those of the policy and the database.
pub async fn page(ctx: &Ctx, customer_id: CustomerId, page: &PageRequest) -> Result<Page<Model>> {
    let select = in_sight(ctx)?.filter(Column::CustomerId.eq(customer_id));
    order().page(ctx.db.read(), select, page).await
}

/// The first notes (or with `backward` the last) of each of these customers, one more than `size` where there are
/// more, in the order in which the page is read.
///
/// # Errors
/// Those of the policy and the database.
pub async fn first_of_each(
    ctx: &Ctx,
    customers: &[CustomerId],
    size: u64,
    backward: bool,
) -> Result<Vec<Model>> {
    let select: SelectStatement = in_sight(ctx)?
        .filter(Column::CustomerId.is_in(customers.iter().copied()))
        .into_query();
    let place = if backward {
        "row_number() over (partition by customer_id order by written_at, id)"
    } else {
        "row_number() over (partition by customer_id order by written_at desc, id desc)"
    };
    let mut select = select;
    select.expr_as(Expr::cust(place), "place");
    let mut ranked = sea_orm::sea_query::Query::select();
    ranked
        .expr(Expr::cust("*"))
        .from_subquery(select, "ranked")
        .and_where(
            Expr::col("place").lte(i64::try_from(size.saturating_add(1)).unwrap_or(i64::MAX)),
        )
        .order_by("customer_id", sea_orm::Order::Asc)
        .order_by("place", sea_orm::Order::Asc);
    let connection = ctx.db.read();
    let statement = sea_orm::ConnectionTrait::get_database_backend(connection).build(&ranked);
    Ok(Model::find_by_statement(statement).all(connection).await?)
}

/// How many notes a customer has.
///
/// # Errors
/// Those of the policy and the database.
pub async fn count(ctx: &Ctx, customer_id: CustomerId) -> Result<u64> {
    let select = in_sight(ctx)?.filter(Column::CustomerId.eq(customer_id));
    Ok(select.count(ctx.db.read()).await?)
}
