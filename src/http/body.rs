//! Reads a request body within bounds of size and time.
//!
//! Called by `graphql.rs`. What is too large is refused by its declared length before a byte of it is read, and
//! otherwise at the first byte too many. Nobody reads the rest: the answer is sent while the client still writes, and
//! the connection ends a moment later, so that 64 MB cost as little as one.

use std::time::Duration;

use actix_web::{
    Error, HttpResponse,
    body::{MessageBody, SizedStream},
    http::header::{CONTENT_LENGTH, HeaderMap},
    web::{Bytes, BytesMut, Payload},
};
use futures_util::{
    Stream, StreamExt,
    future::ready,
    stream::{once, poll_fn},
};

/// Why a body was not read to its end. The connection is of no use afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// More bytes than allowed, declared or sent.
    #[error("the body is larger than {0} bytes")]
    TooLarge(usize),
    /// It did not arrive in time.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The connection broke or the framing is wrong.
    #[error("the body could not be read")]
    Broken,
}

/// Whether the declared length is within `limit`.
pub fn check_declared(headers: &HeaderMap, limit: usize) -> Result<(), BodyError> {
    let Some(length) = headers.get(CONTENT_LENGTH) else {
        return Ok(());
    };
    match length
        .to_str()
        .ok()
        .and_then(|text| text.parse::<u64>().ok())
    {
        Some(length) if usize::try_from(length).is_ok_and(|length| length <= limit) => Ok(()),
        Some(_) => Err(BodyError::TooLarge(limit)),
        None => Err(BodyError::Broken),
    }
}

/// Reads everything, at most `limit` bytes, within `time`.
pub async fn read(
    payload: &mut Payload,
    limit: usize,
    time: Duration,
) -> Result<BytesMut, BodyError> {
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|_| BodyError::Broken)?;
            if body.len().saturating_add(chunk.len()) > limit {
                return Err(BodyError::TooLarge(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    };
    tokio::time::timeout(time, reading)
        .await
        .unwrap_or(Err(BodyError::TooSlow))
}

/// Time that a client gets to notice an early answer before the connection ends.
const NOTICE: Duration = Duration::from_millis(500);

/// The answer, over a body of which the rest is not read.
pub fn instead_of(response: HttpResponse, rest: Payload) -> HttpResponse {
    let (response, text) = response.into_parts();
    match text.try_into_bytes() {
        Ok(text) => response
            .set_body(over_unread(text, rest))
            .map_into_boxed_body(),
        Err(text) => response.set_body(text),
    }
}

/// An answer's text whose end is held back while the rest of the request's body waits unread. Its length is known, so
/// that the client has all of it at once. Holding the payload keeps the server from reading on in order to discard.
fn over_unread(
    text: Bytes,
    rest: Payload,
) -> SizedStream<impl Stream<Item = Result<Bytes, Error>> + 'static> {
    let length = text.len() as u64;
    let end = once(tokio::time::sleep(NOTICE)).filter_map(|()| ready(None));
    let mut stream = Box::pin(once(ready(Ok(text))).chain(end));
    // Until the stream's very end: a payload that is gone before lets the server take the connection for one to be
    // kept, and it would wait for a next request on it.
    let stream = poll_fn(move |context| {
        let _held = &rest;
        stream.poll_next_unpin(context)
    });
    SizedStream::new(length, Box::pin(stream))
}
