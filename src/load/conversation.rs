//! One visitor and their conversations with the server, step by step.

use std::net::Ipv6Addr;
use std::time::Instant;

use bytes::Bytes;
use hyper::Uri;
use hyper::header::HeaderValue;

use super::challenge::{Mind, Next, is_challenge};
use super::connection::Connection;
use super::crowd::Crowd;
use super::failure::Failure;
use super::jar::Jar;
use super::pace::Turn;
use super::profile::Profile;

/// A flow has no more steps than this, or it has no end.
const LONGEST: u32 = 50;

/// How many redirections one step follows.
const REDIRECTIONS: u32 = 5;

/// How many flows somebody has open at the same time, where it is about many.
const FLOWS_AT_ONCE: usize = 4;

/// Somebody with a browser.
pub(super) struct Visitor<'a> {
    crowd: &'a Crowd<'a>,
    connection: Connection<'a>,
    jar: Jar,
    number: u64,
    forwarded: Option<HeaderValue>,
}

/// A step that is taken: its name, when it began, and for whom it counts.
struct Stride {
    name: &'static str,
    begun: Instant,
    turn: Turn,
}

impl<'a> Visitor<'a> {
    pub(super) fn new(crowd: &'a Crowd<'a>, number: u64) -> Self {
        Self {
            crowd,
            connection: Connection::new(crowd.target),
            jar: Jar::default(),
            number,
            forwarded: None,
        }
    }

    /// How many connections were opened.
    pub(super) fn connections(&self) -> u64 {
        self.connection.opened
    }

    /// What has to be done before anything is measured: for who looks again, the first look.
    pub(super) async fn prepare(&mut self) -> Result<(), Failure> {
        let crowd = self.crowd;
        self.becomes_somebody(self.number);
        if crowd.plan.profile == Profile::Challenge {
            let flow = crowd.flow(self.number);
            let body = self.fetch(flow, None).await?;
            if !is_challenge(&body) {
                return Err(Failure::Malformed);
            }
        }
        Ok(())
    }

    /// Makes one conversation after the other, until there are no more turns.
    pub(super) async fn stays(&mut self) {
        let crowd = self.crowd;
        while let Some(turn) = crowd.pace().next().await {
            crowd.tally(|tally| tally.begin(turn, crowd.clock.monotonic()));
            if crowd.plan.reconnects {
                self.connection.close();
            }
            let mut mind = crowd.mind(turn.number);
            let result = self.converse(turn, &mut mind).await;
            let now = crowd.clock.monotonic();
            crowd.tally(|tally| tally.end(turn, now, result.as_ref().copied(), mind.refusals));
            if let Some(pause) = result.err().and_then(|failure| failure.pause()) {
                tokio::time::sleep(pause).await;
            }
        }
    }

    async fn converse(&mut self, turn: Turn, mind: &mut Mind<'_>) -> Result<(), Failure> {
        let crowd = self.crowd;
        let profile = crowd.plan.profile;
        if profile == Profile::Challenge {
            let stride = Stride {
                name: profile.first_step(),
                begun: turn.due,
                turn,
            };
            let body = self.step(stride, crowd.flow(self.number), None).await?;
            return is_challenge(&body).then_some(()).ok_or(Failure::Malformed);
        }
        self.becomes_somebody(turn.number);
        let many = match profile {
            Profile::Flows => FLOWS_AT_ONCE.min(crowd.plan.flows.len()),
            _ => 1,
        };
        let mut opened = Vec::with_capacity(many);
        let mut begun = turn.due;
        for flow in (turn.number..).take(many).map(|number| crowd.flow(number)) {
            let stride = Stride {
                name: profile.first_step(),
                begun,
                turn,
            };
            let body = self.step(stride, flow, None).await?;
            opened.push((flow, body));
            begun = crowd.clock.monotonic();
        }
        if profile == Profile::FirstGet {
            let all = opened.iter().all(|(_, body)| is_challenge(body));
            return all.then_some(()).ok_or(Failure::Malformed);
        }
        for (flow, body) in opened {
            self.follows(flow, body, turn, mind).await?;
        }
        Ok(())
    }

    /// Answers one challenge after the other, until the flow ends.
    async fn follows(
        &mut self,
        flow: &Uri,
        mut body: Bytes,
        turn: Turn,
        mind: &mut Mind<'_>,
    ) -> Result<(), Failure> {
        for _ in 0..LONGEST {
            match mind.look(&body) {
                Next::Answer(name, answer) => {
                    let stride = Stride {
                        name,
                        begun: self.crowd.clock.monotonic(),
                        turn,
                    };
                    body = self.step(stride, flow, Some(answer.to_string())).await?;
                }
                Next::Done => return Ok(()),
                Next::Failed(failure) => return Err(failure),
            }
        }
        Err(Failure::Endless)
    }

    async fn step(
        &mut self,
        stride: Stride,
        flow: &Uri,
        answer: Option<String>,
    ) -> Result<Bytes, Failure> {
        let Stride { name, begun, turn } = stride;
        let crowd = self.crowd;
        let result = self.fetch(flow, answer.as_deref()).await;
        let now = crowd.clock.monotonic();
        let took = now.saturating_duration_since(begun);
        match &result {
            Ok(_) => crowd.tally(|tally| tally.step(name, turn, took, Some(now))),
            Err(failure) if failure.is_a_wait() => {
                crowd.tally(|tally| tally.step(name, turn, took, None));
            }
            Err(_) => {}
        }
        result
    }

    /// Asks, and follows where the answer leads: authentik answers a step with a redirection to
    /// the next challenge.
    async fn fetch(&mut self, flow: &Uri, mut answer: Option<&str>) -> Result<Bytes, Failure> {
        let crowd = self.crowd;
        let mut place = flow.clone();
        for _ in 0..=REDIRECTIONS {
            crowd.tally(|tally| tally.request(crowd.clock.monotonic()));
            let Self {
                connection,
                jar,
                forwarded,
                ..
            } = self;
            let asked = connection.ask(&place, answer, jar, forwarded.as_ref());
            let asked = tokio::time::timeout(crowd.plan.timeout, asked).await;
            let got = asked.map_err(|_| Failure::Timeout)??;
            match got.status {
                200..=299 => return Ok(got.body),
                status @ (429 | 503) => {
                    return Err(Failure::PushedBack {
                        status,
                        retry_after: got.retry_after,
                    });
                }
                status @ (301 | 302 | 303 | 307 | 308) => {
                    place = got.location.ok_or(Failure::Status(status))?;
                    answer = None;
                }
                status => return Err(Failure::Status(status)),
            }
        }
        Err(Failure::Endless)
    }

    /// Somebody without cookies, at an address of their own.
    fn becomes_somebody(&mut self, number: u64) {
        self.jar = Jar::default();
        if self.crowd.plan.forwarded {
            let address = address(number).to_string();
            self.forwarded = HeaderValue::from_str(&address).ok();
        }
    }
}

/// An address that is nobody's (RFC 3849), in a network of its own for each of four thousand
/// million.
fn address(number: u64) -> Ipv6Addr {
    const DOCUMENTATION: u128 = 0x2001_0db8 << 96;
    let network = u128::from(number & 0xffff_ffff) << 64;
    Ipv6Addr::from(DOCUMENTATION | network | 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everybody_has_a_network_of_their_own() {
        assert_eq!(address(1).to_string(), "2001:db8:0:1::1");
        assert_eq!(address(0x1_0002).to_string(), "2001:db8:1:2::1");
    }
}
