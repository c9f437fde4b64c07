//! The queue as an administrator sees it: which jobs wait, run, are done or were given up, and why.
//!
//! Called by `graphql::operations`. A job's payload is not shown: it says nothing that the name does not.

use crate::access::{Action, Ctx, audit};
use crate::db::{Page, PageRequest, Sort, Sql, literal_limit};
use crate::error::{Code, Error, Result};
use entity::enums::JobState;
use entity::ids::JobId;
use entity::job;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, Select,
};

/// Which jobs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JobFilter {
    /// Only those that stand there.
    pub state: Option<JobState>,
    /// Only those of this kind.
    pub name: Option<String>,
}

fn select(filter: &JobFilter) -> Select<job::Entity> {
    let mut select = job::Entity::find();
    if let Some(state) = filter.state {
        select = select.filter(job::Column::State.eq(state));
    }
    if let Some(name) = &filter.name {
        select = select.filter(job::Column::Name.eq(name.as_str()));
    }
    select
}

/// A page of jobs, by when they were asked for.
///
/// # Errors
/// As [`crate::access::Viewer::require`]; those of the database.
pub async fn page(
    ctx: &Ctx,
    filter: &JobFilter,
    sort: Sort,
    page: &PageRequest,
) -> Result<Page<job::Model>> {
    ctx.require(Action::JobRead)?;
    // Ids are made in the order of time, so they are all that the list is ordered by; naming the column twice, as a
    // keyset of two would, makes SQLite sort every job of a state.
    let mut select = select(filter);
    for (bound, behind) in [(&page.bounds.after, true), (&page.bounds.before, false)] {
        let Some(bound) = bound else { continue };
        let id = bound.id.clone();
        select = select.filter(if behind == (sort == Sort::Ascending) {
            job::Column::Id.gt(id)
        } else {
            job::Column::Id.lt(id)
        });
    }
    let order = match (sort, page.backward) {
        (Sort::Ascending, false) | (Sort::Descending, true) => Order::Asc,
        _ => Order::Desc,
    };
    let connection = ctx.db.read();
    let statement = select
        .order_by(job::Column::Id, order)
        .build(connection.get_database_backend());
    let statement = literal_limit(statement, page.size.saturating_add(1));
    let rows = job::Model::find_by_statement(statement)
        .all(connection)
        .await?;
    Ok(page.cut(rows))
}

/// How many jobs.
///
/// # Errors
/// As [`page`].
pub async fn count(ctx: &Ctx, filter: &JobFilter) -> Result<u64> {
    ctx.require(Action::JobRead)?;
    Ok(select(filter).count(ctx.db.read()).await?)
}

/// Jobs by id.
///
/// # Errors
/// As [`page`].
pub async fn by_ids(ctx: &Ctx, ids: &[JobId]) -> Result<Vec<job::Model>> {
    ctx.require(Action::JobRead)?;
    Ok(job::Entity::find()
        .filter(job::Column::Id.is_in(ids.iter().copied()))
        .all(ctx.db.read())
        .await?)
}

/// Puts a job that was given up back into the queue, with all its attempts before it.
///
/// # Errors
/// A user error at `id`: [`Code::NotFound`]; [`Code::WrongState`] when it was not given up, or when the same work
/// waits or runs already. As [`crate::access::Viewer::require`]; those of the database.
pub async fn retry(ctx: &Ctx, id: JobId) -> Result<job::Model> {
    ctx.require(Action::JobManage)?;
    let now = ctx.now();
    ctx.db
        .write(|tx| async move {
            let mut sql = Sql::for_connection(&*tx);
            sql.push("select id, name, dedup_key, payload, state, run_at, attempts, max_attempts, claimed_by, claimed_until, last_error, created_at, finished_at from job where id = ")
                .bind(id)
                .postgres(" for no key update");
            let found = job::Model::find_by_statement(sql.build()).one(&*tx).await?;
            let job = found.ok_or_else(|| Error::not_found("id", "job"))?;
            if job.state != JobState::Dead {
                return Err(Error::user(
                    Code::WrongState,
                    "id",
                    "only a job that was given up can be run again",
                ));
            }
            if let Some(key) = &job.dedup_key {
                let alive = job::Entity::find()
                    .filter(job::Column::Name.eq(job.name.as_str()))
                    .filter(job::Column::DedupKey.eq(key.as_str()))
                    .filter(job::Column::State.is_in([JobState::Queued, JobState::Running]))
                    .limit(1)
                    .one(&*tx)
                    .await?;
                if alive.is_some() {
                    return Err(Error::user(
                        Code::WrongState,
                        "id",
                        "the same work waits or runs already; nothing needs to be done",
                    ));
                }
            }
            let mut sql = Sql::for_connection(&*tx);
            sql.push("update job set state = 'QUEUED', attempts = 0, finished_at = null, run_at = ")
                .bind(now)
                .push(" where id = ")
                .bind(id);
            tx.execute_raw(sql.build()).await?;
            let entry = audit::Entry::new(ctx, "job.retry")
                .detail(serde_json::json!({ "job": id, "name": job.name }));
            audit::write(&*tx, &[entry]).await?;
            Ok(job::Model {
                state: JobState::Queued,
                attempts: 0,
                finished_at: None,
                run_at: now,
                ..job
            })
        })
        .await
}
