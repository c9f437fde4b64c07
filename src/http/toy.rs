//! A toy schema and its server, for the tests of `http` only.

use std::{
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_graphql::{
    Error, ErrorExtensions, InputObject, Object, Response, Schema, SimpleObject, Subscription,
    Union, ValidationMode,
};
use futures_util::{
    StreamExt,
    stream::{BoxStream, Stream, unfold},
};
use secrecy::SecretString;

use entity::values::DocumentHash;

use crate::graphql::gate::{Admitted, Gate, Limits};

use super::{
    AuthRefusal, Backend, DocumentsAway, Executed, HttpParts, HttpSettings, RequestOrigin,
    RunningServer, serve,
};

#[derive(SimpleObject, Clone)]
pub struct Item {
    id: i32,
    name: String,
}

#[derive(SimpleObject)]
pub struct ItemEdge {
    node: Item,
    cursor: String,
}

#[derive(SimpleObject)]
pub struct ItemConnection {
    edges: Vec<ItemEdge>,
    total_count: i32,
}

#[derive(SimpleObject)]
pub struct Other {
    note: String,
}

#[derive(Union)]
pub enum Thing {
    Item(Item),
    Other(Other),
}

#[derive(InputObject)]
pub struct Filter {
    #[graphql(default = 7)]
    least: i32,
    most: Option<i32>,
}

pub struct Query;

#[Object]
impl Query {
    async fn hello(&self, #[graphql(default = "you")] name: String) -> String {
        format!("hello {name}")
    }

    async fn given(&self, value: async_graphql::MaybeUndefined<i32>) -> &'static str {
        match value {
            async_graphql::MaybeUndefined::Undefined => "undefined",
            async_graphql::MaybeUndefined::Null => "null",
            async_graphql::MaybeUndefined::Value(_) => "value",
        }
    }

    async fn filtered(&self, filter: Filter) -> String {
        format!("{} {:?}", filter.least, filter.most)
    }

    async fn items(&self, first: Option<i32>) -> ItemConnection {
        let edge = |id| ItemEdge {
            node: Item {
                id,
                name: format!("item {id}"),
            },
            cursor: id.to_string(),
        };
        ItemConnection {
            edges: (0..first.unwrap_or(2)).map(edge).collect(),
            total_count: 1000,
        }
    }

    async fn things(&self) -> Vec<Thing> {
        vec![
            Thing::Item(Item {
                id: 1,
                name: "one".to_owned(),
            }),
            Thing::Other(Other {
                note: "two".to_owned(),
            }),
        ]
    }

    async fn slow(&self, milliseconds: u64) -> bool {
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        true
    }

    async fn json(&self) -> async_graphql::Json<serde_json::Value> {
        async_graphql::Json(serde_json::json!({"b": [{"a": 1}], "a": null}))
    }

    async fn secret_failure(&self) -> Result<Option<i32>, Error> {
        Err(Error::new("password of the database is 1234"))
    }

    async fn plain_failure(&self) -> Result<Option<i32>, Error> {
        Err(Error::new("not for you").extend_with(|_, e| e.set("code", "FORBIDDEN")))
    }

    async fn panics(&self, #[graphql(default = true)] now: bool) -> i32 {
        assert!(!now, "a bug");
        1
    }

    async fn viewer(&self, ctx: &async_graphql::Context<'_>) -> Option<String> {
        ctx.data_opt::<Option<String>>().cloned().flatten()
    }

    async fn address(&self, ctx: &async_graphql::Context<'_>) -> String {
        ctx.data::<RequestOrigin>()
            .map(|origin| origin.address.to_string())
            .unwrap_or_default()
    }
}

pub struct Mutation;

#[Object]
impl Mutation {
    async fn bump(&self) -> i32 {
        1
    }
}

/// Subscriptions that are at work, and what they have told in all.
pub static FLOODS: AtomicUsize = AtomicUsize::new(0);
pub static FLOODED: AtomicUsize = AtomicUsize::new(0);

struct Flood;

impl Drop for Flood {
    fn drop(&mut self) {
        FLOODS.fetch_sub(1, Ordering::SeqCst);
    }
}

pub struct Live;

