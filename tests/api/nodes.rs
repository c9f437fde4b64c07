//! Two nodes on one PostgreSQL, as processes of their own.

use crate::support::world::{email, sign_in};
use crate::support::{Engine, Program, World};
use serde_json::json;
use std::time::{Duration, Instant};

#[tokio::test]
async fn who_is_switched_off_on_one_node_is_out_on_the_other_within_two_seconds() {
    if Engine::of_this_run() == Engine::Sqlite {
        eprintln!("several nodes share a PostgreSQL: not tested on SQLite");
        return;
    }
    let world = World::new().await;
    let (one, other) = (
        Program::serve(&world.server.place),
        Program::serve(&world.server.place),
    );
    let admin = sign_in(&one.client, &email("ADMIN")).await;
    // Signed in on one node, known on the other: they share their signing keys.
    let token = sign_in(&one.client, &email("ASSOCIATE")).await;
    let is_in = || async {
        let answer = other
            .client
            .gql(Some(&token), "{ viewer { __typename } }", json!({}))
            .await;
        answer.codes().is_empty()
    };
    assert!(is_in().await);
    let id = &world.staff["ASSOCIATE"];
    let disable = "mutation($input: StaffDisableInput!) { staffDisable(input: $input) { staff { id } userErrors { code field message } } }";
    let input = json!({ "id": id });
    one.client
        .gql(Some(&admin), disable, json!({ "input": input }))
        .await
        .payload();
    let began = Instant::now();
    while is_in().await {
        assert!(
            began.elapsed() < Duration::from_secs(2),
            "still in after two seconds"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
