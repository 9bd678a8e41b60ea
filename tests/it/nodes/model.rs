//! The protocol by which nodes take turns, as a model: every state that two nodes can come to within some
//! ticks of the clock is looked at, with crashes, and with nodes that are held up for as long as one likes.
//!
//! It holds the rules that `app/duties`, `audit`, `feed` and `courier` keep, not their code; rules that are left
//! out make it find what goes wrong, so each of them is needed.

use std::collections::{HashMap, HashSet, VecDeque};

const NODES: usize = 2;
/// How long a lease lasts, and how long is looked at, in ticks.
const LASTS: u8 = 2;
const END: u8 = 6;

/// The rules.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// A mail is handed over only by whoever has noted that first, from the version that they read.
    Claims,
    /// One that somebody had begun to hand over is not handed over again.
    NeverAgain,
    /// What is projected names the epoch of the lease.
    Fences,
    /// And the version of the cursor that it goes on from.
    Expects,
}

/// The rules that are kept: all, or all but one.
#[derive(Clone, Copy)]
struct Rules {
    without: Option<Rule>,
}

const ALL: Rules = Rules { without: None };

impl Rules {
    fn keep(self, rule: Rule) -> bool {
        self.without != Some(rule)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
enum Mail {
    Waiting,
    HandedBy(usize),
    Gone,
}

/// What a node has in memory.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
struct Node {
    /// The epoch under which it believes that it holds the lease.
    holds: Option<u8>,
    /// The version of the mail that it read while that was waiting.
    read: Option<u8>,
    /// Whether it may hand the mail over, as far as it knows.
    hands: bool,
    /// The cursor that it read.
    cursor: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
struct State {
    now: u8,
    /// Who holds the lease, its epoch and its end.
    lease: (usize, u8, u8),
    nodes: [Node; NODES],
    mail: Mail,
    version: u8,
    /// How often the mail was given to the mail server, and how often its outcome was told.
    given: u8,
    told: u8,
    /// How far events are projected, and how many events were written for the one record there is.
    cursor: u8,
    projected: u8,
    /// Whether something was written under an epoch that was over.
    late: bool,
}

const START: State = State {
    now: 0,
    lease: (0, 0, 0),
    nodes: [Node {
        holds: None,
        read: None,
        hands: false,
        cursor: None,
    }; NODES],
    mail: Mail::Waiting,
    version: 1,
    given: 0,
    told: 0,
    cursor: 0,
    projected: 0,
    late: false,
};

impl State {
    /// Every state that comes next: whatever one node, or the clock, may do.
    fn next(self, rules: Rules) -> Vec<Self> {
        let mut next = Vec::new();
        if self.now < END {
            next.push(Self {
                now: self.now + 1,
                ..self
            });
        }
        for at in 0..NODES {
            next.extend(self.of(at, rules));
        }
        next
    }

    fn of(self, at: usize, rules: Rules) -> Vec<Self> {
        let node = self.nodes[at];
        let with = |change: &dyn Fn(&mut Self)| {
            let mut after = self;
            change(&mut after);
            after
        };
        // It is killed and comes back, or loses the lease by its own clock.
        let mut next = vec![with(&|it| it.nodes[at] = Node::default())];
        next.extend(self.asks_for_the_lease(at));
        let Some(epoch) = node.holds else {
            return next;
        };
        next.push(with(&|it| it.nodes[at].holds = None));
        match self.mail {
            Mail::Waiting => next.push(with(&|it| it.nodes[at].read = Some(it.version))),
            Mail::HandedBy(_) if !node.hands && rules.keep(Rule::NeverAgain) => {
                next.push(with(&|it| {
                    it.mail = Mail::Gone;
                    it.told += 1;
                }));
            }
            Mail::HandedBy(_) if !node.hands => {
                next.push(with(&|it| it.nodes[at].hands = true));
            }
            _ => {}
        }
        // The state that it read may be an old one by now.
        if let Some(read) = node.read {
            let may =
                !rules.keep(Rule::Claims) || (self.mail == Mail::Waiting && read == self.version);
            next.push(with(&|it| {
                it.nodes[at].read = None;
                if may {
                    it.mail = Mail::HandedBy(at);
                    it.version += 1;
                    it.nodes[at].hands = true;
                }
            }));
        }
        next.push(with(&|it| it.nodes[at].cursor = Some(it.cursor)));
        if let Some(cursor) = node.cursor.filter(|_| self.projected < 3) {
            let is_late = epoch != self.lease.1;
            let may = (!rules.keep(Rule::Fences) || !is_late)
                && (!rules.keep(Rule::Expects) || cursor == self.cursor);
            next.push(with(&|it| {
                it.nodes[at].cursor = None;
                if may && cursor == 0 {
                    it.cursor = 1;
                    it.projected += 1;
                    it.late |= is_late;
                }
            }));
        }
        next
    }

    /// What comes of asking for the lease; and what a node does that was held up in the middle of handing the
    /// mail over, which no lease can keep it from.
    fn asks_for_the_lease(self, at: usize) -> Vec<Self> {
        let mut next = Vec::new();
        let (holder, epoch, end) = self.lease;
        let mut after = self;
        if self.now >= end || epoch == 0 {
            after.lease = (at, epoch + 1, self.now + LASTS);
            after.nodes[at].holds = Some(epoch + 1);
        } else if holder == at && self.nodes[at].holds == Some(epoch) {
            after.lease.2 = self.now + LASTS;
        } else {
            after.nodes[at].holds = None;
        }
        next.push(after);
        if self.nodes[at].hands && self.given < 3 {
            let mut after = self;
            after.given += 1;
            after.nodes[at].hands = false;
            next.push(after);
            // And it tells how that went, if nobody has told anything yet.
            if self.mail == Mail::HandedBy(at) {
                after.mail = Mail::Gone;
                after.told += 1;
                next.push(after);
            }
        }
        next
    }

    /// What must never be.
    fn broken(&self) -> Option<&'static str> {
        let holders = self
            .nodes
            .iter()
            .filter(|it| it.holds == Some(self.lease.1));
        if self.given > 1 {
            Some("a mail was sent twice")
        } else if self.told > 1 {
            Some("two outcomes were told of one mail")
        } else if self.projected > 1 {
            Some("an event was written twice")
        } else if self.late {
            Some("something was written under a lease that was lost")
        } else if holders.count() > 1 && self.lease.1 > 0 {
            Some("two nodes hold one epoch")
        } else {
            None
        }
    }
}

/// Everything that can be reached; or what went wrong on the way.
fn explore(rules: Rules) -> Result<HashMap<State, Vec<State>>, &'static str> {
    let mut found = HashMap::new();
    let mut left = VecDeque::from([START]);
    let mut seen = HashSet::from([START]);
    while let Some(state) = left.pop_front() {
        if let Some(broken) = state.broken() {
            return Err(broken);
        }
        let next = state.next(rules);
        left.extend(next.iter().copied().filter(|it| seen.insert(*it)));
        found.insert(state, next);
    }
    Ok(found)
}

#[test]
fn whatever_happens_a_mail_is_sent_once_at_most_and_an_event_is_written_once() {
    let all = explore(ALL).expect("the rules hold");
    assert!(all.len() > 10_000, "{} states", all.len());
    // And nobody waits for ever: from wherever it is before the end, it can come to an end.
    let mut before: HashMap<State, Vec<State>> = HashMap::new();
    for (state, next) in &all {
        for after in next {
            before.entry(*after).or_default().push(*state);
        }
    }
    let is_done = |it: &&State| it.mail == Mail::Gone && it.cursor == 1;
    let mut left: Vec<State> = all.keys().filter(is_done).copied().collect();
    let mut can: HashSet<State> = left.iter().copied().collect();
    while let Some(state) = left.pop() {
        for earlier in before.get(&state).into_iter().flatten() {
            if can.insert(*earlier) {
                left.push(*earlier);
            }
        }
    }
    let stuck = all
        .keys()
        .find(|it| it.now + LASTS < END && !can.contains(*it));
    assert_eq!(stuck, None);
}

#[test]
fn no_rule_can_be_left_out() {
    for (rule, broken) in [
        (Rule::Claims, "a mail was sent twice"),
        (Rule::NeverAgain, "a mail was sent twice"),
        (Rule::Expects, "an event was written twice"),
        (
            Rule::Fences,
            "something was written under a lease that was lost",
        ),
    ] {
        let without = Some(rule);
        assert_eq!(explore(Rules { without }).err(), Some(broken));
    }
}
