//! A connection that cannot be held open by dripping.
//!
//! Put around each socket by `server.rs`. The server's own timers bound the first head of a connection only: half of a
//! second head, sent a byte at a time, would keep it open for good. So here, while no request is being served, a head
//! that has begun has to be complete within its time, and silence ends with the keep-alive time; at any time, a client
//! that takes nothing of what is written to it is given up. Knows nothing of HTTP: `frame.rs` says when a request is
//! being served.

use std::{
    cell::Cell,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
    time::{Instant, Sleep, sleep_until},
};

use super::live::Seat;

/// Whether a request of this connection is being served; in the connection's data, set by `frame.rs`.
#[derive(Debug, Clone, Default)]
pub struct Serving(Rc<Cell<bool>>);

impl Serving {
    /// Begins or ends the serving of a request.
    pub fn set(&self, serving: bool) {
        self.0.set(serving);
    }
}

/// The times of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Times {
    /// From a head's first byte to its last.
    pub head: Duration,
    /// Between requests.
    pub idle: Duration,
    /// Without the client taking a byte.
    pub write: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    ForHead,
    ForMore,
}

/// A socket with deadlines.
#[derive(Debug)]
pub struct Connection {
    socket: TcpStream,
    serving: Serving,
    times: Times,
    /// Held as long as the connection lives; without one it is hung up.
    seat: Option<Seat>,
    read: Option<(Waiting, Pin<Box<Sleep>>)>,
    write: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    /// Takes a socket over, with its seat among those of its address.
    pub fn new(socket: TcpStream, times: Times, seat: Option<Seat>) -> Self {
        Self {
            seat,
            socket,
            serving: Serving::default(),
            times,
            read: None,
            write: None,
        }
    }

    /// The mark to set while a request is being served.
    pub fn serving(&self) -> Serving {
        self.serving.clone()
    }

    fn wait(&mut self, waiting: Waiting) {
        let time = match waiting {
            Waiting::ForHead => self.times.idle,
            Waiting::ForMore => self.times.head,
        };
        self.read = Some((waiting, Box::pin(sleep_until(Instant::now() + time))));
    }

    /// Gives up on a client that takes nothing for too long.
    fn watch_write<T>(
        &mut self,
        cx: &mut Context<'_>,
        result: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if result.is_ready() {
            self.write = None;
            return result;
        }
        let time = self.times.write;
        let deadline = self
            .write
            .get_or_insert_with(|| Box::pin(sleep_until(Instant::now() + time)));
        ready!(deadline.as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.seat.is_none() {
            // Before anything is read: whoever holds too many costs no more than this.
            return Poll::Ready(Ok(()));
        }
        if this.serving.0.get() {
            this.read = None;
            return Pin::new(&mut this.socket).poll_read(cx, buffer);
        }
        if this.read.is_none() {
            this.wait(Waiting::ForHead);
        }
        if let Some((_, deadline)) = &mut this.read
            && deadline.as_mut().poll(cx).is_ready()
        {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut this.socket).poll_read(cx, buffer))?;
        if buffer.filled().len() > before && matches!(this.read, Some((Waiting::ForHead, _))) {
            this.wait(Waiting::ForMore);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.socket).poll_write(cx, bytes);
        this.watch_write(cx, result)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.socket).poll_flush(cx);
        this.watch_write(cx, result)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().socket).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let result = Pin::new(&mut this.socket).poll_write_vectored(cx, slices);
        this.watch_write(cx, result)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::http::live::Seats;

    async fn pair(times: Times) -> (Connection, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap());
        let (client, accepted) = tokio::join!(client, listener.accept());
        let seat = Seats::new(1).take("test".to_owned(), "test");
        (
            Connection::new(accepted.unwrap().0, times, seat),
            client.unwrap(),
        )
    }

    fn times(milliseconds: [u64; 3]) -> Times {
        let [head, idle, write] = milliseconds.map(Duration::from_millis);
        Times { head, idle, write }
    }

    #[tokio::test]
    async fn whoever_has_no_seat_is_hung_up() {
        let (connection, mut client) = pair(times([10_000, 10_000, 10_000])).await;
        let mut connection = Connection {
            seat: None,
            ..connection
        };
        client.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_eq!(connection.read(&mut [0; 64]).await.unwrap(), 0);
    }

    #[tokio::test]
    async fn whoever_reads_nothing_is_given_up() {
        let (mut connection, _client) = pair(times([10_000, 10_000, 100])).await;
        connection.serving().set(true);
        let chunk = vec![0; 1024 * 1024];
        let error = loop {
            if let Err(error) = connection.write_all(&chunk).await {
                break error;
            }
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn silence_and_dripping_end_unless_a_request_is_served() {
        let mut buffer = [0; 64];
        let (mut connection, _client) = pair(times([10_000, 100, 10_000])).await;
        let error = connection.read(&mut buffer).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);

        let (mut connection, mut client) = pair(times([100, 10_000, 10_000])).await;
        client.write_all(b"G").await.unwrap();
        assert_eq!(connection.read(&mut buffer).await.unwrap(), 1);
        let error = connection.read(&mut buffer).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);

        let (mut connection, mut client) = pair(times([100, 100, 10_000])).await;
        connection.serving().set(true);
        let late = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            client.write_all(b"x").await.unwrap();
        };
        let (read, ()) = tokio::join!(connection.read(&mut buffer), late);
        assert_eq!(read.unwrap(), 1);
    }
}
