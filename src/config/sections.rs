//! The settings themselves, one struct a concern. The README's table is made from this file.

use super::setting::{Setting, deserialize, words};
use entity::values::{GroupRole, WebAddress};
use ipnet::IpNet;
use secrecy::SecretString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// Declares a struct of settings: each field with its documentation, type, default and variable.
macro_rules! settings {
    ($(#[doc = $doc:literal])+ $name:ident in $section:literal {
        $($(#[doc = $text:literal])+ $field:ident: $type:ty = $default:expr, $variable:literal;)+
    }) => {
        $(#[doc = $doc])+
        #[derive(Clone, Debug, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            $($(#[doc = $text])+ #[serde(deserialize_with = "deserialize")] pub $field: $type,)+
        }

        impl Default for $name {
            fn default() -> Self {
                Self { $($field: $default,)+ }
            }
        }

        impl $name {
            fn variables() -> Vec<super::Variable> {
                let default = Self::default();
                vec![$(super::Variable {
                    name: $variable,
                    section: $section,
                    key: stringify!($field),
                    default: default.$field.show(),
                    doc: concat!($($text,)+).trim(),
                },)+]
            }
        }
    };
}

/// Declares the whole: each section with its struct.
macro_rules! sections {
    ($($(#[doc = $doc:literal])+ $section:ident: $type:ident,)+) => {
        /// All settings.
        #[derive(Clone, Debug, Default, serde::Deserialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Settings {
            $($(#[doc = $doc])+ pub $section: $type,)+
        }

        impl Settings {
            pub(super) fn variables() -> Vec<super::Variable> {
                let mut all = Vec::new();
                $(all.extend($type::variables());)+
                all
            }
        }
    };
}

sections! {
    /// How the server listens and what it bears.
    server: Server,
    /// Bounds of one GraphQL operation.
    limits: Limits,
    /// Where the data are.
    database: Database,
    /// Keys, tokens and attempts.
    security: Security,
    /// Signing in through the company's OpenID Connect provider.
    oidc: Oidc,
    /// The company, as it is set up at the first start.
    company: Company,
    /// How much is taken in and kept of exports and imports.
    transfers: Transfers,
    /// What clients are told of events.
    webhooks: Webhooks,
    /// How long things are kept.
    retention: Retention,
    /// The program's own log.
    logging: Logging,
    /// Traces for an OpenTelemetry collector.
    traces: Traces,
}

words! {
    /// The header in which a trusted proxy names the client's address.
    ForwardedHeader {
        /// `X-Forwarded-For`.
        XForwardedFor = "x-forwarded-for",
        /// `Forwarded` of RFC 7239.
        Forwarded = "forwarded",
    }
}

words! {
    /// Which page a browser gets at the endpoint.
    ExplorerPage {
        /// The explorer that was built in, or the plain one.
        On = "on",
        /// The plain explorer, with GraphiQL from a public CDN.
        Plain = "plain",
        /// A page without scripts that says where it is.
        Off = "off",
    }
}

words! {
    /// Which documents run.
    Documents {
        /// Any that keeps to the limits.
        Any = "any",
        /// Only those that were registered.
        Registered = "registered",
    }
}

words! {
    /// Who may ask about the schema itself.
    Introspection {
        /// Everybody.
        On = "on",
        /// Signed-in staff.
        Staff = "staff",
        /// Nobody.
        Off = "off",
    }
}

words! {
    /// How a line of the log is written.
    LogFormat {
        /// One JSON object a line.
        Json = "json",
        /// For people.
        Pretty = "pretty",
    }
}

settings! {
    /// How the server listens and what it bears.
    Server in "server" {
        /// Address and port to listen on; port 0 takes any free one.
        listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 8080)), "REGULARS_LISTEN";
        /// Threads that answer requests; 0 means as many as the machine has cores.
        workers: usize = 0, "REGULARS_WORKERS";
        /// Networks of the proxies in front, separated by commas. Only from these is the client's address taken from a header.
        trusted_proxies: Vec<IpNet> = Vec::new(), "REGULARS_TRUSTED_PROXIES";
        /// The header that these proxies write: `x-forwarded-for` or `forwarded`.
        forwarded_header: ForwardedHeader = ForwardedHeader::XForwardedFor, "REGULARS_FORWARDED_HEADER";
        /// Origins of browser clients, separated by commas, such as `https://admin.example`; without any, browsers of other origins are not answered.
        cors_origins: Vec<String> = Vec::new(), "REGULARS_CORS_ORIGINS";
        /// Largest body of a request in bytes.
        body_bytes: usize = 1024 * 1024, "REGULARS_BODY_BYTES";
        /// Longest time that one operation may run.
        operation_timeout: Duration = Duration::from_secs(30), "REGULARS_OPERATION_TIMEOUT";
        /// Time that requests in flight get when the program stops.
        drain_timeout: Duration = Duration::from_secs(20), "REGULARS_DRAIN_TIMEOUT";
        /// Connections open at once on each thread.
        connections: usize = 10_000, "REGULARS_CONNECTIONS";
        /// Connections open at once from one network address, other than those of trusted proxies.
        connections_per_address: usize = 1000, "REGULARS_CONNECTIONS_PER_ADDRESS";
        /// Token for reading `/metrics` from another machine; without one, only this machine may.
        metrics_token: Option<SecretString> = None, "REGULARS_METRICS_TOKEN";
        /// Compress answers for clients that ask for it.
        compress: bool = false, "REGULARS_COMPRESS";
        /// The page that a browser gets at the endpoint: `on` for the explorer, `plain` for one that loads GraphiQL from a public CDN (also what `on` means where the explorer was not built), `off` for none.
        explorer: ExplorerPage = ExplorerPage::On, "REGULARS_EXPLORER";
        /// Which documents run: `any`, or only those that were `registered` by `regulars documents register`. With the latter the explorer, which asks for the schema, does not work.
        documents: Documents = Documents::Any, "REGULARS_DOCUMENTS";
    }
}

settings! {
    /// Bounds of one GraphQL operation.
    Limits in "limits" {
        /// Highest cost of one operation.
        cost: u64 = 10_000, "REGULARS_LIMIT_COST";
        /// Most fields on the way from the root to the deepest leaf.
        depth: usize = 20, "REGULARS_LIMIT_DEPTH";
        /// Who may ask about the schema itself: `on` for everybody, `staff` for signed-in staff, `off` for nobody.
        introspection: Introspection = Introspection::On, "REGULARS_INTROSPECTION";
        /// Cost that a viewer may spend at once, over all nodes, or a network address as long as nobody has signed in; 0 for as much as anybody likes.
        budget: u64 = 100_000, "REGULARS_BUDGET";
        /// Cost that is restored to each budget in a second.
        budget_per_second: u64 = 5_000, "REGULARS_BUDGET_PER_SECOND";
        /// Websockets and event streams that one viewer holds open on one node, or one address as long as nobody has signed in.
        live_connections: usize = 100, "REGULARS_LIMIT_LIVE_CONNECTIONS";
        /// Operations that run at once on one websocket.
        websocket_operations: usize = 100, "REGULARS_LIMIT_WEBSOCKET_OPERATIONS";
    }
}

settings! {
    /// Where the data are.
    Database in "database" {
        /// Address of a PostgreSQL server, `postgres://user:password@host/database`. `DATABASE_URL` is read too. Without one, the embedded engine keeps its file in the data directory.
        url: Option<SecretString> = None, "REGULARS_DATABASE_URL";
        /// A file that holds this address instead, so that its password is in no variable.
        url_file: Option<PathBuf> = None, "REGULARS_DATABASE_URL_FILE";
        /// Directory of the embedded engine's file and of the generated secret key.
        data: PathBuf = PathBuf::from("data"), "REGULARS_DATA";
        /// Connections held at most.
        connections: u32 = 10, "REGULARS_DATABASE_CONNECTIONS";
        /// Longest time that one statement may run.
        statement_timeout: Duration = Duration::from_secs(30), "REGULARS_STATEMENT_TIMEOUT";
        /// Longest time that a writer waits for a lock.
        lock_timeout: Duration = Duration::from_secs(10), "REGULARS_LOCK_TIMEOUT";
    }
}

settings! {
    /// Keys, tokens and attempts.
    Security in "security" {
        /// The secret from which all keys are derived: 32 random bytes in base64, the same on every node (`openssl rand -base64 32`). With the embedded engine it is generated when there is none.
        secret_key: Option<SecretString> = None, "REGULARS_SECRET_KEY";
        /// A file that holds the secret key instead.
        secret_key_file: Option<PathBuf> = None, "REGULARS_SECRET_KEY_FILE";
        /// How long an access token is good.
        access_token_lifetime: Duration = Duration::from_secs(10 * 60), "REGULARS_ACCESS_TOKEN_LIFETIME";
        /// How long a sign-in lasts without being used.
        refresh_token_lifetime: Duration = Duration::from_secs(30 * 86_400), "REGULARS_REFRESH_TOKEN_LIFETIME";
        /// How long a sign-in lasts at most.
        session_lifetime: Duration = Duration::from_secs(90 * 86_400), "REGULARS_SESSION_LIFETIME";
        /// Wrong passwords for one account within the window before further attempts are refused.
        attempts_by_account: u32 = 10, "REGULARS_ATTEMPTS_BY_ACCOUNT";
        /// Wrong passwords from one network address within the window before further attempts are refused.
        attempts_by_address: u32 = 100, "REGULARS_ATTEMPTS_BY_ADDRESS";
        /// The window in which attempts are counted.
        attempts_window: Duration = Duration::from_secs(15 * 60), "REGULARS_ATTEMPTS_WINDOW";
        /// Staff may sign in with a password; can be switched off where they sign in through the company's provider.
        password_sign_in: bool = true, "REGULARS_PASSWORD_SIGN_IN";
    }
}

settings! {
    /// Signing in through the company's OpenID Connect provider.
    Oidc in "oidc" {
        /// Address of the provider exactly as it calls itself, such as `https://login.example.com/realms/shop`; without one, nobody signs in through a provider.
        issuer: Option<WebAddress> = None, "REGULARS_OIDC_ISSUER";
        /// What the provider calls this program.
        client_id: Option<String> = None, "REGULARS_OIDC_CLIENT_ID";
        /// The secret that the provider has given to this program; a provider may do without.
        client_secret: Option<SecretString> = None, "REGULARS_OIDC_CLIENT_SECRET";
        /// A file that holds this secret instead.
        client_secret_file: Option<PathBuf> = None, "REGULARS_OIDC_CLIENT_SECRET_FILE";
        /// What is asked of the provider beside `openid`, separated by commas.
        scopes: Vec<String> = vec!["email".to_owned(), "profile".to_owned()], "REGULARS_OIDC_SCOPES";
        /// Public address of this program's `/auth/oidc/callback`, as it is registered with the provider.
        redirect_url: Option<WebAddress> = None, "REGULARS_OIDC_REDIRECT_URL";
        /// Where browsers may return to with a ticket, separated by commas: an origin for all its pages, or the address of one page; without any, the origins of `REGULARS_CORS_ORIGINS`.
        return_urls: Vec<WebAddress> = Vec::new(), "REGULARS_OIDC_RETURN_URLS";
        /// The claim that says whether the provider has verified the e-mail address (`xms_edov` at Entra ID).
        verified_claim: String = "email_verified".to_owned(), "REGULARS_OIDC_VERIFIED_CLAIM";
        /// The claim that holds the groups of the person.
        groups_claim: String = "groups".to_owned(), "REGULARS_OIDC_GROUPS_CLAIM";
        /// Which roles groups stand for, separated by commas, such as `office=HEADQUARTERS, bund=STORE_MANAGER@store:bund, east=REGION_MANAGER@region:east`.
        groups: Vec<GroupRole> = Vec::new(), "REGULARS_OIDC_GROUPS";
        /// Make an account at the first sign-in of somebody who has none, when a group of theirs stands for a role.
        create_staff: bool = false, "REGULARS_OIDC_CREATE_STAFF";
    }
}

settings! {
    /// The company, as it is set up at the first start. Later changes are made through the API.
    Company in "company" {
        /// The company's name.
        name: String = "My company".to_owned(), "REGULARS_COMPANY_NAME";
        /// ISO 4217 code of the currency in which the books are kept.
        currency: String = "USD".to_owned(), "REGULARS_COMPANY_CURRENCY";
        /// ISO 3166 code of the country whose phone numbers are written without a country code.
        country: String = "US".to_owned(), "REGULARS_COMPANY_COUNTRY";
        /// Language by which names are sorted, such as `zh`, `ko` or `en`.
        locale: String = "en".to_owned(), "REGULARS_COMPANY_LOCALE";
        /// Time zone of stores that have none of their own, such as `Asia/Shanghai`.
        time_zone: String = "UTC".to_owned(), "REGULARS_COMPANY_TIME_ZONE";
    }
}

settings! {
    /// How much is taken in and kept of exports and imports.
    Transfers in "transfers" {
        /// Largest file that is uploaded for an import, in bytes, once it is unpacked.
        upload_bytes: u64 = 512 * 1024 * 1024, "REGULARS_UPLOAD_BYTES";
        /// Longest time that an upload may take.
        upload_timeout: Duration = Duration::from_secs(15 * 60), "REGULARS_UPLOAD_TIMEOUT";
        /// Bytes of all uploads and results that the database keeps at most.
        total_bytes: u64 = 4 * 1024 * 1024 * 1024, "REGULARS_TRANSFER_TOTAL_BYTES";
    }
}

settings! {
    /// What clients are told of events.
    Webhooks in "webhooks" {
        /// Send to this machine, to private networks and without TLS too: for development and tests only, since whoever makes webhooks could then reach what only your network should.
        private_targets: bool = false, "REGULARS_WEBHOOK_PRIVATE_TARGETS";
    }
}

settings! {
    /// How long things are kept.
    Retention in "retention" {
        /// Days that entries of the audit log are kept.
        audit_days: u32 = 730, "REGULARS_RETENTION_AUDIT_DAYS";
        /// Days that events are kept.
        event_days: u32 = 90, "REGULARS_RETENTION_EVENT_DAYS";
        /// Days that jobs are kept which are done.
        job_days: u32 = 14, "REGULARS_RETENTION_JOB_DAYS";
        /// Days that jobs are kept which were given up.
        dead_job_days: u32 = 90, "REGULARS_RETENTION_DEAD_JOB_DAYS";
        /// Days that idempotency keys are kept; tills may work offline for days.
        idempotency_days: u32 = 7, "REGULARS_RETENTION_IDEMPOTENCY_DAYS";
        /// Days that exports and imports are kept after they have ended, with the files that came of them.
        transfer_days: u32 = 7, "REGULARS_RETENTION_TRANSFER_DAYS";
        /// Days that deliveries of webhooks are kept after they have ended, with what came of each try.
        webhook_days: u32 = 14, "REGULARS_RETENTION_WEBHOOK_DAYS";
        /// Days that ended sign-ins are kept.
        session_days: u32 = 30, "REGULARS_RETENTION_SESSION_DAYS";
    }
}

settings! {
    /// The program's own log, on standard error.
    Logging in "logging" {
        /// `json` or `pretty`.
        format: LogFormat = LogFormat::Pretty, "REGULARS_LOG_FORMAT";
        /// What is logged, as in `info,regulars=debug`.
        filter: String = "info,sqlx=warn,sea_orm=warn,sea_orm_migration=warn,actix_server=warn".to_owned(), "REGULARS_LOG";
    }
}

settings! {
    /// Traces for an OpenTelemetry collector.
    Traces in "traces" {
        /// Address of an OpenTelemetry collector on this machine or in its network that takes OTLP over HTTP, such as `http://127.0.0.1:4318`; without one no traces are made.
        endpoint: Option<String> = None, "REGULARS_TRACES_ENDPOINT";
        /// One request in how many is traced, where the caller has not decided.
        one_in: u32 = 1, "REGULARS_TRACES_ONE_IN";
        /// Tell each SQL statement in a trace too, without its values.
        statements: bool = false, "REGULARS_TRACES_STATEMENTS";
    }
}
