//! Clients that mean no good, for minutes: others keep being served, and memory stays bounded.
//!
//! Ordinary requests come at a steady pace from one address, first alone, then while attackers at other addresses of this
//! machine hold sockets open, drip, read nothing, ask the dearest query that is allowed in a loop, send documents and
//! frames that are none. What is compared is the ordinary requests' p99 in one run.

use super::client::{Client, list, text_at};
use super::hostile::{bomb, deep};
use super::node::Node;
use super::place::{Engine, Place};
use super::process::peak_memory;
use super::shop::{Shop, create_one, sign_in};
use super::{Site, Verdict, tell};
use crate::failure::{During, Result};
use serde_json::json;
use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;

/// Ordinary requests a second.
const PACE: u32 = 50;
/// How long they are measured alone.
const ALONE: Duration = Duration::from_secs(30);
/// The most that their p99 may grow to under attack.
const GROWTH: f64 = 2.0;
/// Sockets that attackers try to hold open.
const SOCKETS: usize = 10_000;
/// The most memory that the server may take, in bytes.
const MEMORY: u64 = 512 << 20;

/// Proves it.
pub async fn prove(site: &Site, engine: Engine) -> Result<Verdict> {
    let words = site
        .in_place(engine, async |place| prove_in(site, place).await)
        .await?;
    Ok(Verdict::Proved(vec![words]))
}

async fn prove_in(site: &Site, place: &Place) -> Result<String> {
    let mut command = place.command();
    // As it is served by default.
    command.env_remove("REGULARS_BUDGET");
    let mut node = Node::start(place, command).await?;
    let shop = furnish(place, &node.client).await?;
    let under_attack = Duration::from_secs(u64::from(site.times.unwrap_or(120)));
    let people = people(&shop, &node.client).await?;
    // What is made once is made before it is measured.
    ordinary(&people, &shop, Duration::from_secs(5)).await?;
    let alone = ordinary(&people, &shop, ALONE).await?;
    tell(place.engine, format!("alone: {alone}"));
    let before = peak_memory(node.id()).during("the server has ended")?;
    let told = Arc::new(Told::default());
    let mut attackers = attack(&node, &people, &told);
    tokio::time::sleep(Duration::from_secs(3)).await;
    let attacked = ordinary(&people, &shop, under_attack).await?;
    attackers.shutdown().await;
    tell(place.engine, format!("under attack: {attacked}"));
    for (what, count) in told.all() {
        tell(place.engine, format!("  {what}: {count}"));
    }
    node.still_runs()?;
    let after = peak_memory(node.id()).during("the server has ended")?;
    tell(
        place.engine,
        format!(
            "the server's memory was at most {} MB, {} MB before",
            after / 1_000_000,
            before / 1_000_000
        ),
    );
    let growth = attacked.p99.as_secs_f64() / alone.p99.as_secs_f64();
    ensure!(
        attacked.failed == 0 && alone.failed == 0,
        "{} ordinary requests failed under attack, {} alone",
        attacked.failed,
        alone.failed
    );
    let bearable = growth <= GROWTH;
    ensure!(bearable, "p99 grew {growth:.2} times, more than {GROWTH}");
    ensure!(after < MEMORY, "the server took {} MB", after / 1_000_000);
    Ok(format!("p99 grew {growth:.2} times"))
}

/// Customers with cards' worth of visits, so that the dearest query is one.
async fn furnish(place: &Place, client: &Client) -> Result<Shop> {
    let shop = Shop::open(place, client, 200).await?;
    let query = "mutation($input: VisitRecordInput!) { visitRecord(input: $input) { made: visit { id } userErrors { code field message } } }";
    for n in 0..1000_usize {
        let customer = shop
            .customers
            .get(n % shop.customers.len())
            .during("no customers")?;
        let input = json!({
            "customerId": customer, "storeId": shop.store,
            "purchase": { "lines": [
                { "name": "Tea", "quantity": "2", "amount": { "amount": "9.00", "currencyCode": "USD" } },
            ] },
        });
        let made = client.run(Some(&shop.token), query, input).await;
        if n == 0 {
            made?;
        }
    }
    Ok(shop)
}

/// Who asks: people at counters, and one who has signed in to do harm.
struct People {
    clients: Vec<Client>,
    tokens: Vec<String>,
    harm: String,
}

