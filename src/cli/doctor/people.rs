//! The company, who can sign in, and what imported files are still waiting for.

use super::report::Report;
use crate::access::Ctx;
use crate::app::StartError;
use crate::domain::moving::open;
use crate::domain::organization::staff;
use entity::company;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter};

/// Looks at the company and its accounts.
pub(super) async fn look(report: &mut Report, ctx: &Ctx) -> Result<(), StartError> {
    let db = &ctx.db;
    match company::Entity::find().one(db.read()).await? {
        // As it comes when nobody has said anything.
        Some(company) if company.name == crate::config::Company::default().name => report.warn(
            "company",
            &format!(
                "is still called {}, with the currency {} and the time zone {}: set them by `companyUpdate`, the currency \
                 before the first purchase",
                company.name, company.currency, company.time_zone
            ),
        ),
        Some(_) => report.ok("company", "is set up"),
        None => report.warn(
            "company",
            "is not set up yet: the first `regulars serve` does",
        ),
    }
    let working = entity::staff::Entity::find()
        .filter(entity::staff::Column::DisabledAt.is_null())
        .count(db.read())
        .await?;
    let mut sql = db.sql();
    sql.push(
        "select 1 as one from staff_grant join staff on staff.id = staff_grant.staff_id
            where staff_grant.role = 'ADMIN' and staff.disabled_at is null limit 1",
    );
    let has_admin = db.read().query_one_raw(sql.build()).await?.is_some();
    match (working, has_admin) {
        (0, _) => report.warn(
            "staff",
            "nobody can sign in: make an administrator with `regulars staff create`",
        ),
        (_, false) => report.warn(
            "staff",
            &format!(
                "{working} account(s), and no administrator among them: make one with `regulars staff create EMAIL \
                 --role ADMIN`"
            ),
        ),
        (_, true) => report.ok("staff", &format!("{working} account(s)")),
    }
    if staff::demo_can_sign_in(ctx).await? {
        report.fail(
            "demo accounts",
            "can sign in with a password that everybody knows: disable them with `regulars staff disable`",
        );
    } else {
        report.ok("demo accounts", "none can sign in");
    }
    Ok(())
}

/// What imported files name that is not there yet.
pub(super) async fn references(report: &mut Report, ctx: &Ctx) -> Result<(), StartError> {
    match open::count(ctx).await? {
        0 => report.ok("references", "all that imported files name is there"),
        count => report.warn(
            "references",
            &format!(
                "{count} of imported files name what is not there: `regulars import open` lists them, and the next import \
                 looks for them again"
            ),
        ),
    }
    Ok(())
}
