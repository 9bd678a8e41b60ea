//! The connection on which a request came, and whether somebody is still at its other end.
//!
//! While a request is held, the web server does not look at its connection, so a client that goes
//! away is noticed only when the answer is sent. Here the kernel is asked instead.

use std::any::Any;
use std::io::{self, ErrorKind, Write as _};
use std::net::{IpAddr, Shutdown, TcpStream};
use std::os::fd::AsFd as _;
use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::rt::net::TcpStream as Connection;

use crate::execution::Presence;

/// What somebody reads for whom there is no room.
const REFUSAL: &str = "HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\nconnection: close\r\n\
    content-type: application/json\r\ncontent-length: 61\r\n\r\n\
    {\"detail\":\"There are too many connections. Try again soon.\"}\n";

/// A second handle of a connection's socket, which looks, and may end it.
#[derive(Clone, Debug)]
pub struct Line(Arc<TcpStream>);

impl Line {
    /// The line of a connection, where it is one over the network and there is a descriptor left
    /// for it: it takes one as long as the connection is open.
    #[must_use]
    pub fn of(connection: &dyn Any) -> Option<Self> {
        let connection = connection.downcast_ref::<Connection>()?;
        let handle = connection.as_fd().try_clone_to_owned().ok()?;
        Some(Self(Arc::new(handle.into())))
    }

    /// The address at its other end.
    #[must_use]
    pub fn peer(&self) -> Option<IpAddr> {
        self.0.peer_addr().ok().map(|peer| peer.ip())
    }

    /// Ends the connection.
    pub fn end(&self) {
        // One that has ended already needs nothing.
        let _ = self.0.shutdown(Shutdown::Both);
    }

    /// Tells whoever connected to come again later, and ends the connection. Nothing was read, so
    /// nobody knows whether it was a browser or a program.
    pub fn refuse(&self) {
        // What does not go out at once stays unsaid: the connection ends in any case.
        let _ = (&*self.0).write(REFUSAL.as_bytes());
        self.end();
    }

    /// Whether the other side has neither closed the connection nor broken it off. One that has
    /// only said that it sends nothing more counts as gone, as it does for proxies.
    #[must_use]
    pub fn is_open(&self) -> bool {
        // The socket waits for nothing, since both handles share how it is set; what is there to
        // be read stays there.
        match self.0.peek(&mut [0]) {
            Ok(read) => read > 0,
            Err(error) => is_quiet(&error),
        }
    }
}

#[cfg(test)]
impl From<TcpStream> for Line {
    fn from(connection: TcpStream) -> Self {
        Self(Arc::new(connection))
    }
}

/// Whether an error only says that nothing has come.
fn is_quiet(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Whether whoever sent a request is still there; whoever came over the socket of the operator
/// counts as being there.
pub(super) fn presence(request: &HttpRequest) -> Presence {
    match request.conn_data::<Line>().cloned() {
        Some(line) => Presence::told_by(move || line.is_open()),
        None => Presence::default(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::rt::net::{TcpListener, UnixStream};
    use actix_web::rt::time::{sleep, timeout};
    use std::time::Duration;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    async fn connected() -> (Connection, Connection) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let to = listener.local_addr().expect("an address");
        let far = Connection::connect(to).await.expect("a connection");
        let (near, _) = listener.accept().await.expect("a connection");
        (near, far)
    }

    async fn closes(line: &Line) {
        let closing = async {
            while line.is_open() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        let closed = timeout(Duration::from_secs(10), closing).await;
        closed.expect("it is noticed that the line is closed");
    }

    #[actix_web::test]
    async fn a_line_is_open_until_the_other_side_closes_it() {
        let (mut near, mut far) = connected().await;
        let line = Line::of(&near).expect("a line");
        assert!(line.is_open());
        far.write_all(b"x").await.expect("it is sent");
        let mut read = [0];
        near.readable().await.expect("it comes");
        assert!(line.is_open());
        near.read_exact(&mut read).await.expect("it is still there");
        assert_eq!(&read, b"x");
        assert!(line.is_open());
        drop(far);
        closes(&line).await;
    }

    #[actix_web::test]
    async fn a_line_that_breaks_is_not_open() {
        let (near, far) = connected().await;
        let line = Line::of(&near).expect("a line");
        // What is closed unread is broken off.
        near.try_write(b"unread").expect("it is sent");
        far.readable().await.expect("it comes");
        drop(far);
        closes(&line).await;
    }

    #[test]
    fn the_refusal_says_how_long_it_is() {
        let (head, body) = REFUSAL.split_once("\r\n\r\n").expect("a head and a body");
        let length = format!("content-length: {}", body.len());
        assert!(head.lines().any(|line| line == length), "{length}");
    }

    #[actix_web::test]
    async fn only_what_came_over_the_network_has_a_line() {
        let (near, _far) = UnixStream::pair().expect("a pair of sockets");
        assert!(Line::of(&near).is_none());
    }
}
