//! What an erasure came to, for whoever asked for it: as data, and in words.

use std::fmt::Write as _;

use uuid::Uuid;

use super::search::search;
use super::{Error, Freely, Sign, TRIES, Tools, commit, letters, listed, listed_ids};
use crate::directory::departure::departures;
use crate::directory::erasure::{Certificate, Chain, Departed, Erasure, Keys, Sought, erasure};
use crate::directory::install;
use crate::directory::remark::{Remark, remark};
use crate::journal::cursor::Cursor;
use crate::journal::object::{self, Versioned, delete, put};
use crate::journal::{Journal, KeyId, Write};

/// What it is called, also in the note that signs it.
pub const NAME: &str = "gatelog erasure 1";

/// How many keys of executions are listed.
const LISTED: usize = 50_000;

/// What the audit event of it is called.
const ACTION: &str = "custom_gatelog_user_erased";

/// What nobody here can know.
const UNKNOWN: [&str; 4] = [
    "Copies of the data directory, and snapshots of its disk, that were made before: whoever has one \
     with its keys can read what was destroyed here.",
    "What became of the events, mails, text messages and exports that had left: it is with whoever \
     received them, such as a mail server, a provider of text messages, or a log collector.",
    "What a program in front of this one, or its own log, has written down of addresses.",
    "Where somebody else wrote of this person in words that nobody here knows to mean them.",
];

/// The third step: what came of it, in one commit with the end of what was looked for.
pub(super) async fn finish(
    tools: &Tools,
    user: Uuid,
    chain: Chain,
    sign: Sign<'_>,
) -> Result<Certificate, Error> {
    let journal = &*tools.journal;
    for _ in 0..TRIES {
        let found = erasure(journal, user).await?;
        let Some(mut found) = found else {
            return Err(Error::Unknown(user.to_string()));
        };
        if let Some(certificate) = found.value.certificate {
            return Ok(*certificate);
        }
        let sought: Option<Versioned<Sought>> = object::get(journal, user).await?;
        let sought = sought.ok_or_else(|| Error::Unknown(user.to_string()))?;
        let unsigned = certificate(tools, &found.value, &sought.value, chain.clone()).await?;
        let certificate = Certificate {
            signature: sign(NAME, &unsigned.signed_bytes()),
            ..unsigned
        };
        found.value.finished = Some(certificate.finished);
        found.value.certificate = Some(Box::new(certificate.clone()));
        let mut writes = vec![
            put(&found.value, found.version),
            delete::<Sought>(user, sought.version),
        ];
        let correlation = tools.clock.ordered_id();
        if tools.author.user.is_none_or(|it| it != user) {
            writes.push(remark(&told(tools, &certificate), correlation));
        }
        writes.push(Write::DestroyKey {
            id: Sought::key(user),
        });
        if commit(tools, writes, correlation).await? {
            return Ok(certificate);
        }
    }
    Err(Error::Contended)
}

async fn certificate(
    tools: &Tools,
    erasure: &Erasure,
    sought: &Sought,
    chain: Chain,
) -> Result<Certificate, Error> {
    let journal = &*tools.journal;
    let user = erasure.user;
    let mut executions: Vec<Uuid> = Vec::new();
    for list in listed(journal, user).await? {
        executions.extend(list.executions);
    }
    executions.sort_unstable();
    executions.dedup();
    let all = executions.iter().copied().chain([user]);
    let mut still_there = Vec::new();
    for id in all {
        if journal.wrapper(KeyId(id)).await?.is_some() {
            still_there.push(id);
        }
    }
    let count = executions.len() as u64;
    executions.truncate(LISTED);
    let own = listed_ids(journal, user).await?;
    let pace = &mut Freely::default();
    let left = search(journal, sought, &own, erasure.others, pace).await?;
    let mut remains = left.remainders();
    remains.extend(letters::remainders(tools.letters.as_deref(), sought).await);
    let install = install(journal).await?;
    Ok(Certificate {
        certificate: NAME.to_owned(),
        installation: install.map(|it| it.value.install_id).unwrap_or_default(),
        user,
        pk: erasure.pk,
        by: erasure.by.clone(),
        began: erasure.began,
        finished: tools.clock.now(),
        keys: Keys {
            user,
            count,
            executions,
            still_there,
        },
        removed: erasure.removed,
        chain,
        remains,
        departed: departed(journal).await?,
        unknown: UNKNOWN.map(str::to_owned).to_vec(),
        signature: None,
    })
}

