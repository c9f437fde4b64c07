//! Files in and out: `POST /imports/{kind}` takes a file that is to be imported, `GET /transfers/{id}/result` gives
//! what came of an export or import.
//!
//! Mounted by `server.rs`. Everything about the trade is behind [`Backend`]. Errors have the form that GraphQL's have,
//! so that a client reads both alike.

use std::time::Duration;

use actix_web::{
    HttpRequest, HttpResponse,
    body::SizedStream,
    http::{
        Method, StatusCode,
        header::{
            ALLOW, CONNECTION, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE,
            HeaderMap, HeaderName, RETRY_AFTER, WWW_AUTHENTICATE,
        },
    },
    web,
};
use futures_util::{Stream, StreamExt};
use tokio::sync::mpsc;

use super::{
    answer::{self, BAD_REQUEST, INTERNAL, UNAUTHENTICATED, UNAVAILABLE},
    backend::Backend,
    body::{self, BodyError},
    graphql::{self, Endpoint},
    negotiate::MediaType,
};

/// Why a file is not taken, or not given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The code, as in `extensions.code` of GraphQL's errors.
    pub code: &'static str,
    /// What is wrong and what to do.
    pub message: String,
}

impl Problem {
    /// There is nothing of the kind, or nothing that the viewer may see.
    pub fn not_found(message: &str) -> Self {
        Self {
            status: 404,
            code: "NOT_FOUND",
            message: message.to_owned(),
        }
    }
}

/// What comes with an upload.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Upload {
    /// The last part of the path: what the file holds.
    pub kind: String,
    /// Names and values of the query string.
    pub parameters: Vec<(String, String)>,
    /// The encoding that the content type names.
    pub charset: Option<String>,
    /// Is it packed by gzip?
    pub is_gzip: bool,
    /// Its declared length.
    pub declared: Option<u64>,
    /// The header `Idempotency-Key`.
    pub key: Option<String>,
}

/// A part of an upload's body. The parts end with [`BodyPart::End`], or the upload has broken off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BodyPart {
    /// Bytes.
    Bytes(web::Bytes),
    /// That was all.
    End,
}

/// The parts of an upload's body, as they arrive.
pub type BodyParts = mpsc::Receiver<BodyPart>;

/// A file that is given.
pub struct Download {
    /// What it is called: letters, digits, `-` and `.`.
    pub name: String,
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub length: u64,
    /// The bytes themselves; an error breaks the answer off.
    pub bytes: futures_util::stream::BoxStream<'static, Result<web::Bytes, std::io::Error>>,
}