#[Subscription]
impl Live {
    async fn ticks(&self, count: i32) -> impl Stream<Item = i32> {
        futures_util::stream::iter(0..count)
    }

    async fn silence(&self) -> impl Stream<Item = i32> {
        futures_util::stream::pending()
    }

    /// Tells as much as is taken.
    async fn flood(&self) -> impl Stream<Item = String> {
        FLOODS.fetch_add(1, Ordering::SeqCst);
        unfold(Flood, |flood| async {
            tokio::task::yield_now().await;
            FLOODED.fetch_add(1, Ordering::SeqCst);
            Some(("x".repeat(64 * 1024), flood))
        })
    }

    async fn broken(&self) -> impl Stream<Item = i32> {
        unfold((), |()| async { panic!("a bug") })
    }
}

pub struct Toy(Schema<Query, Mutation, Live>);
/// What is registered.
pub const REGISTERED: [&str; 2] = [
    "query Registered { hello }\n",
    "mutation RegisteredBump { bump }",
];
/// What cannot be looked up.
pub const AWAY: &str = "query Away { hello }";

impl Backend for Toy {
    type Viewer = Option<String>;

    async fn authenticate(
        &self,
        bearer: Option<&str>,
        _from: &RequestOrigin,
    ) -> Result<Self::Viewer, AuthRefusal> {
        match bearer {
            None => Ok(None),
            Some("good") => Ok(Some("good".to_owned())),
            Some("busy") => Err(AuthRefusal::RateLimited {
                retry_after: Duration::from_millis(1500),
            }),
            Some("away") => Err(AuthRefusal::Unavailable),
            Some(_) => Err(AuthRefusal::InvalidToken),
        }
    }

    fn name(&self, viewer: &Self::Viewer) -> Option<String> {
        viewer.clone()
    }

    fn subscribe(
        &self,
        _viewer: Self::Viewer,
        _bearer: Option<SecretString>,
        _origin: RequestOrigin,
        admitted: Admitted,
    ) -> BoxStream<'static, Result<Response, Response>> {
        self.0.execute_stream(admitted.request).map(Ok).boxed()
    }

    async fn document(&self, hash: DocumentHash) -> Result<Option<Arc<str>>, DocumentsAway> {
        if hash == DocumentHash::of(AWAY) {
            return Err(DocumentsAway);
        }
        let found = REGISTERED
            .into_iter()
            .find(|text| DocumentHash::of(text) == hash);
        Ok(found.map(Arc::from))
    }

    async fn execute(
        &self,
        viewer: Self::Viewer,
        origin: RequestOrigin,
        admitted: Admitted,
    ) -> Executed {
        let turned_away = |response| Executed {
            response,
            actual: None,
            left: None,
        };
        if viewer.as_deref() == Some("good") && admitted.operation_name.as_deref() == Some("Spent")
        {
            let mut error = async_graphql::ServerError::new("budget spent", None);
            let mut extensions = async_graphql::ErrorExtensionValues::default();
            extensions.set("code", "RATE_LIMITED");
            error.extensions = Some(extensions);
            return turned_away(Response::from_errors(vec![error]));
        }
        let request = admitted.request.data(viewer).data(origin);
        let response = self.0.execute(request).await;
        let actual = admitted.order.cost_of(&response.data);
        Executed {
            response,
            actual: Some(actual),
            left: None,
        }
    }
}

pub fn schema() -> Schema<Query, Mutation, Live> {
    Schema::build(Query, Mutation, Live)
        .validation_mode(ValidationMode::Fast)
        .finish()
}

pub fn start_on(port: u16, settings: HttpSettings) -> RunningServer {
    let schema = schema();
    let gate = Gate::new(&schema.sdl(), Limits::default()).expect("the toy schema is valid");
    let parts = HttpParts {
        gate,
        backend: Toy(schema),
        settings,
        ready: Arc::new(|| Box::pin(async { Ok(()) })),
        metrics: Some(
            metrics_exporter_prometheus::PrometheusBuilder::new()
                .build_recorder()
                .handle(),
        ),
        request_ids: uuid::Uuid::now_v7,
    };
    let listener = TcpListener::bind(("127.0.0.1", port)).expect("a free port");
    serve(listener, parts).expect("the toy server starts")
}