/// What has left, as far as it was written down: deliveries of feeds, and what somebody asked for.
async fn departed(journal: &dyn Journal) -> Result<Vec<Departed>, Error> {
    let mut departed = Vec::new();
    for cursor in object::all::<Cursor>(journal).await? {
        let cursor = cursor.value;
        if cursor.reader.starts_with("feed.") && cursor.after.0 > 0 {
            departed.push(Departed {
                what: cursor.reader,
                at: None,
                position: cursor.after.0,
                is_sealed: false,
            });
        }
    }
    for it in departures(journal).await? {
        departed.push(Departed {
            what: it.what.word().to_owned(),
            at: Some(it.at),
            position: it.position,
            is_sealed: it.what.is_sealed(),
        });
    }
    Ok(departed)
}

/// What the audit event says.
fn told(tools: &Tools, certificate: &Certificate) -> Remark {
    let removed = certificate.removed;
    let context = serde_json::json!({
        "pk": certificate.pk,
        "uuid": certificate.user,
        "executions": certificate.keys.count,
        "objects": removed.objects,
        "remains": certificate.remains.len(),
    });
    let serde_json::Value::Object(context) = context else {
        unreachable!("it is an object")
    };
    Remark {
        author: tools.author.clone(),
        action: ACTION.to_owned(),
        object: None,
        context,
    }
}

/// A certificate in words, a paragraph for each thing that it says.
#[must_use]
pub fn text(it: &Certificate) -> String {
    let mut text = String::new();
    let removed = it.removed;
    let by = format!("{:?}", it.by.means).to_lowercase();
    let by = match it.by.user {
        Some(user) => format!("by the user {user} ({by})"),
        None => format!("({by})"),
    };
    let mut line = |words: String| {
        let _ = writeln!(text, "{words}");
    };
    line(format!("Certificate of erasure ({})", it.certificate));
    line(format!("Installation {}", it.installation));
    line(String::new());
    line(format!("User {}, number {}, erased {by}.", it.user, it.pk));
    line(format!(
        "Key destroyed {}, last trace removed {}.",
        it.began, it.finished
    ));
    line(String::new());
    line(format!(
        "Keys destroyed: the user's, and those of {} executions ({} theirs, {} of nobody and {} of \
         others in which they were named).",
        it.keys.count,
        removed.executions,
        removed.executions_of_nobody,
        removed.executions_of_others
    ));
    if !it.keys.still_there.is_empty() {
        line(format!(
            "KEYS THAT ARE STILL THERE: {:?}",
            it.keys.still_there
        ));
    }
    line(format!(
        "Removed: {} objects, {} audit events, {} mails, {} invitations, {} counts of attempts, and \
         {} bodies under keys that stay.",
        removed.objects,
        removed.events,
        removed.mails,
        removed.invitations,
        removed.attempts,
        removed.bodies
    ));
    let chain = &it.chain;
    line(match chain.is_whole {
        Some(true) => format!(
            "The journal is whole: {} records up to position {}.",
            chain.records, chain.position
        ),
        Some(false) => format!("THE JOURNAL IS DAMAGED: {}.", chain.findings.join("; ")),
        None => format!(
            "Nobody checked the journal; its last position is {}.",
            chain.position
        ),
    });
    if let Some(checkpoint) = &chain.checkpoint {
        line("Its signed checkpoint:".to_owned());
        for part in checkpoint.lines() {
            line(format!("    {part}"));
        }
    }
    rest(it, &mut line);
    text
}

/// What is left, here and elsewhere.
fn rest(it: &Certificate, line: &mut impl FnMut(String)) {
    line(String::new());
    line(if it.remains.is_empty() {
        "They are named nowhere else that Gatelog can read.".to_owned()
    } else {
        "They are still named here, under keys that others need:".to_owned()
    });
    for remainder in &it.remains {
        line(format!(
            "- {} {} version {}",
            remainder.kind, remainder.id, remainder.version
        ));
    }
    line(String::new());
    line(if it.departed.is_empty() {
        "Gatelog knows of nothing that had left the journal.".to_owned()
    } else {
        "This had left the journal before:".to_owned()
    });
    for departed in &it.departed {
        let at = departed.at.map_or_else(String::new, |at| format!(", {at}"));
        let sealed = if departed.is_sealed {
            "sealed"
        } else {
            "in clear"
        };
        line(format!(
            "- {}{at}, up to position {}, {sealed}",
            departed.what, departed.position
        ));
    }
    line(String::new());
    line("Gatelog cannot know:".to_owned());
    for unknown in &it.unknown {
        line(format!("- {unknown}"));
    }
    if let Some(signature) = &it.signature {
        line(String::new());
        line("Signed:".to_owned());
        for part in signature.lines() {
            line(format!("    {part}"));
        }
    }
}
