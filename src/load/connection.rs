//! One connection with a server, opened when it is needed and kept as long as the server wants.
//!
//! HTTP/1.1 alone, on a thread that does everything, because this has to cost less than what the
//! server does for it.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{
    ACCEPT, CONTENT_TYPE, COOKIE, HOST, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER,
};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::failure::Failure;
use super::jar::Jar;
use super::target::Target;

/// The longest answer that is read, in bytes.
const LONGEST: usize = 1 << 20;

const CSRF: HeaderName = HeaderName::from_static("x-authentik-csrf");
const FORWARDED: HeaderName = HeaderName::from_static("x-forwarded-for");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

pub(super) struct Connection<'a> {
    target: &'a Target,
    sender: Option<SendRequest<String>>,
    /// How often one was opened.
    pub(super) opened: u64,
}

/// An answer, as far as a visitor looks at it.
pub(super) struct Answer {
    pub(super) status: u16,
    /// Seconds.
    pub(super) retry_after: Option<u64>,
    /// Where it leads on the same server.
    pub(super) location: Option<Uri>,
    pub(super) body: Bytes,
}

impl<'a> Connection<'a> {
    pub(super) fn new(target: &'a Target) -> Self {
        Self {
            target,
            sender: None,
            opened: 0,
        }
    }

    /// Closes it; the next request opens another one.
    pub(super) fn close(&mut self) {
        self.sender = None;
    }

    /// Gets what is at a place, or posts JSON there.
    ///
    /// Whoever gives up waiting drops the future, and the connection with it.
    pub(super) async fn ask(
        &mut self,
        place: &Uri,
        body: Option<&str>,
        jar: &mut Jar,
        forwarded: Option<&HeaderValue>,
    ) -> Result<Answer, Failure> {
        loop {
            let kept = self.sender.take();
            let is_kept = kept.is_some();
            let mut sender = match kept {
                Some(sender) => sender,
                None => self.open().await?,
            };
            let sent = match sender.ready().await {
                Ok(()) => {
                    let request = self.request(place, body, jar, forwarded);
                    sender.send_request(request).await
                }
                Err(error) => Err(error),
            };
            let answer = match sent {
                Ok(answer) => answer,
                // The server closed it while nobody asked, so this request was never sent.
                Err(error) if is_kept && (error.is_canceled() || error.is_closed()) => continue,
                Err(_) => return Err(Failure::Broken),
            };
            let (head, body) = answer.into_parts();
            let body = Limited::new(body, LONGEST).collect().await;
            let body = body.map_err(|error| {
                if error.is::<hyper::Error>() {
                    Failure::Broken
                } else {
                    Failure::Malformed
                }
            })?;
            jar.take(&head.headers);
            self.sender = Some(sender);
            return Ok(Answer {
                status: head.status.as_u16(),
                retry_after: number(&head.headers),
                location: head.headers.get(LOCATION).and_then(|it| self.path(it)),
                body: body.to_bytes(),
            });
        }
    }

    async fn open(&mut self) -> Result<SendRequest<String>, Failure> {
        let stream = TcpStream::connect(self.target.address()).await;
        let stream = stream.map_err(|_| Failure::Connect)?;
        // Without it a request that is sent in two pieces waits for the answer to the first.
        stream.set_nodelay(true).map_err(|_| Failure::Connect)?;
        let connected = handshake(TokioIo::new(stream)).await;
        let (sender, driver) = connected.map_err(|_| Failure::Connect)?;
        self.opened += 1;
        // What breaks is told to who waits for an answer.
        tokio::spawn(async move {
            let _ = driver.await;
        });
        Ok(sender)
    }

    fn request(
        &self,
        place: &Uri,
        body: Option<&str>,
        jar: &Jar,
        forwarded: Option<&HeaderValue>,
    ) -> Request<String> {
        let mut request = Request::new(body.unwrap_or_default().to_owned());
        *request.uri_mut() = place.clone();
        let is_post = body.is_some();
        if is_post {
            *request.method_mut() = Method::POST;
        }
        let headers = request.headers_mut();
        headers.insert(HOST, self.target.host());
        headers.insert(ACCEPT, JSON);
        if is_post {
            headers.insert(CONTENT_TYPE, JSON);
        }
        let more = [
            (COOKIE, jar.header()),
            (CSRF, jar.csrf().filter(|_| is_post)),
            (FORWARDED, forwarded.cloned()),
        ];
        for (name, value) in more {
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
        request
    }

    /// The place on this server to which an answer leads; none where it leads elsewhere.
    fn path(&self, location: &HeaderValue) -> Option<Uri> {
        let location = location.to_str().ok()?;
        let path = location.strip_prefix(self.target.base());
        let path = path.unwrap_or(location);
        let is_here = path.starts_with('/') && !path.starts_with("//");
        path.parse().ok().filter(|_| is_here)
    }
}

fn number(headers: &HeaderMap) -> Option<u64> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()
}
