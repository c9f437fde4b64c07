//! The audit log and the job queue through GraphQL, and the plans of their statements.

use super::{OperationsMutation, OperationsQuery};
use crate::access::Ctx;
use crate::access::audit::{Entry, write};
use crate::access::audit_log::{self, AuditFilter};
use crate::db::{Bounds, Engine, PageRequest, Sort};
use crate::graphql::ids::GlobalKey;
use crate::graphql::loaders::loaders;
use crate::testing::{TestDb, noon};
use async_graphql::{EmptySubscription, Request, Schema, Value, Variables};
use chrono::TimeDelta;
use entity::enums::Role;
use entity::ids::{AuditEntryId, CustomerId, JobId, StaffId};
use sea_orm::ConnectionTrait;
use serde_json::json;

async fn ask(ctx: &Ctx, query: &str, variables: serde_json::Value) -> async_graphql::Response {
    let schema = Schema::new(OperationsQuery, OperationsMutation, EmptySubscription);
    let request = Request::new(query)
        .variables(Variables::from_json(variables))
        .data(ctx.clone())
        .data(loaders(ctx.clone()));
    schema.execute(request).await
}

async fn answer(ctx: &Ctx, query: &str, variables: serde_json::Value) -> serde_json::Value {
    let response = ask(ctx, query, variables).await;
    assert!(response.errors.is_empty(), "{:?}", response.errors);
    response.data.into_json().unwrap()
}

const ENTRIES: &str =
    "query($first: Int, $after: String, $filter: AuditEntryFilter, $orderBy: AuditEntryOrder) {
    auditEntries(first: $first, after: $after, filter: $filter, orderBy: $orderBy) {
        totalCount
        pageInfo { hasNextPage endCursor }
        nodes { id at actorKind actor action address requestId customerCount customerIds detail }
    }
}";

#[tokio::test]
async fn an_administrator_reads_the_audit_log_newest_first() {
    for test in TestDb::all().await {
        let admin = test.staff(Role::Admin);
        let (one, many) = (CustomerId::new(), (0..130).map(|_| CustomerId::new()));
        let mut entries: Vec<Entry> = (0..5)
            .map(|n| {
                test.clock.set(noon() + TimeDelta::seconds(n));
                Entry::new(
                    &admin,
                    if n < 3 {
                        "card.issue"
                    } else {
                        "customer.update"
                    },
                )
                .about([one])
                .detail(json!({ "n": n }))
            })
            .collect();
        entries.push(Entry::new(&test.system(), "test.sweep").about(many));
        let entries = &entries;
        admin
            .db
            .write(|tx| async move { write(&*tx, entries).await })
            .await
            .unwrap();

        let all = answer(&admin, ENTRIES, json!({})).await;
        assert_eq!(all["auditEntries"]["totalCount"], 6);
        let nodes = all["auditEntries"]["nodes"].as_array().unwrap();
        let sweep = nodes
            .iter()
            .find(|node| node["action"] == "test.sweep")
            .unwrap();
        assert_eq!(
            (
                &sweep["actorKind"],
                &sweep["actor"],
                &sweep["customerCount"]
            ),
            (&json!("SYSTEM"), &json!(null), &json!(130))
        );
        assert_eq!(sweep["customerIds"].as_array().unwrap().len(), 100);

        let mut seen = Vec::new();
        let mut after = json!(null);
        loop {
            let filter = json!({ "customer": one.global().0, "since": "2026-03-10T12:00:01Z", "until": "2026-03-10T12:00:04Z",
                "actor": StaffId(admin.viewer.actor_id().unwrap()).global().0 });
            let page = answer(
                &admin,
                ENTRIES,
                json!({ "first": 2, "after": after, "filter": filter }),
            )
            .await;
            let page = &page["auditEntries"];
            for node in page["nodes"].as_array().unwrap() {
                assert_eq!(node["customerIds"], json!([one.global().0]));
                assert_eq!(node["address"], "192.0.2.7");
                seen.push(node["detail"]["n"].as_i64().unwrap());
            }
            after = page["pageInfo"]["endCursor"].clone();
            if page["pageInfo"]["hasNextPage"] == false {
                break;
            }
        }
        assert_eq!(seen, [3, 2, 1]);
        let oldest = answer(&admin, ENTRIES, json!({ "first": 1, "orderBy": "OLDEST_FIRST", "filter": { "action": "customer.update" } })).await;
        assert_eq!(oldest["auditEntries"]["nodes"][0]["detail"]["n"], 3);
        // An id of another type is one of somebody who never did anything; a cursor of another list is refused.
        let nobody = answer(
            &admin,
            ENTRIES,
            json!({ "filter": { "customer": JobId::new().global().0 } }),
        )
        .await;
        assert_eq!(nobody["auditEntries"]["totalCount"], 0);
        assert_eq!(
            ask(&admin, ENTRIES, json!({ "after": after }))
                .await
                .errors
                .len(),
            1
        );
        // Control characters are refused alike on both engines.
        assert_eq!(
            ask(&admin, ENTRIES, json!({ "filter": { "action": "a\u{0}" } }))
                .await
                .errors
                .len(),
            1
        );
        test.done().await;
    }
}

