//! The operations of one websocket.
//!
//! Each runs in a task of its own on the connection's thread. One that the client calls off says nothing any more; a query
//! or a subscription stops, a mutation goes on to its end, as it would if its answer were lost on the way.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    panic::AssertUnwindSafe,
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use actix_web::{rt, web};
use apollo_compiler::ast::OperationType;
use futures_util::{FutureExt, StreamExt};
use secrecy::SecretString;
use tokio::task::AbortHandle;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    graphql::gate::Admitted,
    http::{
        answer::{self, INTERNAL, RATE_LIMITED, UNAUTHENTICATED, UNAVAILABLE, Within},
        backend::{AuthRefusal, Backend, RequestOrigin},
        graphql::{Endpoint, outcome_word},
        live, metrics,
        operation::{self, Cost, Ran},
        params::Params,
    },
};

use super::{message::about, outgoing::Outgoing};

#[derive(Debug)]
struct Entry {
    number: u64,
    /// Stops it; none where it has to go on.
    abort: Option<AbortHandle>,
    muted: Rc<Cell<bool>>,
}

/// Those that run, by the client's ids.
#[derive(Debug, Clone, Default)]
pub struct Operations {
    running: Rc<RefCell<HashMap<String, Entry>>>,
    counter: Rc<Cell<u64>>,
}

impl Operations {
    /// Is there one with this id?
    pub fn has(&self, id: &str) -> bool {
        self.running.borrow().contains_key(id)
    }

    /// How many run.
    pub fn count(&self) -> usize {
        self.running.borrow().len()
    }

    /// Ends one; an id that is not known is none of an operation that runs any more.
    pub fn end(&self, id: &str) {
        if let Some(entry) = self.running.borrow_mut().remove(id) {
            entry.end();
        }
    }

    /// Ends all.
    pub fn end_all(&self) {
        for (_, entry) in self.running.borrow_mut().drain() {
            entry.end();
        }
    }

    /// Begins one.
    pub fn begin<B: Backend>(
        &self,
        id: String,
        params: Params,
        asker: Asker<B>,
        outgoing: Outgoing,
    ) {
        let number = self.counter.get();
        self.counter.set(number + 1);
        let muted = Rc::new(Cell::new(false));
        let operation = Operation {
            turn: Turn {
                id: id.clone(),
                number,
                all: self.clone(),
                muted: Rc::clone(&muted),
                outgoing,
            },
            asker,
        };
        let span = tracing::info_span!("operation", id = %operation.asker.origin.request_id);
        let task = rt::spawn(operation.run(params).instrument(span));
        let entry = Entry {
            number,
            abort: Some(task.abort_handle()),
            muted,
        };
        self.running.borrow_mut().insert(id, entry);
    }

    fn of(&self, turn: &Turn) -> Option<std::cell::RefMut<'_, Entry>> {
        std::cell::RefMut::filter_map(self.running.borrow_mut(), |running| {
            running
                .get_mut(&turn.id)
                .filter(|entry| entry.number == turn.number)
        })
        .ok()
    }
}

impl Entry {
    fn end(self) {
        self.muted.set(true);
        if let Some(abort) = self.abort {
            abort.abort();
        }
    }
}

/// On whose behalf.
pub struct Asker<B: Backend> {
    /// The endpoint.
    pub shared: web::Data<Endpoint<B>>,
    /// The token with which the connection was begun.
    pub token: Option<SecretString>,
    /// Where the operation comes from; its request id is its own.
    pub origin: RequestOrigin,
}

/// The right to speak about one operation.
struct Turn {
    id: String,
    number: u64,
    all: Operations,
    muted: Rc<Cell<bool>>,
    outgoing: Outgoing,
}

impl Turn {
    /// Tells something of it; false when nobody listens any more.
    async fn tell(&self, kind: &str, payload: &str) -> bool {
        !self.muted.get()
            && self
                .outgoing
                .send(about(kind, &self.id, payload))
                .await
                .is_ok()
    }

