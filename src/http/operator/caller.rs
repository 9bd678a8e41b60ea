//! Who is at the other end of the Unix socket.

use std::any::Any;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::rt::net::UnixStream;

use super::Refusal;

/// What the kernel says about the process that opened a connection.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// Whether it runs as the user who runs this server, or as root.
    pub is_owner: bool,
}

impl Caller {
    /// The caller of a connection, if it came over a Unix socket. `owner` is the user id of
    /// this process.
    #[must_use]
    pub fn of(connection: &dyn Any, owner: u32) -> Option<Self> {
        let stream = connection.downcast_ref::<UnixStream>()?;
        let uid = stream.peer_cred().ok()?.uid();
        Some(Self {
            is_owner: uid == owner || uid == 0,
        })
    }
}

/// Refuses everybody but the owner; also a connection about which nothing is known.
pub(super) async fn owner_only(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    match request.conn_data::<Caller>() {
        Some(caller) if caller.is_owner => next.call(request).await,
        _ => Err(Refusal::Stranger.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[actix_web::test]
    async fn the_kernel_tells_who_calls() {
        let (near, _far) = UnixStream::pair().expect("a pair of sockets");
        let own = std::fs::metadata("/proc/self").expect("proc").uid();
        assert!(Caller::of(&near, own).expect("a Unix socket").is_owner);
        assert!(Caller::of(&"no socket", own).is_none());
    }
}
