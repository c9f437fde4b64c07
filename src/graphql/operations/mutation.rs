//! What an administrator can change of the program's own doings.

use super::input::JobRetryInput;
use super::object::{Job, job_id};
use crate::access::{Action, Ctx};
use crate::error::Result;
use crate::graphql::context::ctx;
use crate::jobs;
use async_graphql::{Context, Object};

crate::graphql::payload::payload!(
    JobRetryPayload,
    job: Job,
    "What came of running a job again.",
    "The job, which waits in the queue again; null when the input had errors."
);

/// The mutations of this topic.
#[derive(Clone, Copy, Debug, Default)]
pub struct OperationsMutation;

#[Object]
impl OperationsMutation {
    /// Puts a job that was given up back into the queue, with all its attempts before it. For administrators.
    async fn job_retry(
        &self,
        context: &Context<'_>,
        #[graphql(desc = "Which job.")] input: JobRetryInput,
    ) -> async_graphql::Result<JobRetryPayload> {
        let result = job_retry(ctx(context)?, &input).await;
        JobRetryPayload::from_result(context, result)
    }
}

async fn job_retry(ctx: &Ctx, input: &JobRetryInput) -> Result<Job> {
    // Asked before the id is read: who may not do this learns nothing about ids.
    ctx.require(Action::JobManage)?;
    Ok(Job(jobs::list::retry(ctx, job_id(&input.id)?).await?))
}