#[tokio::test]
async fn nobody_else_reads_them() {
    let test = TestDb::sqlite().await;
    for role in [
        Role::Headquarters,
        Role::RegionManager,
        Role::StoreManager,
        Role::Associate,
        Role::Marketer,
        Role::Analyst,
    ] {
        let ctx = test.staff(role);
        for query in [
            "{ auditEntries { totalCount } }",
            "{ jobs { nodes { id } } }",
            "mutation { jobRetry(input: {id: \"x\"}) { job { id } } }",
        ] {
            let response = ask(&ctx, query, json!({})).await;
            let code = response.errors[0]
                .extensions
                .as_ref()
                .unwrap()
                .get("code")
                .unwrap();
            assert_eq!(code, &Value::from("FORBIDDEN"), "{role} {query}");
        }
        assert!(
            audit_log::by_ids(&ctx, &[AuditEntryId::new()])
                .await
                .is_err()
        );
        assert!(audit_log::customers_of(&ctx, &[]).await.is_err());
        assert!(
            crate::jobs::list::by_ids(&ctx, &[JobId::new()])
                .await
                .is_err()
        );
    }
}

#[tokio::test]
async fn an_administrator_sees_jobs_and_runs_a_dead_one_again() {
    for test in TestDb::all().await {
        let (admin, dead, done) = (test.staff(Role::Admin), JobId::new(), JobId::new());
        let now = admin.now();
        admin
            .db
            .write(|tx| async move {
                for (id, state, error) in [(dead, "DEAD", Some("INTERNAL: it broke")), (done, "DONE", None)] {
                    let mut sql = crate::db::Sql::for_connection(&*tx);
                    sql.push("insert into job (id, name, payload, state, run_at, attempts, max_attempts, created_at, finished_at, last_error) values (")
                        .bind(id).push(", 'test.job', ").bind(json!({})).push(", ").bind(state).push(", ").bind(now)
                        .push(", 8, 8, ").bind(now).push(", ").bind(now).push(", ").bind(error).push(")");
                    tx.execute_raw(sql.build()).await?;
                }
                Ok(())
            })
            .await
            .unwrap();
        let query = "query($first: Int = 1, $after: String, $last: Int, $before: String, $filter: JobFilter) { jobs(first: $first, after: $after, last: $last, before: $before, filter: $filter) { totalCount pageInfo { hasNextPage endCursor } nodes { id name state attempts maxAttempts runAt lastError createdAt finishedAt } } }";
        let all = answer(&admin, query, json!({ "filter": { "name": "test.job" } })).await;
        assert_eq!(all["jobs"]["totalCount"], 2);
        assert_eq!(all["jobs"]["pageInfo"]["hasNextPage"], true);
        assert_eq!(all["jobs"]["nodes"][0]["id"], json!(done.global().0));
        let after = &all["jobs"]["pageInfo"]["endCursor"];
        let second = answer(
            &admin,
            query,
            json!({ "after": after, "filter": { "name": "test.job" } }),
        )
        .await;
        assert_eq!(second["jobs"]["nodes"][0]["id"], json!(dead.global().0));
        assert_eq!(second["jobs"]["pageInfo"]["hasNextPage"], false);
        let back = answer(&admin, query, json!({ "before": second["jobs"]["pageInfo"]["endCursor"], "last": 1, "first": null, "filter": { "name": "test.job" } })).await;
        assert_eq!(back["jobs"]["nodes"][0]["id"], json!(done.global().0));
        let found = answer(&admin, query, json!({ "filter": { "state": "DEAD" } })).await;
        assert_eq!(found["jobs"]["nodes"][0]["lastError"], "INTERNAL: it broke");

        let retry = "mutation($id: ID!) { jobRetry(input: {id: $id}) { job { state attempts } userErrors { code field } } }";
        let again = answer(&admin, retry, json!({ "id": dead.global().0 })).await;
        assert_eq!(
            again["jobRetry"],
            json!({ "job": { "state": "QUEUED", "attempts": 0 }, "userErrors": [] })
        );
        let refused = answer(&admin, retry, json!({ "id": done.global().0 })).await;
        assert_eq!(
            refused["jobRetry"]["userErrors"],
            json!([{ "code": "WRONG_STATE", "field": ["id"] }])
        );
        for unknown in [
            JobId::new().global().0,
            "x".to_owned(),
            CustomerId::new().global().0,
        ] {
            let refused = answer(&admin, retry, json!({ "id": unknown })).await;
            assert_eq!(refused["jobRetry"]["userErrors"][0]["code"], "NOT_FOUND");
        }
        test.done().await;
    }
}

