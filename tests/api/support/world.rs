//! A small shop with staff of every role, made through the command line and the API.

use super::{Client, TestServer, program};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::process::Stdio;

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery staple";

/// All roles, as the API calls them.
pub const ROLES: [&str; 7] = [
    "ADMIN",
    "HEADQUARTERS",
    "REGION_MANAGER",
    "STORE_MANAGER",
    "ASSOCIATE",
    "MARKETER",
    "ANALYST",
];

/// A server with a region, a store in it, and one member of staff of each role.
#[derive(Debug)]
pub struct World {
    /// The server.
    pub server: TestServer,
    /// The region's id.
    pub region: String,
    /// The store's id.
    pub store: String,
    /// Access tokens by role.
    pub tokens: BTreeMap<&'static str, String>,
    /// Ids of staff by role.
    pub staff: BTreeMap<&'static str, String>,
}

impl World {
    /// Makes the shop.
    pub async fn new() -> Self {
        Self::on(TestServer::start().await).await
    }

    /// Makes the shop on a server that has none yet.
    pub async fn on(server: TestServer) -> Self {
        create_admin(&server);
        let client = &server.client;
        let admin = sign_in(client, &email("ADMIN")).await;
        let region = create(
            client,
            &admin,
            "mutation($input: RegionCreateInput!) { regionCreate(input: $input) { region { id } userErrors { code field message } } }",
            json!({ "code": "east", "name": "East" }),
        )
        .await;
        let store = create(
            client,
            &admin,
            "mutation($input: StoreCreateInput!) { storeCreate(input: $input) { store { id } userErrors { code field message } } }",
            json!({ "regionId": region, "code": "bund", "name": "The Bund" }),
        )
        .await;
        let mut world = Self {
            region,
            store,
            tokens: BTreeMap::from([("ADMIN", admin)]),
            staff: BTreeMap::new(),
            server,
        };
        for role in ROLES {
            if role != "ADMIN" {
                let id = world.create_staff(&email(role), role).await;
                world.staff.insert(role, id);
                let token = sign_in(&world.server.client, &email(role)).await;
                world.tokens.insert(role, token);
            }
        }
        world
    }

    /// Makes an account with a role in the shop's place for it; gives its id.
    pub async fn create_staff(&self, email: &str, role: &str) -> String {
        let grant = match role {
            "REGION_MANAGER" => json!({ "role": role, "regionId": self.region }),
            "STORE_MANAGER" | "ASSOCIATE" => json!({ "role": role, "storeId": self.store }),
            _ => json!({ "role": role }),
        };
        self.create_staff_as(email, &grant).await
    }

    /// Makes an account with a role in any place; gives its id.
    pub async fn create_staff_as(&self, email: &str, grant: &Value) -> String {
        create(
            &self.server.client,
            self.token("ADMIN"),
            "mutation($input: StaffCreateInput!) { staffCreate(input: $input) { staff { id } userErrors { code field message } } }",
            json!({ "email": email, "name": format!("The {}", grant["role"].as_str().unwrap_or_default()), "grants": [grant], "password": PASSWORD }),
        )
        .await
    }

    /// The token of the member of staff with this role.
    pub fn token(&self, role: &str) -> &str {
        &self.tokens[role]
    }
}

/// The address of the member of staff with this role.
pub fn email(role: &str) -> String {
    format!("{}@shop.example", role.to_lowercase().replace('_', "-"))
}

/// Signs in with everybody's password; gives the access token.
pub async fn sign_in(client: &Client, email: &str) -> String {
    let session = session(client, email, PASSWORD).await;
    session["accessToken"].as_str().unwrap().to_owned()
}

/// Signs in; gives the session with its tokens.
pub async fn session(client: &Client, email: &str, password: &str) -> Value {
    let answer = client
        .gql(
            None,
            SIGN_IN,
            json!({ "email": email, "password": password }),
        )
        .await;
    answer.payload()["session"].clone()
}

/// Signing in.
pub const SIGN_IN: &str = "mutation($email: String!, $password: String!) { \
    sessionCreate(input: { email: $email, password: $password }) { \
    session { accessToken refreshToken expiresAt } userErrors { code field message } } }";

/// The first administrator comes from the command line, as in a real shop.
fn create_admin(server: &TestServer) {
    let mut child = program::command(&server.place)
        .args(["staff", "create", &email("ADMIN"), "--name", "The ADMIN"])
        .args(["--role", "ADMIN", "--password-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    writeln!(input, "{PASSWORD}").unwrap();
    drop(input);
    assert!(child.wait().unwrap().success());
}

async fn create(client: &Client, token: &str, query: &str, input: Value) -> String {
    let answer = client
        .gql(Some(token), query, json!({ "input": input }))
        .await;
    let payload = answer.payload().as_object().unwrap().clone();
    let made = payload
        .iter()
        .find(|(name, _)| *name != "userErrors")
        .unwrap()
        .1;
    made["id"].as_str().unwrap().to_owned()
}
