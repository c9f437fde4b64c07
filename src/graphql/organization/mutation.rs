//! The mutations of the company, its regions, stores and staff.

use super::input::{
    CompanyUpdateInput, RegionCreateInput, RegionUpdateInput, StaffCreateInput, StaffDisableInput,
    StaffEnableInput, StaffPasswordResetInput, StaffUpdateInput, StoreArchiveInput,
    StoreCreateInput, StoreUpdateInput, key,
};
use super::object::{Company, Region, Staff, Store};
use super::session::service;
use crate::access::Action;
use crate::domain::organization::staff_list::StaffMember;
use crate::domain::organization::{company, regions, staff, stores};
use crate::error::Result;
use crate::graphql::context::{Reported, ctx};
use crate::graphql::payload::payload;
use crate::graphql::payload::{UserError, settle};
use async_graphql::{Context, Object, SimpleObject};
use secrecy::{ExposeSecret, SecretString};

payload!(
    CompanyUpdatePayload,
    company: Company,
    "What came of changing the company.",
    "The company as it is now."
);
payload!(
    RegionCreatePayload,
    region: Region,
    "What came of making a region.",
    "The new region."
);
payload!(
    RegionUpdatePayload,
    region: Region,
    "What came of changing a region.",
    "The region as it is now."
);
payload!(
    StoreCreatePayload,
    store: Store,
    "What came of making a store.",
    "The new store."
);
payload!(
    StoreUpdatePayload,
    store: Store,
    "What came of changing a store.",
    "The store as it is now."
);
payload!(
    StoreArchivePayload,
    store: Store,
    "What came of archiving a store.",
    "The store as it is now."
);
payload!(
    StaffCreatePayload,
    staff: Staff,
    "What came of making an account.",
    "The new account."
);
payload!(
    StaffUpdatePayload,
    staff: Staff,
    "What came of changing an account.",
    "The account as it is now."
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
        let result = company::update(ctx(context)?, &input.into()).await;
        CompanyUpdatePayload::from_result(context, result.map(Company))
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
        let (id, change) = input.parts();
        let result = regions::update(ctx(context)?, id, &change).await;
        RegionUpdatePayload::from_result(context, result.map(Region))
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
        let (id, change) = input.parts();
        let result = stores::update(ctx(context)?, id, &change).await;
        StoreUpdatePayload::from_result(context, result.map(Store))
    }

    /// Archive a store that has closed for good, or take it out of the archive; its customers and its history
    /// stay. For administrators.
    async fn store_archive(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which store.")] input: StoreArchiveInput,
    ) -> async_graphql::Result<StoreArchivePayload> {
        let (id, version) = (key(&input.id), input.version.into());
        let result = stores::archive(ctx(context)?, id, version, input.archived).await;
        StoreArchivePayload::from_result(context, result.map(Store))
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
        let result = update(context, input).await;
        StaffUpdatePayload::from_result(context, result.map(Staff))
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

async fn update(context: &Context<'_>, input: StaffUpdateInput) -> Result<StaffMember> {
    let ctx = service(context)?;
    ctx.require(Action::StaffManage)?;
    let id = key(&input.id);
    staff::update(ctx, id, &input.try_into()?).await
}
