//! A receiver of webhooks: a small web server that writes down what it gets and answers as the test says.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A message as it came.
#[derive(Clone, Debug)]
pub struct Received {
    /// Names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body, byte for byte.
    pub text: String,
    /// The body, read.
    pub body: Value,
}

/// What is answered.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A status with further header lines.
    Status(u16, String),
    /// Nothing, for good.
    Silence,
}

/// The receiver.
#[derive(Clone, Debug)]
pub struct Receiver {
    /// Where it listens.
    pub url: String,
    got: Arc<Mutex<Vec<Received>>>,
    reply: Arc<Mutex<Reply>>,
}

impl Receiver {
    /// One that answers 204.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = Self {
            url: format!("http://{}/hook", listener.local_addr().unwrap()),
            got: Arc::default(),
            reply: Arc::new(Mutex::new(Reply::Status(204, String::new()))),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().serve(stream));
            }
        });
        receiver
    }

    /// What it answers from now on.
    pub fn answers(&self, status: u16, headers: &str) {
        *self.reply.lock().unwrap() = Reply::Status(status, headers.to_owned());
    }

    /// It answers nothing from now on.
    pub fn hangs(&self) {
        *self.reply.lock().unwrap() = Reply::Silence;
    }

    /// What it has got.
    pub fn got(&self) -> Vec<Received> {
        self.got.lock().unwrap().clone()
    }

    /// Waits until it has got so many messages, and gives them.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        let begun = Instant::now();
        while self.got().len() < count {
            assert!(
                begun.elapsed() < Duration::from_secs(30),
                "{} instead of {count} messages: {:?}",
                self.got().len(),
                self.got()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.got()
    }

    async fn serve(self, mut stream: TcpStream) {
        let mut read = Vec::new();
        loop {
            let Some(message) = next(&mut stream, &mut read).await else {
                return;
            };
            self.got.lock().unwrap().push(message);
            let reply = self.reply.lock().unwrap().clone();
            match reply {
                Reply::Status(status, headers) => {
                    let text = format!(
                        "HTTP/1.1 {status} Told\r\n{headers}content-length: 5\r\n\r\nheard"
                    );
                    let text = match status {
                        204 => format!("HTTP/1.1 204 Told\r\n{headers}\r\n"),
                        _ => text,
                    };
                    if stream.write_all(text.as_bytes()).await.is_err() {
                        return;
                    }
                }
                Reply::Silence => std::future::pending().await,
            }
        }
    }
}

/// The next request on a connection.
async fn next(stream: &mut TcpStream, read: &mut Vec<u8>) -> Option<Received> {
    loop {
        if let Some(end) = read.windows(4).position(|part| part == b"\r\n\r\n") {
            let head = String::from_utf8(read[..end].to_vec()).unwrap();
            assert!(head.starts_with("POST /hook HTTP/1.1\r\n"), "{head}");
            let headers: BTreeMap<String, String> = head
                .lines()
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let length: usize = headers["content-length"].parse().unwrap();
            let whole = end + 4 + length;
            if read.len() >= whole {
                let text = String::from_utf8(read[end + 4..whole].to_vec()).unwrap();
                read.drain(..whole);
                let body = serde_json::from_str(&text).unwrap();
                return Some(Received {
                    headers,
                    text,
                    body,
                });
            }
        }
        if stream.read_buf(read).await.ok()? == 0 {
            return None;
        }
    }
}

impl Received {
    /// The message's id.
    pub fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }

    /// How many signatures it has.
    pub fn signatures(&self) -> usize {
        self.headers["webhook-signature"].split(' ').count()
    }

    /// Is one of its signatures made with this secret? Worked out by hand, as Standard Webhooks has it.
    pub fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD
            .decode(secret.strip_prefix("whsec_").unwrap())
            .unwrap();
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
        let (id, at) = (self.id(), &self.headers["webhook-timestamp"]);
        mac.update(format!("{id}.{at}.{}", self.text).as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.headers["webhook-signature"]
            .split(' ')
            .any(|signature| signature == expected)
    }
}
