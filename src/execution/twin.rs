//! Tells an answer that arrives twice from a second answer.
//!
//! Remembers digests only, and only in memory: an answer may hold a password.

use std::time::Instant;

use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;
use sha2::Sha256;

use super::reply::Secret;
use crate::journal::Version;
use crate::stage::Reply;

/// The digest of an answer under a key that lives as long as the process.
pub(super) type Digest = [u8; 32];

/// The digest of `body` under `key`.
pub(super) fn digest(key: &[u8; 32], body: &Value) -> Digest {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(body.to_string().as_bytes());
    mac.finalize().into_bytes().into()
}

/// What one execution remembers of the answers that it took.
#[derive(Default)]
pub(super) struct Answers {
    taken: Option<Taken>,
    doubtful: Option<Doubtful>,
    /// The last version at which an answer of this actor gave the session another secret.
    told: Option<Version>,
}

/// The last answer that was taken.
struct Taken {
    digest: Digest,
    answered: Instant,
    /// What the execution stood at afterwards.
    version: Version,
    reply: Reply,
    secret: Secret,
}

/// An answer whose commit failed in a way that does not tell whether it was written.
struct Doubtful {
    digest: Digest,
    /// What the execution stood at before.
    version: Version,
}

/// What an answer is, judged by the answers before it.
pub(super) enum Twin {
    /// Nobody sent it before.
    None,
    /// It was taken already, and nothing has happened since: this is what it led to, and who has the
    /// session's secret since.
    Same(Reply, Secret),
    /// It was taken already, and something has happened since.
    Earlier,
}

impl Answers {
    /// Whether the answer with this digest is one that was taken already.
    ///
    /// The same words sent again after the reply are a new answer; on their way before it, they
    /// are an impatient finger. `version` is what the execution stands at.
    pub(super) fn twin(&self, digest: Digest, received: Instant, version: Version) -> Twin {
        if let Some(taken) = &self.taken
            && taken.digest == digest
            && received < taken.answered
        {
            return if taken.version == version {
                Twin::Same(taken.reply.clone(), taken.secret)
            } else {
                Twin::Earlier
            };
        }
        // It was written after all, and whoever sent it could not know.
        let written = |it: &Doubtful| it.digest == digest && version > it.version;
        if self.doubtful.as_ref().is_some_and(written) {
            Twin::Earlier
        } else {
            Twin::None
        }
    }

    /// Whoever made the session's secret at this version is about to be told.
    pub(super) fn tell(&mut self, rotated: Option<Version>) {
        self.told = self.told.max(rotated);
    }

    /// Whether nobody was told of the secret that the session got at this version, as far as this
    /// actor knows: another life of it wrote that, or a commit that seemed to fail.
    pub(super) fn is_untold(&self, rotated: Option<Version>) -> bool {
        rotated > self.told
    }

    /// A reply is about to be sent, which ends every doubt: whoever reads it knows where the
    /// execution stands, and the same words are a new answer.
    pub(super) fn settle(&mut self) {
        self.doubtful = None;
    }

    /// An answer was taken and is about to be answered.
    pub(super) fn take(
        &mut self,
        digest: Digest,
        now: Instant,
        version: Version,
        (reply, secret): (Reply, Secret),
    ) {
        self.taken = Some(Taken {
            digest,
            answered: now,
            version,
            reply,
            secret,
        });
    }

    /// The commit of an answer failed, and it may have been written none the less.
    pub(super) fn doubt(&mut self, digest: Digest, version: Version) {
        self.doubtful = Some(Doubtful { digest, version });
    }
}
