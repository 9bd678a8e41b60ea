//! What has to be true when all is over, whatever was lost on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::Town;
use crate::support::{TestServer, Visitor};

/// The pause before it is looked again whether all is told that happened.
const PAUSE: Duration = Duration::from_secs(1);

/// Everything that can be told from the journal and from what people got.
pub(super) async fn all(nodes: &[TestServer], town: &Town) {
    town.ledger.check(&nodes[0]);
    // What a node was about when it was killed, another one tells of within a while.
    let mut administrator = nodes[0].visitor();
    administrator.logs_in(&nodes[0].administrator).await;
    let recorded = loop {
        let told = logins_told(&administrator).await;
        let recorded = Recorded::read(&nodes[0]);
        let logins = recorded.named("session_started").count();
        if recorded.is_told() && told >= logins {
            assert_eq!(told, logins, "each login is told once");
            break recorded;
        }
        town.waits(PAUSE).await;
    };
    recorded.nothing_is_twice();
    recorded.has_what_was_confirmed(town);
    recorded.mails_are_those_that_were_asked_for(town);
    recorded.pushes_are_those_that_were_asked_for(town);
    recorded.everybody_is_there_once(nodes, town);
    for node in nodes {
        let verified = node.gatelog_at_length(&["replay", "verify", "--all"]);
        verified.succeeds();
        let verified = node.gatelog(&["journal", "verify"]);
        verified.succeeds();
    }
}

/// How many logins there are among what is told to whoever looks after the servers.
async fn logins_told(administrator: &Visitor) -> usize {
    let query = "/api/v3/events/events/?action=login&page_size=1";
    let told = administrator.gets(query).await;
    let count = told.has_status(200).json()["pagination"]["count"].as_u64();
    usize::try_from(count.expect("a number")).expect("they are few")
}

/// What the journal holds.
struct Recorded {
    /// The events of each execution.
    executions: BTreeMap<String, Vec<Value>>,
}

impl Recorded {
    fn read(node: &TestServer) -> Self {
        let exported = node.gatelog_at_length(&["journal", "export", "--json"]);
        let mut executions: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for record in exported.succeeds().values() {
            let id = record["id"].as_str().unwrap_or_default().replace('-', "");
            if record["kind"] == "execution" {
                let events = record["body"]["events"]
                    .as_array()
                    .cloned()
                    .unwrap_or_default();
                executions.entry(id).or_default().extend(events);
            }
        }
        Self { executions }
    }

    /// All events of this name.
    fn named(&self, name: &'static str) -> impl Iterator<Item = &Value> {
        let all = self.executions.values().flatten();
        all.filter(move |event| event["event"] == name)
    }

    /// What of this kind was asked of others.
    fn asked_for(&self, kind: &str) -> BTreeSet<&str> {
        let asked = self.named("effect_requested");
        asked
            .filter(|event| event["what"]["kind"] == kind)
            .map(id)
            .collect()
    }

    /// Those of the effects `asked` of which such an event tells; of none twice.
    fn told_of(&self, name: &'static str, asked: &BTreeSet<&str>) -> Vec<&Value> {
        let told = self.named(name).filter(|event| asked.contains(id(event)));
        let told: Vec<&Value> = told.collect();
        let once: BTreeSet<&str> = told.iter().map(|event| id(event)).collect();
        assert_eq!(once.len(), told.len(), "{name} twice of one effect");
        told
    }

    /// Whether it is known of every mail and every push what came of it.
    fn is_told(&self) -> bool {
        let finished = self.named("effect_finished");
        let ended = finished.chain(self.named("effect_outcome_unknown"));
        let ended: BTreeSet<&str> = ended.map(id).collect();
        let kinds = ["mail", "push"].into_iter();
        kinds
            .flat_map(|kind| self.asked_for(kind))
            .all(|it| ended.contains(it))
    }

    fn has_what_was_confirmed(&self, town: &Town) {
        for id in town.confirmed.borrow().iter() {
            let events = self.executions.get(id);
            let events = events.unwrap_or_else(|| panic!("{id} is lost"));
            let is_there = events.iter().any(|it| it["event"] == "link_consumed");
            assert!(is_there, "{id} lost the confirmation of its link");
        }
    }

    fn nothing_is_twice(&self) {
        for (id, events) in &self.executions {
            let made = |it: &&Value| it["event"] == "user_written" && it["created"] == true;
            assert!(
                events.iter().filter(made).count() <= 1,
                "{id} made two users"
            );
            let consumed = |it: &&Value| it["event"] == "link_consumed";
            let consumed: Vec<&Value> = events.iter().filter(consumed).collect();
            let links: BTreeSet<String> =
                consumed.iter().map(|it| it["link"].to_string()).collect();
            assert_eq!(links.len(), consumed.len(), "{id} used a link twice");
        }
    }

    /// A mail for each that was asked for, but where nobody knows what became of it; and none is like another.
    fn mails_are_those_that_were_asked_for(&self, town: &Town) {
        let mails = town.sink.taken();
        let links: BTreeSet<String> = mails.iter().map(|mail| mail.letter().link()).collect();
        assert_eq!(links.len(), mails.len(), "a mail was sent twice");
        let asked = self.asked_for("mail");
        let unknown = self.told_of("effect_outcome_unknown", &asked).len();
        let finished = self.told_of("effect_finished", &asked);
        for event in &finished {
            assert_eq!(event["outcome"]["came_to"], "done", "{event}");
        }
        assert_eq!(
            finished.len() + unknown,
            asked.len(),
            "one outcome for each"
        );
        assert!(
            (finished.len()..=asked.len()).contains(&mails.len()),
            "{} mails, {} sent, {unknown} unknown",
            mails.len(),
            finished.len()
        );
    }

    /// Duo was asked once for each push that was asked for, but where nobody knows whether it was; and what it
    /// says of a push was believed of that push alone.
    fn pushes_are_those_that_were_asked_for(&self, town: &Town) {
        let pushes = town.duo.pushes();
        let known: BTreeSet<&str> = pushes.iter().map(|it| it.transaction.as_str()).collect();
        let asked = self.asked_for("push");
        let unknown = self.told_of("effect_outcome_unknown", &asked).len();
        let finished = self.told_of("effect_finished", &asked).len();
        assert_eq!(finished + unknown, asked.len(), "one outcome for each");
        assert!(
            finished > 0 && (finished..=asked.len()).contains(&pushes.len()),
            "{} pushes, {finished} sent, {unknown} unknown",
            pushes.len()
        );
        let sent: Vec<&str> = self
            .named("push_sent")
            .map(|event| event["transaction"].as_str().expect("a name"))
            .collect();
        let once: BTreeSet<&str> = sent.iter().copied().collect();
        assert_eq!(once.len(), sent.len(), "a push of two executions");
        assert!(once.is_subset(&known), "a push that Duo did not send");
    }

    fn everybody_is_there_once(&self, nodes: &[TestServer], town: &Town) {
        let people = town.people.borrow();
        let listed = nodes[0].gatelog_at_length(&["user", "list", "--json"]);
        let listed = listed.succeeds().values();
        for person in people.iter() {
            let same = listed
                .iter()
                .filter(|it| it["username"] == person.username.as_str());
            assert_eq!(same.count(), 1, "{}", person.username);
        }
        let signed_up = self
            .named("user_written")
            .filter(|it| it["created"] == true)
            .count();
        assert_eq!(
            signed_up + super::REGULARS + super::PHONES,
            people.len(),
            "whoever is written was told so"
        );
    }
}

/// Which effect an event is about.
fn id(event: &Value) -> &str {
    event["effect"].as_str().expect("an id")
}