async fn people(shop: &Shop, client: &Client) -> Result<People> {
    let mut tokens = Vec::new();
    for n in 0..5 {
        let email = format!("counter-{n}@shop.example");
        shop.hire(client, &email).await?;
        tokens.push(sign_in(client, &email).await?);
    }
    let input = json!({
        "email": "harm@shop.example", "name": "Eve", "password": super::shop::PASSWORD,
        "grants": [{ "role": "HEADQUARTERS" }],
    });
    let query = "mutation($input: StaffCreateInput!) { staffCreate(input: $input) { made: staff { id } userErrors { code field message } } }";
    create_one(client, &shop.token, query, input).await?;
    Ok(People {
        clients: vec![client.clone()],
        tokens,
        harm: sign_in(client, "harm@shop.example").await?,
    })
}

/// What came of ordinary requests.
struct Served {
    requests: usize,
    failed: usize,
    p50: Duration,
    p99: Duration,
}

impl std::fmt::Display for Served {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        write!(
            f,
            "{} requests, {} failed, p50 {:.1} ms, p99 {:.1} ms",
            self.requests,
            self.failed,
            ms(self.p50),
            ms(self.p99)
        )
    }
}

/// What they ask.
const ORDINARY: [&str; 3] = [
    "query($id: ID!) { customer(id: $id) { fullName card { number } totals { visits } } }",
    "query($id: ID!) { customer(id: $id) { fullName visits(first: 5) { nodes { businessDate purchases { lines { name } } } } } }",
    "query { customers(first: 10) { nodes { fullName totals { visits } } } }",
];

/// Sends ordinary requests at a steady pace, whether they are answered or not.
async fn ordinary(people: &People, shop: &Shop, time: Duration) -> Result<Served> {
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / PACE);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Burst);
    let end = Instant::now() + time;
    let mut running = JoinSet::new();
    let client = people.clients.first().during("no client")?;
    let mut n = 0_usize;
    while Instant::now() < end {
        ticks.tick().await;
        let query = *ORDINARY.get(n % ORDINARY.len()).during("no query")?;
        let token = people
            .tokens
            .get(n % people.tokens.len())
            .during("no token")?
            .clone();
        let id = shop
            .customers
            .get(n * 7 % shop.customers.len())
            .during("no customer")?
            .clone();
        let client = client.clone();
        running.spawn(async move {
            let began = Instant::now();
            let asked = client.ask(Some(&token), query, &json!({ "id": id })).await;
            (began.elapsed(), asked.is_ok())
        });
        n += 1;
    }
    let (mut times, mut failed) = (Vec::new(), 0);
    while let Some(done) = running.join_next().await {
        let (took, well) = done?;
        times.push(took);
        failed += usize::from(!well);
    }
    times.sort();
    let at = |share: usize| times.get(times.len() * share / 100).copied();
    Ok(Served {
        requests: times.len(),
        failed,
        p50: at(50).during("no requests")?,
        p99: at(99).during("no requests")?,
    })
}

