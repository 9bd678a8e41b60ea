//! Second factors: setting them up, showing them, and guessing at them.

mod enrolling;
mod guessing;
mod remembering;
mod together;
mod unwritten;
mod without;

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha1::Sha1;
use uuid::Uuid;

use super::{Bench, Visitor, login_stages};
use crate::directory::User;
use crate::directory::device::{Authenticator, Code, Device, RecoveryCode, Totp, devices_of};
use crate::flow::event::{Event, MfaProblem};
use crate::journal::Version;
use crate::journal::object::{self, Versioned};
use crate::replay;
use crate::stage::Kind;
use crate::world::record::KIND;

const VALIDATE: &str = "ak-stage-authenticator-validate";
const WRONG: &str =
    "Invalid Token. Please ensure the time on your device is accurate and try again.";

/// The key of every generator here.
const KEY: &str = "2a2bbba1092ffdd25a328ad1a0a5f5d61d7aacc4";

/// The code that a generator shows now, or so many steps from now.
fn shown_by(key: &str, bench: &Bench, steps: i64) -> String {
    let digit = |at: usize| u8::from_str_radix(&key[at..at + 2], 16).expect("two digits");
    let key: Vec<u8> = (0..key.len()).step_by(2).map(digit).collect();
    let step = bench.clock.now().as_second() / 30 + steps;
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("any key");
    mac.update(&step.to_be_bytes());
    let sum: [u8; 20] = mac.finalize().into_bytes().into();
    let from = usize::from(sum[19] & 15);
    let four: [u8; 4] = sum[from..from + 4].try_into().expect("four bytes");
    let number = u32::from_be_bytes(four) & 0x7fff_ffff;
    format!("{:06}", number % 1_000_000)
}

fn totp() -> Authenticator {
    Authenticator::Totp(Totp {
        key: KEY.into(),
        digits: 6,
        step: 30,
        drift: 0,
        last_t: -1,
    })
}

fn written_down(codes: &[&str]) -> Authenticator {
    let codes = codes.iter().map(|code| RecoveryCode {
        code: (*code).into(),
    });
    Authenticator::Static {
        codes: codes.collect(),
    }
}

impl Bench {
    /// A login that asks for a second factor, with these settings.
    async fn login(&self, settings: Value) {
        let mut stages = login_stages();
        stages.insert(2, (Kind::AuthenticatorValidate, settings));
        self.flow("login", &stages).await;
    }

    /// Gives a device to somebody.
    async fn gives(&self, user: &User, of: Authenticator) -> Device {
        let id = self.clock.opaque_id();
        let mut device = Device::new(id, user.uuid, "", of, self.clock.now());
        device.confirmed = true;
        self.write(vec![object::put(&device, Version::NONE)]).await;
        device
    }

    /// A code that was sent, to a device of its own.
    async fn sends(&self, user: &User, code: &str, lasts: Duration) -> Device {
        let of = Authenticator::Sms {
            stage: Uuid::from_u128(1),
            phone_number: "+49123".to_owned(),
            code: Some(Code {
                secret: code.into(),
                until: self.clock.now() + lasts,
            }),
        };
        self.gives(user, of).await
    }

    /// Somebody who has typed the right password.
    async fn enters(&self) -> Visitor<'_> {
        let mut visitor = self.visitor("login");
        visitor.answers(json!({"uid_field": "alice"})).await;
        visitor.answers(json!({"password": "correct horse"})).await;
        visitor
    }

    async fn devices(&self, user: &User) -> Vec<Versioned<Device>> {
        let found = devices_of(self.journal.as_ref(), user.uuid).await;
        found.expect("devices")
    }

    /// Every event of every execution.
    async fn events(&self) -> Vec<Event> {
        let streams = self.journal.streams(KIND, None, usize::MAX).await;
        let mut events = Vec::new();
        for stream in streams.expect("streams") {
            let entries = replay::entries(self.journal.as_ref(), stream.id).await;
            for entry in entries.expect("entries") {
                events.extend(entry.record.events);
            }
        }
        events
    }

    /// Why codes were refused, oldest first within each execution.
    async fn refusals(&self) -> Vec<MfaProblem> {
        let events = self.events().await.into_iter();
        let reasons = events.filter_map(|event| match event {
            Event::MfaRejected { reason, .. } => Some(reason),
            _ => None,
        });
        reasons.collect()
    }

    /// How often something counted against somebody.
    async fn blames(&self) -> i64 {
        let events = self.events().await.into_iter();
        let amounts = events.filter_map(|event| match event {
            Event::ReputationChanged { amount, .. } => Some(amount.min(0)),
            _ => None,
        });
        amounts.sum()
    }
}

impl Visitor<'_> {
    async fn types(&mut self, code: &str) -> &mut Self {
        self.answers(json!({"code": code})).await
    }

    #[track_caller]
    fn is_refused(&self) {
        self.sees(VALIDATE);
        let errors = json!({"code": [{"string": WRONG, "code": "invalid"}]});
        assert_eq!(self.body()["response_errors"], errors);
    }
}
