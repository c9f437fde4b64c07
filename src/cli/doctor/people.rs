//! The company, who can sign in, what groups stand for, and what imported files are still waiting for.

use super::report::Report;
use crate::access::Ctx;
use crate::app::StartError;
use crate::domain::moving::open;
use crate::domain::organization::staff;
use entity::values::{GroupRole, PlaceCode};
use entity::{company, region, store};
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

/// Do the groups of the company's sign-in stand for roles in places that there are?
pub(super) async fn groups(
    report: &mut Report,
    ctx: &Ctx,
    mappings: &[GroupRole],
) -> Result<(), StartError> {
    if mappings.is_empty() {
        return Ok(());
    }
    let mut lost = Vec::new();
    for mapping in mappings {
        let is_there = match &mapping.place {
            PlaceCode::Company => true,
            PlaceCode::Region(code) => region::Entity::find()
                .filter(region::Column::Code.eq(code))
                .one(ctx.db.read())
                .await?
                .is_some(),
            PlaceCode::Store(code) => store::Entity::find()
                .filter(store::Column::Code.eq(code))
                .one(ctx.db.read())
                .await?
                .is_some(),
        };
        if !is_there {
            lost.push(mapping.to_string());
        }
    }
    if lost.is_empty() {
        report.ok("groups", "stand for roles in places that there are");
    } else {
        report.warn(
            "groups",
            &format!(
                "REGULARS_OIDC_GROUPS names stores or regions that there are not, and gives no role for {}",
                lost.join(", ")
            ),
        );
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