/// What attackers met.
#[derive(Default)]
struct Told(Mutex<BTreeMap<&'static str, Arc<AtomicU64>>>);

impl Told {
    fn count(&self, what: &'static str) {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .entry(what)
            .or_default()
            .fetch_add(1, Ordering::Relaxed);
    }

    fn all(&self) -> Vec<(&'static str, u64)> {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .iter()
            .map(|(what, count)| (*what, count.load(Ordering::Relaxed)))
            .collect()
    }
}

/// Opens a connection from another address of this machine.
async fn from(last: u8, address: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind(SocketAddr::new(
        IpAddr::V4(Ipv4Addr::new(127, 0, 1, last)),
        0,
    ))?;
    socket.connect(address).await
}

fn attack(node: &Node, people: &People, told: &Arc<Told>) -> JoinSet<()> {
    let address = node.address;
    let mut all = JoinSet::new();
    all.spawn(hold(address, told.clone()));
    for n in 0..40 {
        all.spawn(drip(address, told.clone(), n));
        all.spawn(read_nothing(address, people.harm.clone(), told.clone()));
    }
    for _ in 0..4 {
        all.spawn(ask_dearly(
            node.client.clone(),
            people.harm.clone(),
            told.clone(),
        ));
    }
    all.spawn(nonsense(node.client.clone(), told.clone()));
    for n in 0..4 {
        all.spawn(frames(address, told.clone(), n));
    }
    all
}

/// Opens as many sockets as it can from a handful of addresses and says nothing.
async fn hold(address: SocketAddr, told: Arc<Told>) {
    let mut held: Vec<TcpStream> = Vec::new();
    loop {
        for n in 0..50_usize {
            if held.len() >= SOCKETS {
                held.remove(0);
            }
            let last = u8::try_from(2 + n % 4).unwrap_or(2);
            match from(last, address).await {
                Ok(socket) => {
                    told.count("sockets that were held");
                    held.push(socket);
                }
                Err(_) => told.count("sockets that were refused"),
            }
        }
        // Those that were hung up are let go.
        held.retain(|socket| !matches!(socket.try_read(&mut [0]), Ok(0)));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Sends the head of a request a byte at a time.
async fn drip(address: SocketAddr, told: Arc<Told>, n: u8) {
    loop {
        if let Ok(mut socket) = from(10 + n % 4, address).await {
            for byte in b"POST /graphql HTTP/1.1\r\nhost: shop\r\nx-slow: "
                .iter()
                .chain([b'a'; 600].iter())
            {
                if socket.write_all(&[*byte]).await.is_err() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            told.count("heads that were dripped until cut off");
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Asks for much and reads nothing of it.
async fn read_nothing(address: SocketAddr, token: String, told: Arc<Told>) {
    let body = json!({ "query": DEAREST }).to_string();
    let request = format!(
        "POST /graphql HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    loop {
        if let Ok(mut socket) = from(20, address).await {
            let _ = socket.write_all(request.as_bytes()).await;
            tokio::time::sleep(Duration::from_secs(20)).await;
            told.count("answers that nobody read");
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// As dear as one request may be.
const DEAREST: &str = "{ customers(first: 80) { nodes { id card { number } \
    visits(first: 10) { nodes { businessDate purchases { lines { name } } } } } } }";

async fn ask_dearly(client: Client, token: String, told: Arc<Told>) {
    loop {
        match client.post(Some(&token), DEAREST, &json!({})).await {
            Ok((200, _)) => told.count("dearest queries that were answered"),
            Ok((429, _)) => {
                told.count("dearest queries that were sent away");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Ok((_, text)) => {
                told.count("dearest queries with another answer");
                show_once(&text);
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(_) => told.count("dearest queries without an answer"),
        }
    }
}

/// Shows what was not foreseen, once.
fn show_once(text: &str) {
    static SHOWN: AtomicU64 = AtomicU64::new(0);
    if SHOWN.fetch_add(1, Ordering::Relaxed) == 0 {
        println!("  an answer that was not foreseen: {text:.300}");
    }
}

/// Documents, tokens and bodies that are none.
async fn nonsense(client: Client, told: Arc<Told>) {
    let documents = [bomb(20), deep(5_000), "{".repeat(1000), "\u{0}".to_owned()];
    let mut n = 0_usize;
    loop {
        let document = documents
            .get(n % documents.len())
            .cloned()
            .unwrap_or_default();
        let token = n
            .is_multiple_of(3)
            .then_some("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.");
        match client.post(token, &document, &json!({})).await {
            Ok((400..=499, text)) => {
                told.count("documents that were refused");
                if list(&serde_json::from_str(&text).unwrap_or_default(), "/errors")
                    .iter()
                    .any(|error| text_at(error, "/extensions/code") == "INTERNAL")
                {
                    told.count("documents that met a defect");
                }
            }
            _ => told.count("documents with another answer"),
        }
        n += 1;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Websockets that never begin, and frames that are none.
async fn frames(address: SocketAddr, told: Arc<Told>, n: u8) {
    let handshake = format!(
        "GET /graphql HTTP/1.1\r\nhost: {address}\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n"
    );
    let mut silent: Vec<TcpStream> = Vec::new();
    loop {
        if let Ok(mut socket) = from(30 + n, address).await {
            let _ = socket.write_all(handshake.as_bytes()).await;
            let mut answer = [0; 12];
            match socket.read_exact(&mut answer).await {
                Ok(_) if answer.ends_with(b"101") => told.count("websockets that were opened"),
                _ => told.count("websockets that were refused"),
            }
            if silent.len() < 200 {
                silent.push(socket);
            } else {
                // A frame without a mask, with a length that it has not.
                let _ = socket
                    .write_all(&[0x81, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
                    .await;
                let mut rest = [0; 64];
                let _ = tokio::time::timeout(Duration::from_secs(2), socket.read(&mut rest)).await;
                silent.remove(0);
            }
        }
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
}
