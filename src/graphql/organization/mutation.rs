//! The mutations of the company, its regions, stores and staff.

use super::input::{
    CompanyUpdateInput, RegionCreateInput, RegionUpdateInput, StaffCreateInput, StaffDisableInput,
    StaffEnableInput, StaffPasswordResetInput, StaffUpdateInput, StoreArchiveInput,
    StoreCreateInput, StoreUpdateInput, key,
};
use super::object::{Company, Region, Staff, Store};
use super::session::service;
use crate::access::{Action, Ctx};
use crate::domain::organization::staff_list::StaffMember;
use crate::domain::organization::{company, regions, staff, staff_list, stores};
use crate::error::Result;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::payload::payload;
use crate::graphql::payload::{UserError, settle};
use async_graphql::{Context, Object, SimpleObject};
use entity::ids::{StaffId, StoreId};
use secrecy::{ExposeSecret, SecretString};

payload!(
    versioned CompanyUpdatePayload,
    company: Company,
    "What came of changing the company.",
    "The company as it is now, also after a stale version; null after other errors."
);
payload!(
    RegionCreatePayload,
    region: Region,
    "What came of making a region.",
    "The new region."
);
payload!(
    versioned RegionUpdatePayload,
    region: Region,
    "What came of changing a region.",
    "The region as it is now, also after a stale version; null after other errors."
);
payload!(
    StoreCreatePayload,
    store: Store,
    "What came of making a store.",
    "The new store."
);
payload!(
    versioned StoreUpdatePayload,
    store: Store,
    "What came of changing a store.",
    "The store as it is now, also after a stale version; null after other errors."
);
payload!(
    versioned StoreArchivePayload,
    store: Store,
    "What came of archiving a store.",
    "The store as it is now, also after a stale version; null after other errors."
);
payload!(
    StaffCreatePayload,
    staff: Staff,
    "What came of making an account.",
    "The new account."
);
payload!(
    versioned StaffUpdatePayload,
    staff: Staff,
    "What came of changing an account.",
    "The account as it is now, also after a stale version; null after other errors."
);
payload!(
    StaffDisablePayload,
    staff: Staff,
    "What came of switching an account off.",
    "The account as it is now."
);
payload!(
    StaffEnablePayload,
    staff: Staff,
    "What came of switching an account on.",
    "The account as it is now."
);

/// What came of setting somebody's password anew.
#[derive(SimpleObject)]
pub struct StaffPasswordResetPayload {
    /// The account as it is now; all its sessions have ended.
    pub staff: Option<Staff>,
    /// The generated password, shown this once; null when one was given.
    pub generated_password: Option<String>,
    /// What the caller can put right; empty when the change was made.
    pub user_errors: Vec<UserError>,
}

/// The mutations of the organization.
#[derive(Clone, Copy, Debug, Default)]
pub struct OrganizationMutation;

