//! The protocol of websockets where it takes settings of its own, and clients that mean no good.

use std::{sync::atomic::Ordering, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

use super::{Served, one_worker};
use crate::http::{
    HttpSettings,
    toy::{FLOODED, FLOODS},
};

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

const PATIENCE: Duration = Duration::from_secs(20);

/// Opens a socket with these headers; the status where it is refused.
async fn open(served: &Served, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
    let url = served.url("/graphql").replacen("http", "ws", 1);
    let mut request = url.into_client_request().unwrap();
    let given = [("sec-websocket-protocol", "graphql-transport-ws")];
    for (name, value) in given.iter().chain(headers) {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match connect_async(request).await {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

async fn send(socket: &mut Socket, message: Value) {
    // Whoever has closed meanwhile is seen by what comes next.
    let _ = socket.send(Message::text(message.to_string())).await;
}

async fn begun(served: &Served, payload: Value) -> Socket {
    let mut socket = open(served, &[]).await.unwrap();
    send(
        &mut socket,
        json!({ "type": "connection_init", "payload": payload }),
    )
    .await;
    assert_eq!(next(&mut socket).await["type"], "connection_ack");
    socket
}

async fn subscribe(socket: &mut Socket, id: &str, query: &str) {
    let payload = json!({ "query": query });
    send(
        socket,
        json!({ "type": "subscribe", "id": id, "payload": payload }),
    )
    .await;
}

/// The next message, or `{"closed": code}`.
async fn next(socket: &mut Socket) -> Value {
    loop {
        return match timeout(PATIENCE, socket.next()).await.expect("in time") {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            Some(Ok(Message::Close(frame))) => {
                json!({ "closed": frame.map_or(1005, |frame| frame.code.into()) })
            }
            Some(Ok(_)) => continue,
            Some(Err(_)) | None => json!({ "closed": 1006 }),
        };
    }
}

#[tokio::test]
async fn whoever_says_nothing_is_sent_away() {
    let served = Served::start(HttpSettings {
        websocket_init_timeout: Duration::from_millis(200),
        ..one_worker()
    });
    let mut socket = open(&served, &[]).await.unwrap();
    assert_eq!(next(&mut socket).await, json!({ "closed": 4408 }));
    // Not those who have begun.
    let mut socket = begun(&served, json!({})).await;
    tokio::time::sleep(Duration::from_millis(400)).await;
    send(&mut socket, json!({ "type": "ping" })).await;
    assert_eq!(next(&mut socket).await, json!({ "type": "pong" }));
}

#[tokio::test]
async fn pages_of_others_open_no_socket() {
    let served = Served::start(HttpSettings {
        cors_origins: vec!["https://admin.example".to_owned()],
        ..one_worker()
    });
    let own = served.url("");
    for good in [own.as_str(), "https://admin.example"] {
        assert!(open(&served, &[("origin", good)]).await.is_ok(), "{good}");
    }
    for bad in [
        "https://evil.example",
        "null",
        "https://admin.example.evil.example",
    ] {
        let refused = open(&served, &[("origin", bad)]).await;
        assert_eq!(refused.err(), Some(403), "{bad}");
    }
    let refused = open(&served, &[("sec-websocket-protocol", "graphql-ws")]).await;
    assert_eq!(refused.err(), Some(400));
    let refused = open(&served, &[("authorization", "Basic YTpi")]).await;
    assert_eq!(refused.err(), Some(401));
}

#[tokio::test]
async fn a_token_comes_with_the_first_message_or_the_handshake() {
    let served = Served::start(one_worker());
    let query = "{ viewer }";
    let mut socket = begun(&served, json!({ "Authorization": "Bearer good" })).await;
    subscribe(&mut socket, "1", query).await;
    let told = next(&mut socket).await;
    assert_eq!(told["payload"]["data"], json!({ "viewer": "good" }));
    let mut socket = open(&served, &[("authorization", "Bearer good")])
        .await
        .unwrap();
    send(&mut socket, json!({ "type": "connection_init" })).await;
    assert_eq!(next(&mut socket).await["type"], "connection_ack");
    subscribe(&mut socket, "1", query).await;
    let told = next(&mut socket).await;
    assert_eq!(told["payload"]["data"], json!({ "viewer": "good" }));
    for (payload, code) in [
        (json!({ "authorization": "Bearer bad" }), 4403),
        (json!({ "authorization": "Basic YTpi" }), 4403),
        (json!({ "authorization": 1 }), 4403),
        (json!({ "authorization": "Bearer away" }), 1013),
    ] {
        let mut socket = open(&served, &[]).await.unwrap();
        send(
            &mut socket,
            json!({ "type": "connection_init", "payload": payload }),
        )
        .await;
        assert_eq!(next(&mut socket).await, json!({ "closed": code }));
    }
}

#[tokio::test]
async fn nobody_holds_more_than_their_share() {
    let served = Served::start(HttpSettings {
        live_connections: 3,
        websocket_operations: 2,
        ..one_worker()
    });
    let mut held = Vec::new();
    for _ in 0..3 {
        held.push(begun(&served, json!({ "authorization": "Bearer good" })).await);
    }
    // A viewer has as many as they have; the address has its own for whoever is not signed in.
    let mut one_more = open(&served, &[]).await.unwrap();
    let init = json!({ "type": "connection_init", "payload": { "authorization": "Bearer good" } });
    send(&mut one_more, init).await;
    assert_eq!(next(&mut one_more).await, json!({ "closed": 1013 }));
    let mut strangers = Vec::new();
    for _ in 0..3 {
        strangers.push(begun(&served, json!({})).await);
    }
    assert_eq!(open(&served, &[]).await.err(), Some(429));
    // Seats are given back.
    strangers.pop();
    let mut tries = 0;
    while open(&served, &[]).await.is_err() {
        tries += 1;
        assert!(
            tries < 100,
            "the seat of a connection that is gone stays taken"
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let socket = held.first_mut().unwrap();
    for id in ["1", "2", "3"] {
        subscribe(socket, id, "subscription { silence }").await;
    }
    let refused = next(socket).await;
    assert_eq!(
        (&refused["id"], &refused["type"]),
        (&json!("3"), &json!("error"))
    );
    assert_eq!(refused["payload"][0]["extensions"]["code"], "RATE_LIMITED");
    send(socket, json!({ "type": "complete", "id": "1" })).await;
    subscribe(socket, "3", "subscription { ticks(count: 2) }").await;
    for told in [0, 1] {
        assert_eq!(
            next(socket).await["payload"]["data"],
            json!({ "ticks": told })
        );
    }
    assert_eq!(next(socket).await, json!({ "id": "3", "type": "complete" }));
}

#[tokio::test]
async fn a_slow_reader_is_cut_off_and_nothing_is_kept_for_it() {
    let served = Served::start(HttpSettings {
        write_timeout: Duration::from_millis(500),
        ..one_worker()
    });
    let mut socket = begun(&served, json!({})).await;
    subscribe(&mut socket, "1", "subscription { flood }").await;
    // Nothing is read from here on.
    let mut tries = 0;
    while FLOODED.load(Ordering::SeqCst) == 0 || FLOODS.load(Ordering::SeqCst) > 0 {
        tries += 1;
        assert!(tries < 400, "it is still served");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // What the sockets of both sides take, and a few messages on their way: at most some megabytes.
    let told = FLOODED.load(Ordering::SeqCst);
    assert!(
        told < 400,
        "{told} messages of 64 KiB were made for somebody who reads none"
    );
    // Others are served all the while.
    assert_eq!(
        served.ask("{ hello }").await["data"],
        json!({ "hello": "hello you" })
    );
}

#[tokio::test]
async fn a_subscription_with_a_defect_ends_and_the_connection_goes_on() {
    let served = Served::start(one_worker());
    let mut socket = begun(&served, json!({})).await;
    subscribe(&mut socket, "1", "subscription { broken }").await;
    let told = next(&mut socket).await;
    assert_eq!(told["type"], "error");
    assert_eq!(told["payload"][0]["extensions"]["code"], "INTERNAL");
    assert!(!told.to_string().contains("bug"));
    subscribe(&mut socket, "1", "{ hello }").await;
    assert_eq!(
        next(&mut socket).await["payload"]["data"],
        json!({ "hello": "hello you" })
    );
}

#[tokio::test]
async fn frames_that_are_none_end_the_connection() {
    let served = Served::start(HttpSettings {
        body_bytes: 1000,
        ..one_worker()
    });
    let mut socket = begun(&served, json!({})).await;
    socket.send(Message::binary(b"{}".to_vec())).await.unwrap();
    assert_eq!(next(&mut socket).await, json!({ "closed": 4400 }));
    let mut socket = begun(&served, json!({})).await;
    socket.send(Message::text("x".repeat(2000))).await.unwrap();
    assert_eq!(next(&mut socket).await, json!({ "closed": 1009 }));
}
