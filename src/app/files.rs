//! Files in and out on behalf of the endpoint: what `http` hands over becomes a call of the service, and what it says
//! becomes an answer.

use super::backend::Api;
use crate::access::{Ctx, Viewer};
use crate::domain::transfers::{self, ReceiveError, Reception, ResultFile, UploadRequest};
use crate::error::{Code, Error};
use crate::graphql::ids::GlobalKey;
use crate::http::{BodyPart, BodyParts, Download, Problem, Upload};
use actix_web::web::Bytes;
use async_graphql::ID;
use entity::ids::TransferId;
use entity::transfer;
use futures_util::StreamExt;
use futures_util::stream;
use serde_json::json;

/// Takes an upload, on a task of its own: whoever sends it may go away at any moment, and then what has come of it is to
/// be put away.
pub(super) async fn import(
    ctx: Ctx,
    upload: Upload,
    parts: BodyParts,
) -> Result<serde_json::Value, Problem> {
    let request_id = ctx.origin.request_id;
    let taken = tokio::spawn(async move { take(&ctx, upload, parts).await })
        .await
        .map_err(|error| ReceiveError::Service(Error::internal(format!("an upload: {error}"))))
        .and_then(|taken| taken);
    match taken {
        Ok(row) => Ok(json!({
            "id": row.id.global().as_str(),
            "state": row.state.as_str(),
        })),
        Err(error) => Err(problem(&error, request_id)),
    }
}

async fn take(
    ctx: &Ctx,
    upload: Upload,
    mut parts: BodyParts,
) -> Result<transfer::Model, ReceiveError> {
    let mut reception = Reception::begin(
        ctx,
        UploadRequest {
            kind: upload.kind,
            parameters: upload.parameters,
            charset: upload.charset,
            is_gzip: upload.is_gzip,
            declared: upload.declared,
            key: upload.key,
        },
    )
    .await?;
    loop {
        let pushed = match parts.recv().await {
            Some(BodyPart::Bytes(bytes)) => reception.push(&bytes).await,
            Some(BodyPart::End) => return reception.finish().await,
            None => Err(Error::BadRequest("the upload broke off".into()).into()),
        };
        if let Err(error) = pushed {
            reception.abandon().await;
            return Err(error);
        }
    }
}

/// Gives the result of a transfer.
pub(super) async fn result(ctx: Ctx, id: &str) -> Result<Download, Problem> {
    let nothing = || Problem::not_found("no such result");
    let opened = match TransferId::parse(&ID::from(id)) {
        // Who is not signed in learns nothing about ids, not even that one is none.
        None => ctx
            .require(crate::access::Action::DataExport)
            .map(|()| None),
        Some(id) => transfers::open(&ctx, id).await,
    };
    let file = opened
        .map_err(|error| problem(&ReceiveError::Service(error), ctx.origin.request_id))?
        .ok_or_else(nothing)?;
    Ok(Download {
        name: file.name.clone(),
        media_type: file.media_type,
        length: file.bytes,
        bytes: pieces(ctx, file),
    })
}

fn pieces(ctx: Ctx, file: ResultFile) -> stream::BoxStream<'static, Result<Bytes, std::io::Error>> {
    stream::try_unfold(0, move |place| {
        let (ctx, file) = (ctx.clone(), file.clone());
        async move {
            match transfers::piece(&ctx, &file, place).await {
                Ok(piece) => Ok(piece.map(|piece| (Bytes::from(piece), place + 1))),
                Err(error) => {
                    tracing::error!(?error, "a result breaks off");
                    Err(std::io::Error::other("the result cannot be read"))
                }
            }
        }
    })
    .boxed()
}

/// An error as the endpoint answers it.
fn problem(error: &ReceiveError, request_id: uuid::Uuid) -> Problem {
    let (status, code, message) = match error {
        ReceiveError::TooLarge(_) => (413, "BAD_REQUEST", error.to_string()),
        ReceiveError::NoRoom(_) => (507, "UNAVAILABLE", error.to_string()),
        ReceiveError::NoSuchKind => (404, "NOT_FOUND", error.to_string()),
        ReceiveError::Service(service) => match service {
            Error::User(errors) => {
                let is = |code: Code| errors.iter().any(|error| error.code == code);
                let status = if is(Code::IdempotencyMismatch) || is(Code::WrongState) {
                    409
                } else if is(Code::TooMany) {
                    429
                } else {
                    400
                };
                let messages: Vec<&str> =
                    errors.iter().map(|error| error.message.as_str()).collect();
                (status, service.class(), messages.join("; "))
            }
            Error::Unauthenticated => (401, service.class(), service.to_string()),
            Error::Forbidden => (403, service.class(), service.to_string()),
            Error::RateLimited => (429, service.class(), service.to_string()),
            Error::BadRequest(_) => (400, service.class(), service.to_string()),
            Error::Unavailable(_) => (503, service.class(), service.to_string()),
            Error::Database(_) | Error::Internal(_) => {
                tracing::error!(%request_id, error = ?service, "request failed");
                let message = format!("internal error (request {request_id})");
                (500, service.class(), message)
            }
        },
    };
    Problem {
        status,
        code,
        message,
    }
}

impl Api {
    /// The context of a request.
    pub(super) fn context(&self, viewer: Viewer, from: crate::http::RequestOrigin) -> Ctx {
        let origin = crate::access::Origin {
            request_id: from.request_id,
            address: Some(from.address),
            user_agent: from
                .user_agent
                .map(|agent| agent.chars().take(200).collect()),
        };
        self.ctx.for_request(viewer, origin)
    }
}