impl std::fmt::Debug for Download {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Download")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// Parts of a body that wait to be taken up.
const WAITING: usize = 4;
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Takes a file that is to be imported.
pub async fn import<B: Backend>(
    request: HttpRequest,
    kind: web::Path<String>,
    payload: web::Payload,
    shared: web::Data<Endpoint<B>>,
) -> HttpResponse {
    if request.method() != Method::POST {
        return method_refused("POST");
    }
    let settings = &shared.settings;
    let headers = request.headers();
    let upload = match upload(&request, kind.into_inner()) {
        Ok(upload) => upload,
        Err(problem) => return over(refused(&problem), payload),
    };
    let origin = graphql::origin(&request, settings);
    let viewer = match graphql::authenticate(headers, &origin, &shared, MediaType::Json).await {
        Ok(viewer) => viewer,
        Err(response) => return over(response, payload),
    };
    let (sender, parts) = mpsc::channel(WAITING);
    let mut payload = payload;
    let outcome = {
        let taking = shared.backend.import(viewer, origin, upload, parts);
        let pumping = pump(&mut payload, sender, settings.upload_time);
        tokio::pin!(taking, pumping);
        tokio::select! {
            biased;
            // It may end before the body does, when there is something wrong with it.
            taken = &mut taking => taken.map_err(|problem| (problem, false)),
            pumped = &mut pumping => match pumped {
                Ok(()) => taking.await.map_err(|problem| (problem, true)),
                Err(problem) => {
                    // The parts have broken off: what was taken is put away.
                    let _ = taking.await;
                    Err((problem, false))
                }
            },
        }
    };
    match outcome {
        Ok(told) => HttpResponse::Accepted()
            .content_type("application/json")
            .body(told.to_string()),
        Err((problem, is_read)) if is_read => refused(&problem),
        Err((problem, _)) => over(refused(&problem), payload),
    }
}

/// Gives the result of a transfer.
pub async fn result<B: Backend>(
    request: HttpRequest,
    id: web::Path<String>,
    shared: web::Data<Endpoint<B>>,
) -> HttpResponse {
    if request.method() != Method::GET {
        return method_refused("GET");
    }
    let origin = graphql::origin(&request, &shared.settings);
    let viewer =
        match graphql::authenticate(request.headers(), &origin, &shared, MediaType::Json).await {
            Ok(viewer) => viewer,
            Err(response) => return response,
        };
    match shared.backend.result(viewer, origin, &id).await {
        Ok(file) => HttpResponse::Ok()
            .insert_header((CONTENT_TYPE, file.media_type))
            .insert_header((
                CONTENT_DISPOSITION,
                format!("attachment; filename=\"{}\"", file.name),
            ))
            .body(SizedStream::new(
                file.length,
                file.bytes
                    .map(|bytes| bytes.map_err(actix_web::Error::from)),
            )),
        Err(problem) => refused(&problem),
    }
}

/// Hands the body over as it arrives.
async fn pump(
    payload: &mut (impl Stream<Item = Result<web::Bytes, actix_web::error::PayloadError>> + Unpin),
    sender: mpsc::Sender<BodyPart>,
    time: Duration,
) -> Result<(), Problem> {
    let pumping = async {
        while let Some(bytes) = payload.next().await {
            let bytes = bytes.map_err(|_| BodyError::Broken)?;
            if sender.send(BodyPart::Bytes(bytes)).await.is_err() {
                // Whoever takes it has given up, and says why.
                std::future::pending::<()>().await;
            }
        }
        let _ = sender.send(BodyPart::End).await;
        Ok(())
    };
    let pumped = tokio::time::timeout(time, pumping)
        .await
        .unwrap_or(Err(BodyError::TooSlow));
    pumped.map_err(|error| Problem {
        status: match error {
            BodyError::TooSlow => 408,
            BodyError::TooLarge(_) => 413,
            BodyError::Broken => 400,
        },
        code: BAD_REQUEST,
        message: error.to_string(),
    })
}

/// Reads head and query string.
fn upload(request: &HttpRequest, kind: String) -> Result<Upload, Problem> {
    let headers = request.headers();
    let wrong = |status: u16, message: &str| Problem {
        status,
        code: BAD_REQUEST,
        message: message.to_owned(),
    };
    let web::Query(parameters) =
        web::Query::<Vec<(String, String)>>::from_query(request.query_string())
            .map_err(|_| wrong(400, "the query string cannot be read"))?;
    let unsupported =
        "send the file as text/csv, or packed as application/gzip (or with Content-Encoding: gzip)";
    let content_type = one(headers, &CONTENT_TYPE).map_err(|()| wrong(415, unsupported))?;
    let mut content_type = content_type.unwrap_or_default().split(';').map(str::trim);
    let media = content_type.next().unwrap_or_default().to_ascii_lowercase();
    let charset = content_type.find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        name.eq_ignore_ascii_case("charset")
            .then(|| value.trim_matches('"').to_ascii_lowercase())
    });
    let packed_type = matches!(media.as_str(), "application/gzip" | "application/x-gzip");
    if !packed_type && media != "text/csv" {
        return Err(wrong(415, unsupported));
    }
    let encoding = one(headers, &CONTENT_ENCODING).map_err(|()| wrong(415, unsupported))?;
    let is_gzip = match encoding.map(str::to_ascii_lowercase).as_deref() {
        None | Some("identity" | "") => packed_type,
        Some("gzip" | "x-gzip") if !packed_type => true,
        _ => return Err(wrong(415, unsupported)),
    };
    let declared = one(headers, &CONTENT_LENGTH).map_err(|()| wrong(400, "bad length"))?;
    let key = one(headers, &IDEMPOTENCY_KEY).map_err(|()| {
        wrong(
            400,
            "Idempotency-Key is one header of visible ASCII characters",
        )
    })?;
    Ok(Upload {
        kind,
        parameters,
        charset,
        is_gzip,
        declared: declared.and_then(|text| text.parse().ok()),
        key: key.map(str::to_owned),
    })
}

/// The value of a header that may come once.
fn one<'h>(headers: &'h HeaderMap, name: &HeaderName) -> Result<Option<&'h str>, ()> {
    let mut values = headers.get_all(name);
    let value = values.next();
    if values.next().is_some() {
        return Err(());
    }
    value
        .map(|value| value.to_str().map_err(|_| ()))
        .transpose()
}

fn method_refused(allow: &'static str) -> HttpResponse {
    answer::request_error_with(
        StatusCode::METHOD_NOT_ALLOWED,
        MediaType::Json,
        BAD_REQUEST,
        "this method is not supported here",
        |builder| {
            builder.insert_header((ALLOW, allow));
        },
    )
}

fn refused(problem: &Problem) -> HttpResponse {
    let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let code = if status == StatusCode::INTERNAL_SERVER_ERROR {
        INTERNAL
    } else {
        problem.code
    };
    answer::request_error_with(status, MediaType::Json, code, &problem.message, |builder| {
        if code == UNAUTHENTICATED {
            builder.insert_header((WWW_AUTHENTICATE, "Bearer"));
        }
        if code == UNAVAILABLE {
            builder.insert_header((RETRY_AFTER, "1"));
        }
    })
}

/// Answers over a body of which the rest is not read: the connection ends a moment later.
fn over(mut response: HttpResponse, rest: web::Payload) -> HttpResponse {
    response.headers_mut().insert(
        CONNECTION,
        actix_web::http::header::HeaderValue::from_static("close"),
    );
    response
        .head_mut()
        .set_connection_type(actix_web::http::ConnectionType::Close);
    body::instead_of(response, rest)
}
