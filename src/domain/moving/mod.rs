//! Moving in: what another system kept of customers, cards, products, staff and purchases comes in from files.
//!
//! Called by the command line, and by jobs. [`run`] takes a file of one [`Kind`] in, with [`MoveOptions`] that are words
//! only; what comes of it is a [`Report`], and on the way
//! [`Progress`]. A file that cannot be read to its end leaves nothing behind; each batch is one
//! transaction, and a row that came in before is known, so that an import may be killed at any moment and run again.
//!
//! The order of files is free: what a row refers to and is not there yet is kept by [`open`], and looked for at the end
//! of this and of every later import. What is there already is filled in and never overwritten: see
//! `docs/adr/0010-moving-in.md`.

mod batches;
mod cards;
mod categories;
mod customers;
mod holders;
pub mod open;
mod options;
mod products;
mod referrals;
mod resolve;
mod shelf;
mod staff;

pub use options::{Kind, MoveOptions};

use crate::access::sight::Reach;
use crate::access::{Action, Ctx, Viewer};
use crate::domain::organization;
use crate::domain::visits::import::{self as purchases, Target};
use crate::error::{Error, Result};
use crate::intake::cards::CardRow;
use crate::intake::customers::CustomerRow;
use crate::intake::products::ProductRow;
use crate::intake::staff::StaffRow;
use crate::intake::{Progress, PurchaseRows, Report, Rows};
use std::io::Read;

/// Takes a file in.
///
/// # Errors
/// [`Error::BadRequest`] with what to do for options that are wrong and files that do not fit them; as
/// [`Ctx::require`]; those of the database: then running the import again goes on from there.
pub async fn run<R: Read + Send + 'static>(
    ctx: &Ctx,
    kind: Kind,
    options: &MoveOptions,
    file: R,
    mut tell: impl FnMut(Progress<'_>) -> Result<()>,
) -> Result<Report> {
    allowed(ctx, kind)?;
    let company = organization::settings(ctx).await?;
    let mut report = match kind {
        Kind::Purchases => {
            let reading = options.reading(ctx, &company)?;
            let rows = batches::opened(move || PurchaseRows::open(file, reading)).await?;
            let rows = rows.map_err(|error| options.wrong(&error))?;
            let target = Target {
                source: options.source.clone(),
                store: options.store.clone(),
                currency: company.currency,
                phone_region: company.country,
                dry_run: options.dry_run,
            };
            purchases::run(ctx, target, rows, &mut tell).await?
        }
        Kind::Customers => {
            let taker = customers::Taker::new(ctx, options, company).await?;
            batches::run(ctx, options, taker, file, &mut tell).await?
        }
        Kind::Cards => {
            let taker = cards::Taker::new(options, company);
            batches::run(ctx, options, taker, file, &mut tell).await?
        }
        Kind::Products => {
            let taker = products::Taker::new(options, company);
            batches::run(ctx, options, taker, file, &mut tell).await?
        }
        Kind::Staff => {
            let taker = staff::Taker::new(ctx).await?;
            batches::run(ctx, options, taker, file, &mut tell).await?
        }
    };
    if !options.dry_run {
        // As the program itself: whoever imported something was allowed to, and what waits may be somebody else's.
        let program = ctx.for_request(Viewer::System, ctx.origin.clone());
        resolve::all(&program).await?;
        report.open = open::count(&program).await?;
    }
    Ok(report)
}

/// Looks whether a file of this kind can be read at all, and as these options say: for whoever makes things ready before
/// [`run`], which looks too.
///
/// # Errors
/// [`Error::BadRequest`] with what to do; as [`Ctx::require`].
pub async fn check<R: Read>(ctx: &Ctx, kind: Kind, options: &MoveOptions, file: R) -> Result<()> {
    allowed(ctx, kind)?;
    let company = &organization::settings(ctx).await?;
    match kind {
        Kind::Purchases => PurchaseRows::open(file, options.reading(ctx, company)?).map(|_| ()),
        Kind::Customers => {
            Rows::<R, CustomerRow>::open(file, options.reading(ctx, company)?).map(|_| ())
        }
        Kind::Cards => Rows::<R, CardRow>::open(file, options.reading(ctx, company)?).map(|_| ()),
        Kind::Products => {
            Rows::<R, ProductRow>::open(file, options.reading(ctx, company)?).map(|_| ())
        }
        Kind::Staff => Rows::<R, StaffRow>::open(file, options.reading(ctx, company)?).map(|_| ()),
    }
    .map_err(|error| options.wrong(&error))
}

/// May the viewer take such a file in, which concerns all stores?
///
/// # Errors
/// As [`Ctx::require`].
pub fn allowed(ctx: &Ctx, kind: Kind) -> Result<()> {
    let needed: &[Action] = match kind {
        Kind::Purchases => &[Action::VisitRecord],
        Kind::Customers => &[Action::CustomerWrite, Action::CustomerManage],
        Kind::Cards => &[Action::CardWrite, Action::TierGrant],
        Kind::Products => &[Action::CatalogManage],
        Kind::Staff => &[Action::StaffManage],
    };
    for action in needed {
        ctx.require(*action)?;
        if Reach::of(&ctx.viewer, *action) != Reach::Company {
            return Err(Error::Forbidden);
        }
    }
    Ok(())
}
