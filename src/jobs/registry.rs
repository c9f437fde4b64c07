//! Which kinds of jobs this program can run. Put together by `app`: one [`Registry::add`] a kind.

use super::job::{Job, JobContext};
use crate::error::{Error, Result};
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;

type Runner = fn(serde_json::Value, JobContext) -> BoxFuture<'static, Result<()>>;

/// The kinds of jobs that can be run, by name. A node claims only those: while an upgrade rolls, older nodes leave
/// newer kinds alone.
#[derive(Clone, Debug, Default)]
pub struct Registry {
    runners: BTreeMap<&'static str, Runner>,
}

impl Registry {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a kind.
    pub fn add<J: Job>(&mut self) -> &mut Self {
        self.runners.insert(J::NAME, |payload, context| {
            Box::pin(async move {
                // serde's message may quote the payload, which is no business of the log's.
                let job: J = serde_json::from_value(payload)
                    .map_err(|_| Error::internal("the job's payload cannot be read"))?;
                job.run(&context).await
            })
        });
        self
    }

    /// The names of the kinds.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.runners.keys().copied()
    }

    /// The work of a job.
    pub(super) fn work(
        &self,
        name: &str,
        payload: serde_json::Value,
        context: JobContext,
    ) -> BoxFuture<'static, Result<()>> {
        match self.runners.get(name) {
            Some(runner) => runner(payload, context),
            None => Box::pin(async { Err(Error::internal("nobody here can run this job")) }),
        }
    }
}