#[Object]
impl OrganizationMutation {
    /// Change the company. For administrators.
    async fn company_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The change.")] input: CompanyUpdateInput,
    ) -> async_graphql::Result<CompanyUpdatePayload> {
        let ctx = ctx(context)?;
        let changed = company::update(ctx, &input.into()).await;
        CompanyUpdatePayload::from_change(context, changed.map(Company), async {
            Ok(Some(Company(company::reread(ctx).await?)))
        })
        .await
    }

    /// Make a region. For administrators.
    async fn region_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The region.")] input: RegionCreateInput,
    ) -> async_graphql::Result<RegionCreatePayload> {
        let result = regions::create(ctx(context)?, &input.into()).await;
        RegionCreatePayload::from_result(context, result.map(Region))
    }

    /// Change a region. For administrators.
    async fn region_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The change.")] input: RegionUpdateInput,
    ) -> async_graphql::Result<RegionUpdatePayload> {
        let (ctx, (id, change)) = (ctx(context)?, input.parts());
        let changed = regions::update(ctx, id, &change).await;
        RegionUpdatePayload::from_change(context, changed.map(Region), async {
            Ok(regions::by_id(ctx, id).await?.map(Region))
        })
        .await
    }

    /// Make a store. For administrators.
    async fn store_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The store.")] input: StoreCreateInput,
    ) -> async_graphql::Result<StoreCreatePayload> {
        let result = stores::create(ctx(context)?, &input.into()).await;
        StoreCreatePayload::from_result(context, result.map(Store))
    }

    /// Change a store. For administrators.
    async fn store_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The change.")] input: StoreUpdateInput,
    ) -> async_graphql::Result<StoreUpdatePayload> {
        let (ctx, (id, change)) = (ctx(context)?, input.parts());
        let changed = stores::update(ctx, id, &change).await;
        StoreUpdatePayload::from_change(context, changed.map(Store), present_store(ctx, id)).await
    }

    /// Archive a store that has closed for good, or take it out of the archive; its customers and its history
    /// stay. For administrators.
    async fn store_archive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which store.")] input: StoreArchiveInput,
    ) -> async_graphql::Result<StoreArchivePayload> {
        let (ctx, id) = (ctx(context)?, key(&input.id));
        let changed = stores::archive(ctx, id, input.version.into(), input.archived).await;
        StoreArchivePayload::from_change(context, changed.map(Store), present_store(ctx, id)).await
    }

    /// Make an account for a member of staff: one a person. For administrators.
    async fn staff_create(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The account.")] input: StaffCreateInput,
    ) -> async_graphql::Result<StaffCreatePayload> {
        let result = create(context, input).await;
        StaffCreatePayload::from_result(context, result.map(Staff))
    }

    /// Change an account; new roles hold everywhere within two seconds. For administrators.
    async fn staff_update(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "The change.")] input: StaffUpdateInput,
    ) -> async_graphql::Result<StaffUpdatePayload> {
        let (ctx, id) = (ctx(context)?, key(&input.id));
        let changed = update(ctx, id, input).await;
        StaffUpdatePayload::from_change(context, changed.map(Staff), async {
            Ok(staff_list::by_id(ctx, id).await?.map(Staff))
        })
        .await
    }

    /// Switch an account off: all its sessions end within two seconds. For administrators.
    async fn staff_disable(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose account.")] input: StaffDisableInput,
    ) -> async_graphql::Result<StaffDisablePayload> {
        let result = staff::disable(ctx(context)?, key(&input.id)).await;
        StaffDisablePayload::from_result(context, result.map(Staff))
    }

    /// Switch an account on again. For administrators.
    async fn staff_enable(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose account.")] input: StaffEnableInput,
    ) -> async_graphql::Result<StaffEnablePayload> {
        let result = staff::enable(ctx(context)?, key(&input.id)).await;
        StaffEnablePayload::from_result(context, result.map(Staff))
    }

    /// Set somebody's password anew and end all their sessions. For administrators.
    async fn staff_password_reset(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Whose password.")] input: StaffPasswordResetInput,
    ) -> async_graphql::Result<StaffPasswordResetPayload> {
        let password = input.password.map(SecretString::from);
        let result = staff::reset_password(ctx(context)?, key(&input.id), password.as_ref()).await;
        let (done, user_errors) = settle(result).reported(context)?;
        let (staff, generated) = done.unzip();
        Ok(StaffPasswordResetPayload {
            staff: staff.map(Staff),
            generated_password: generated
                .flatten()
                .map(|password| password.expose_secret().to_owned()),
            user_errors,
        })
    }
}

/// The policy is asked before the input is parsed: who may not do this hears nothing about it.
async fn create(context: &Context<'_>, input: StaffCreateInput) -> Result<StaffMember> {
    let ctx = service(context)?;
    ctx.require(Action::StaffManage)?;
    staff::create(ctx, &input.try_into()?).await
}

async fn update(ctx: &Ctx, id: StaffId, input: StaffUpdateInput) -> Result<StaffMember> {
    ctx.require(Action::StaffManage)?;
    staff::update(ctx, id, &input.try_into()?).await
}

async fn present_store(ctx: &Ctx, id: StoreId) -> Result<Option<Store>> {
    Ok(stores::by_id(ctx, id).await?.map(Store))
}
