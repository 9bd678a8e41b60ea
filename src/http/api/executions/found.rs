//! A page of executions. There is no index of them but their ids, which are in the order of time, so
//! whatever else is asked for is found by reading one after the other, and no more than so many for
//! one answer, nor for longer than a [`Scan`] may take.

use serde_json::{Value, json};
use uuid::Uuid;

use super::asked::Asked;
use super::{may, may_all, named, shown};
use crate::directory::{User, user_by_pk, user_by_username};
use crate::execution::Unfinished;
use crate::http::api::call::Call;
use crate::http::scans::Scan;
use crate::http::{Error, State};
use crate::journal::object::{self, Versioned};
use crate::replay::{self, Summary};
use crate::world::record::KIND;

/// How many executions are read for one answer.
const READ: usize = 1_000;

/// How many are looked at for one answer, when it is seen at a glance that they are not meant.
const LOOKED_AT: usize = 20_000;

/// How many ids are taken at once.
const PORTION: usize = 200;

/// The page that is asked for.
///
/// # Errors
/// What the journal said.
pub(super) async fn page(call: &Call, asked: &Asked) -> Result<Value, Error> {
    let state = &call.state;
    let wanted = Wanted::of(state, asked).await?;
    let mut page = Page::default();
    // What looks like a code may also be somebody's name.
    if let Some(name) = &asked.search
        && let Some(id) = named(state, name).await?
    {
        let named = Wanted {
            words: Vec::new(),
            ..wanted
        };
        page.look(call, asked, &named, id).await?;
        return Ok(page.shown(None));
    }
    let journal = &*state.journal;
    let user = call.caller()?.user.value.uuid;
    let mut scan = Scan::begin(state, &call.request, user).await?;
    let mut before = asked.from();
    loop {
        let streams = journal.streams(KIND, before, PORTION).await?;
        for stream in &streams {
            let is_enough = page.read >= READ || page.looked_at >= LOOKED_AT;
            // An answer without a place to go on from would look like the last one.
            let is_over = page.looked_at > 0 && !scan.goes_on().await;
            if page.results.len() == asked.limit || is_enough || is_over {
                return Ok(page.shown(before));
            }
            if asked.is_past(stream.id) {
                return Ok(page.shown(None));
            }
            before = Some(stream.id);
            page.looked_at += 1;
            if !asked.only_unfinished() || is_unfinished(state, stream.id).await? {
                page.look(call, asked, &wanted, stream.id).await?;
            }
        }
        if streams.len() < PORTION {
            return Ok(page.shown(None));
        }
    }
}

async fn is_unfinished(state: &State, id: Uuid) -> Result<bool, Error> {
    let found: Option<Versioned<Unfinished>> = object::get(&*state.journal, id).await?;
    Ok(found.is_some())
}

/// What has been found.
#[derive(Default)]
struct Page {
    results: Vec<Value>,
    read: usize,
    /// How many of those could not be read, as a record of theirs is damaged.
    unreadable: usize,
    looked_at: usize,
}

impl Page {
    /// Reads an execution, and takes it if it is asked for.
    async fn look(
        &mut self,
        call: &Call,
        asked: &Asked,
        wanted: &Wanted,
        id: Uuid,
    ) -> Result<(), Error> {
        self.read += 1;
        let entries = match replay::entries(&*call.state.journal, id).await {
            Ok(entries) => entries,
            Err(error) if error.is_about_one() => {
                self.unreadable += 1;
                let summary = Summary::damaged(id, &error);
                let is_meant = asked.admits(&summary) && wanted.admits(&summary);
                if is_meant && may_all(call) {
                    let shown = shown(&call.state, &summary).await?;
                    self.results.extend(wanted.finds(&shown).then_some(shown));
                }
                return Ok(());
            }
            Err(replay::Error::Journal(error)) => return Err(error.into()),
            Err(replay::Error::Erased(gone)) => {
                let summary = gone.summary();
                if asked.wants_erased() && asked.admits(&summary) && may_all(call) {
                    self.results.push(shown(&call.state, &summary).await?);
                }
                return Ok(());
            }
            // Nothing is left of it.
            Err(_) => return Ok(()),
        };
        let summary = replay::summary(&entries);
        let summary = summary.filter(|it| asked.admits(it) && may(call, it.flow_id));
        let Some(summary) = summary.filter(|it| wanted.admits(it)) else {
            return Ok(());
        };
        let shown = shown(&call.state, &summary).await?;
        if wanted.finds(&shown) {
            self.results.push(shown);
        }
        Ok(())
    }

    fn shown(self, next: Option<Uuid>) -> Value {
        json!({
            "results": self.results,
            "next": next,
            "read": self.read,
            "unreadable": self.unreadable,
        })
    }
}

/// What is asked for, as far as it had to be looked up.
struct Wanted {
    user: Option<(String, Option<Uuid>)>,
    words: Vec<String>,
}

impl Wanted {
    async fn of(state: &State, asked: &Asked) -> Result<Self, Error> {
        let user = match &asked.user {
            Some(name) => Some((name.to_lowercase(), known(state, name).await?)),
            None => None,
        };
        let search = asked.search.as_deref().unwrap_or_default();
        let words = search.to_lowercase();
        let words = words.split_whitespace().map(ToOwned::to_owned);
        Ok(Self {
            user,
            words: words.collect(),
        })
    }

    /// Whether it is of the user: they went through it, or what they are called was typed.
    fn admits(&self, summary: &Summary) -> bool {
        let Some((name, id)) = &self.user else {
            return true;
        };
        let Some(user) = &summary.user else {
            return false;
        };
        id.is_some_and(|id| *user == id.to_string()) || user.to_lowercase() == *name
    }

    fn finds(&self, shown: &Value) -> bool {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_lowercase();
        let user = &shown["user"];
        let texts = [
            text(&shown["flow"]),
            text(&shown["address"]),
            text(&shown["detail"]),
            text(&shown["typed"]),
            text(&user["username"]),
            text(&user["name"]),
        ];
        let found = |word: &String| texts.iter().any(|text| text.contains(word.as_str()));
        self.words.iter().all(found)
    }
}

/// The user who is named by an identifier, a number or a name.
async fn known(state: &State, name: &str) -> Result<Option<Uuid>, Error> {
    if let Ok(id) = name.parse() {
        return Ok(Some(id));
    }
    let journal = &*state.journal;
    let mut found: Option<Versioned<User>> = user_by_username(journal, name).await?;
    if found.is_none()
        && let Ok(pk) = name.parse()
    {
        found = user_by_pk(journal, pk).await?;
    }
    Ok(found.map(|it| it.value.uuid))
}
