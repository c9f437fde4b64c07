//! Configuration: what an operator may set, one struct a concern, each variable documented where it is declared.
//!
//! Read by `app` and `cli` only. Later sources win: defaults, the TOML file, the environment, options of the
//! command line. An unknown name is refused with the nearest known one, since a setting that is silently
//! ignored is worse than none. Values of secrets are never shown; where they come from is.

mod check;
mod load;
mod oidc;
mod reference;
mod secret;
mod sections;
mod setting;

pub use check::{Mode, check};
pub use load::{ConfigError, Configuration, Options};
pub use reference::{BEGIN, END, Variable, markdown, reference};
pub use secret::{SecretKey, secret_key, secret_to_be_made, write_secret_key};
pub use sections::{
    Company, Database, Documents, ExplorerPage, ForwardedHeader, Introspection, Limits, LogFormat,
    Logging, Oidc, Retention, Security, Server, Settings, Traces, Transfers, Webhooks,
};
