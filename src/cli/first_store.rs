//! The first store: a shop that begins with an import has none yet.

use crate::access::Ctx;
use crate::domain::organization::{regions, stores};
use crate::error::{Code, Error, Result};
use entity::store;
use sea_orm::{EntityTrait, PaginatorTrait};
use std::time::Duration;

/// How often it is looked whether another import has made the store.
const PATIENCE: u32 = 50;

/// Is there no store at all?
///
/// # Errors
/// Those of the database.
pub async fn is_missing(ctx: &Ctx) -> Result<bool> {
    Ok(store::Entity::find().count(ctx.db.read()).await? == 0)
}

/// Makes a region and a store with this code when there is no store at all; the store keeps the company's time. Tells
/// whether it did.
///
/// # Errors
/// Those of making them.
pub async fn ensure(ctx: &Ctx, code: &str) -> Result<bool> {
    if !is_missing(ctx).await? {
        return Ok(false);
    }
    for _ in 0..PATIENCE {
        match make(ctx, code).await {
            Ok(()) => return Ok(true),
            // Another import is at it, and may have made the region only: its store will do.
            Err(Error::User(errors)) if errors.iter().any(|error| error.code == Code::Taken) => {
                tokio::time::sleep(Duration::from_millis(100)).await
            }
            Err(error) => return Err(error),
        }
        if !is_missing(ctx).await? {
            return Ok(false);
        }
    }
    make(ctx, code).await.map(|()| true)
}

async fn make(ctx: &Ctx, code: &str) -> Result<()> {
    let region = match regions::all(ctx).await?.into_iter().next() {
        Some(region) => region,
        None => {
            regions::create(
                ctx,
                &regions::NewRegion {
                    code: "main".to_owned(),
                    name: "Main".to_owned(),
                },
            )
            .await?
        }
    };
    let new = stores::NewStore {
        region: region.id,
        code: code.to_owned(),
        name: code.to_owned(),
        time_zone: None,
        opening_hours: Vec::new(),
    };
    stores::create(ctx, &new).await?;
    Ok(())
}
