//! What tests stand on: an empty database each, a server each, a client.

mod client;
mod engine;
pub mod files;
pub mod moving;
pub mod oauth;
pub mod program;
pub mod receiver;
mod server;
pub mod socket;
pub mod tills;
pub mod world;

pub use client::{Answer, Client, http};
pub use engine::{Engine, Place};
pub use moving::Mover;
pub use program::Program;
pub use server::{TestServer, beginning};
pub use world::World;

/// A secret key fit for tests only.
pub const SECRET_KEY: &str = "a2V5IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMgbG9uZyE=";