/// Every filter is answered by an index, in the list's order, without sorting all that matches.
#[tokio::test]
async fn filters_are_answered_by_indexes() {
    let test = TestDb::sqlite().await;
    assert_eq!(test.db.engine(), Engine::Sqlite);
    for (filter, index) in [
        ("1 = 1", "audit_entry_at"),
        ("at >= '2026' and at < '2027'", "audit_entry_at"),
        ("actor_id = x'00'", "audit_entry_actor"),
        ("action = 'x'", "audit_entry_action"),
    ] {
        let sql = format!(
            "select id from audit_entry where {filter} and (at, id) < ('2026', x'00') order by at desc, id desc limit 21"
        );
        let plan = plan(&test, &sql).await;
        assert!(
            plan.contains(index) && !plan.contains("TEMP B-TREE"),
            "{filter}: {plan}"
        );
    }
    let plan_of_customer = plan(&test, "select id from audit_entry where id in (select entry_id from audit_customer where customer_id = x'00') order by at desc, id desc limit 21").await;
    assert!(
        !plan_of_customer.contains("SCAN audit_customer"),
        "{plan_of_customer}"
    );
    assert!(
        !plan_of_customer.contains("SCAN audit_entry"),
        "{plan_of_customer}"
    );
    for (filter, index) in [
        ("1 = 1", "sqlite_autoindex_job_1"),
        ("state = 'DEAD'", "job_state"),
        ("name = 'x'", "job_name"),
    ] {
        let sql =
            format!("select * from job where {filter} and id < x'00' order by id desc limit 21");
        let plan = plan(&test, &sql).await;
        assert!(
            plan.contains(index) && !plan.contains("TEMP B-TREE"),
            "{filter}: {plan}"
        );
    }
    // The service's own statement goes through too.
    let page = PageRequest {
        size: 20,
        backward: true,
        bounds: Bounds::default(),
    };
    let filter = AuditFilter {
        customer: Some(CustomerId::new()),
        ..AuditFilter::default()
    };
    let admin = test.staff(Role::Admin);
    let entry = Entry::new(&admin, "x").about(filter.customer);
    admin
        .db
        .write(|tx| {
            let entry = entry.clone();
            async move { write(&*tx, &[entry]).await }
        })
        .await
        .unwrap();
    let found = audit_log::page(&admin, &filter, Sort::Descending, &page)
        .await
        .unwrap();
    assert_eq!(found.items.len(), 1);
}

async fn plan(test: &TestDb, sql: &str) -> String {
    let mut statement = test.db.sql();
    statement.push("explain query plan ").push(sql);
    let rows = test
        .db
        .read()
        .query_all_raw(statement.build())
        .await
        .unwrap();
    let lines = rows
        .iter()
        .map(|row| row.try_get::<String>("", "detail").unwrap());
    lines.collect::<Vec<_>>().join("; ")
}