    /// Its id is free from here on.
    fn leave(&self) {
        let is_there = self.all.of(self).is_some();
        if is_there {
            self.all.running.borrow_mut().remove(&self.id);
        }
    }

    async fn fail(&self, errors: &str) {
        let muted = self.muted.get();
        self.leave();
        if !muted {
            self.tell("error", errors).await;
        }
    }

    async fn complete(&self) {
        self.leave();
        self.tell("complete", "").await;
    }
}

struct Operation<B: Backend> {
    turn: Turn,
    asker: Asker<B>,
}

impl<B: Backend> Operation<B> {
    async fn run(self, params: Params) {
        let started = Instant::now();
        let mut kind = "none";
        let work = AssertUnwindSafe(self.try_run(params, &mut kind)).catch_unwind();
        let outcome = match work.await {
            Ok(outcome) => outcome,
            Err(_) => {
                tracing::error!("an operation panicked");
                self.turn
                    .fail(&answer::error_text(INTERNAL, "internal error"))
                    .await;
                "internal"
            }
        };
        metrics::operation(kind, outcome, started.elapsed());
    }

    async fn try_run(&self, params: Params, kind: &mut &'static str) -> &'static str {
        let Asker {
            shared,
            token,
            origin,
        } = &self.asker;
        let viewer = match live::authenticate(shared, token.as_ref(), origin).await {
            Ok(viewer) => viewer,
            Err(refusal) => {
                let code = match refusal {
                    AuthRefusal::InvalidToken => UNAUTHENTICATED,
                    AuthRefusal::RateLimited { .. } => RATE_LIMITED,
                    AuthRefusal::Unavailable => UNAVAILABLE,
                };
                let errors = answer::error_text(code, &refusal.to_string());
                self.turn.fail(&errors).await;
                return "refused";
            }
        };
        let admitted = match operation::admit(shared, &viewer, &params).await {
            Ok(admitted) => admitted,
            Err(refused) => {
                let errors = answer::refused_text(&refused, Within::Nothing);
                self.turn.fail(&errors).await;
                return "refused";
            }
        };
        *kind = admitted.kind.name();
        if admitted.kind == OperationType::Subscription {
            return self.follow(viewer, admitted).await;
        }
        if admitted.kind == OperationType::Mutation
            && let Some(mut entry) = self.turn.all.of(&self.turn)
        {
            entry.abort = None;
        }
        let ran = operation::run(shared, viewer, origin.clone(), admitted).await;
        if answer::is_turned_away(&ran.response) {
            self.turn.fail(&answer::turned_away_text(&ran)).await;
            return "refused";
        }
        let (body, outcome) = answer::executed_text(&ran);
        if self.turn.tell("next", &body).await {
            self.turn.complete().await;
        } else {
            self.turn.leave();
        }
        outcome_word(&ran, outcome)
    }

    async fn follow(&self, viewer: B::Viewer, admitted: Admitted) -> &'static str {
        let Asker {
            shared,
            token,
            origin,
        } = &self.asker;
        let (cost, order) = (Cost::of(&admitted), Arc::clone(&admitted.order));
        let mut told = shared
            .backend
            .subscribe(viewer, token.clone(), origin.clone(), admitted);
        while let Some(told) = told.next().await {
            let (response, refused) = match told {
                Ok(response) => (response, false),
                Err(response) => (response, true),
            };
            let ran = Ran {
                cost: Cost {
                    actual: Some(order.cost_of(&response.data)),
                    ..cost
                },
                response,
                order: Arc::clone(&order),
                request_id: origin.request_id,
                timed_out: false,
            };
            if refused {
                self.turn.fail(&answer::turned_away_text(&ran)).await;
                return "refused";
            }
            let (body, _) = answer::executed_text(&ran);
            if !self.turn.tell("next", &body).await {
                self.turn.leave();
                return "ok";
            }
        }
        self.turn.complete().await;
        "ok"
    }
}

/// Where an operation comes from: as the connection, with an id of its own.
pub fn origin_of(connection: &RequestOrigin, id: Uuid) -> RequestOrigin {
    RequestOrigin {
        request_id: id,
        ..connection.clone()
    }
}
