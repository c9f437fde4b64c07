//! A small shop, made through the command line and the API as a real one is.

use super::client::{Client, cents_at, list, number_at, text_at};
use super::place::Place;
use crate::failure::{During, Result};
use serde_json::{Value, json};

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery staple";
/// Who sets the shop up.
pub const ADMIN: &str = "admin@shop.example";
/// The code of the store.
pub const STORE: &str = "main";

const ERRORS: &str = "userErrors { code field message }";

/// A shop with a store and customers.
#[derive(Clone, Debug)]
pub struct Shop {
    /// The administrator's access token; good for an hour.
    pub token: String,
    /// The store's id.
    pub store: String,
    /// The customers' ids.
    pub customers: Vec<String>,
}

/// What the API says of all customers together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sums {
    /// Customers.
    pub customers: i64,
    /// Their receipts.
    pub receipts: i64,
    /// What they paid for, less what they brought back, in cents.
    pub cents: i64,
}

impl Shop {
    /// Makes the first administrator, a store and this many customers.
    pub async fn open(place: &Place, client: &Client, customers: usize) -> Result<Self> {
        let token = Self::enter(place, client).await?;
        let region = create_one(
            client,
            &token,
            &format!("mutation($input: RegionCreateInput!) {{ regionCreate(input: $input) {{ made: region {{ id }} {ERRORS} }} }}"),
            json!({ "code": "east", "name": "East" }),
        )
        .await?;
        let store = create_one(
            client,
            &token,
            &format!("mutation($input: StoreCreateInput!) {{ storeCreate(input: $input) {{ made: store {{ id }} {ERRORS} }} }}"),
            json!({ "regionId": region, "code": STORE, "name": "Main" }),
        )
        .await?;
        let mut shop = Self {
            token,
            store,
            customers: Vec::with_capacity(customers),
        };
        let query = format!(
            "mutation($input: CustomerCreateInput!) {{ customerCreate(input: $input) {{ made: customer {{ id }} {ERRORS} }} }}"
        );
        for n in 0..customers {
            let input = json!({ "fullName": format!("Customer {n}") });
            let id = create_one(client, &shop.token, &query, input).await?;
            shop.customers.push(id);
        }
        Ok(shop)
    }

    /// Makes the first administrator, nothing else; gives the access token.
    pub async fn enter(place: &Place, client: &Client) -> Result<String> {
        let create = [
            "staff",
            "create",
            ADMIN,
            "--name",
            "Ada",
            "--role",
            "ADMIN",
            "--password-stdin",
        ];
        place
            .run_with_input(&create, &format!("{PASSWORD}\n"))
            .await?;
        sign_in(client, ADMIN).await
    }

    /// Makes an account that works in the store; gives its id.
    pub async fn hire(&self, client: &Client, email: &str) -> Result<String> {
        let input = json!({
            "email": email, "name": "Ann", "password": PASSWORD,
            "grants": [{ "role": "ASSOCIATE", "storeId": self.store }],
        });
        create_one(
            client,
            &self.token,
            &format!("mutation($input: StaffCreateInput!) {{ staffCreate(input: $input) {{ made: staff {{ id }} {ERRORS} }} }}"),
            input,
        )
        .await
    }
}

/// Makes one thing, which the answer calls `made`; gives its id.
pub async fn create_one(client: &Client, token: &str, query: &str, input: Value) -> Result<String> {
    let payload = client.run(Some(token), query, input).await?;
    Ok(text_at(&payload, "/made/id").to_owned())
}

/// Signs in; gives the access token.
pub async fn sign_in(client: &Client, email: &str) -> Result<String> {
    sign_in_as(client, email, PASSWORD).await
}

/// The same with another password.
pub async fn sign_in_as(client: &Client, email: &str, password: &str) -> Result<String> {
    let query = format!(
        "mutation($input: SessionCreateInput!) {{ sessionCreate(input: $input) {{ session {{ accessToken }} {ERRORS} }} }}"
    );
    let input = json!({ "email": email, "password": password });
    let payload = client.run(None, &query, input).await?;
    let token = text_at(&payload, "/session/accessToken");
    ensure!(!token.is_empty(), "no session for {email}: {payload}");
    Ok(token.to_owned())
}

/// Asks for all customers page by page and adds up their totals.
pub async fn sums(client: &Client, token: &str) -> Result<Sums> {
    let query = "query($after: String) { customers(first: 100, after: $after) { \
        nodes { totals { receipts net { amount } } } pageInfo { hasNextPage endCursor } } }";
    let mut sums = Sums::default();
    let mut after: Option<String> = None;
    loop {
        let data = client
            .ask(Some(token), query, &json!({ "after": after }))
            .await?;
        for node in list(&data, "/customers/nodes") {
            sums.customers += 1;
            sums.receipts += number_at(node, "/totals/receipts")?;
            sums.cents += cents_at(node, "/totals/net/amount")?;
        }
        let page = data
            .pointer("/customers/pageInfo")
            .during("no page of customers")?;
        if page.pointer("/hasNextPage") != Some(&Value::Bool(true)) {
            return Ok(sums);
        }
        after = Some(text_at(page, "/endCursor").to_owned());
    }
}
