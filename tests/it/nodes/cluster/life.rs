//! What people do: they sign up, log in, forget their password and set another one, by links that are mailed.

use std::time::Duration;

use super::Town;
use super::dice::Dice;
use super::guest::{End, Guest};
use crate::flows::Link;
use crate::support::{LOGIN, Person, Taken, random};

const ENROLMENT: &str = "default-enrollment-flow";
const RECOVERY: &str = "default-recovery-flow";

/// How often somebody looks for a mail.
const LOOKS: Duration = Duration::from_millis(50);

/// So often somebody looks for a mail before they ask for another one: for the time in which a node takes
/// over what another one did, and more. A mail that a node was handing over when it was killed does not come.
const PATIENCE: usize = 600;

impl Town {
    /// One life after the other, until nothing is killed any more.
    pub(super) async fn lives(&self, mut dice: Dice) {
        loop {
            let mut person = Person::new(self.ways[0].canaries());
            self.enrols(&person, &mut dice).await;
            self.people.borrow_mut().push(person.clone());
            self.logs_in(&person, &mut dice).await;
            self.recovers(&mut person, &mut dice).await;
            self.logs_in(&person, &mut dice).await;
            if self.is_over.get() {
                return;
            }
        }
    }

    /// Somebody who has an account logs in again and again; and once more in peace.
    pub(super) async fn keeps_logging_in(&self, person: &Person, mut dice: Dice) {
        while !self.is_over.get() {
            self.logs_in(person, &mut dice).await;
        }
        self.logs_in(person, &mut dice).await;
    }

    /// Logs in, however often that is interrupted.
    async fn logs_in(&self, person: &Person, dice: &mut Dice) {
        loop {
            let mut guest = Guest::new(self, dice);
            match guest.visits(LOGIN, "", person).await {
                End::In => return,
                End::Gone => {}
                other => panic!("logging in ended with {other:?}"),
            }
        }
    }

    async fn enrols(&self, person: &Person, dice: &mut Dice) {
        let mut guest = Guest::new(self, dice);
        let end = guest.visits(ENROLMENT, "", person).await;
        assert_eq!(end, End::Waits);
        let link = self.link(ENROLMENT, &mut guest, person).await;
        guest.takes_another_browser();
        let mut end = guest.visits(&link.slug, &link.query, person).await;
        assert_ne!(end, End::Denied, "a link that nobody has used");
        // What they do not know the link says: it is used, or it is not.
        while end == End::Gone {
            guest.takes_another_browser();
            end = guest.visits(&link.slug, &link.query, person).await;
        }
    }

    async fn recovers(&self, person: &mut Person, dice: &mut Dice) {
        let former = person.password.clone();
        person.password = random(20);
        let canaries = self.ways[0].canaries();
        canaries.secret("a new password", &person.password);
        canaries.secret("a former password", &former);
        let mut guest = Guest::new(self, dice);
        loop {
            let end = guest.visits(RECOVERY, "", person).await;
            assert_eq!(end, End::Waits);
            let link = self.link(RECOVERY, &mut guest, person).await;
            let end = guest.visits(&link.slug, &link.query, person).await;
            if end == End::In {
                return;
            }
            // Whether the password is the new one they do not know, so they set it again.
            assert_eq!(end, End::Gone);
            guest.takes_another_browser();
        }
    }

    /// Waits for the link in a mail that was asked for.
    async fn link(&self, slug: &str, guest: &mut Guest<'_>, person: &Person) -> Link {
        let mut looked: usize = 0;
        loop {
            let mails = self.mails_to(person);
            let links = mails
                .iter()
                .map(|mail| Link::below(mail, &self.base, self.ways[0].canaries()));
            if let Some(link) = links.filter(|it| it.slug == slug).last() {
                self.goes_on();
                return link;
            }
            looked += 1;
            if looked.is_multiple_of(PATIENCE) {
                guest.asks_again(person).await;
            }
            self.waits(LOOKS).await;
        }
    }

    /// What came to somebody, the oldest first. Hosts are sent in lower case.
    pub(super) fn mails_to(&self, person: &Person) -> Vec<Taken> {
        let mut all = self.sink.taken();
        all.retain(|mail| mail.to.len() == 1 && mail.to[0].eq_ignore_ascii_case(&person.mail));
        all
    }
}
