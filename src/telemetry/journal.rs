//! Shows what the journal counts of itself, under the names that operators read.

use super::book::Book;
use crate::journal::Meter;

/// Enters the counts of a journal.
pub(super) fn enter(book: &mut Book, journal: &Meter) {
    book.counts(
        "gatelog_journal_commits_total",
        "Commits that were acknowledged, those of health probes included.",
        journal.commits.clone(),
    );
    book.counts(
        "gatelog_journal_conflicts_total",
        "Commits that were refused because something had moved.",
        journal.conflicts.clone(),
    );
    book.counts(
        "gatelog_journal_failures_total",
        "Commits that failed as the disk was full or broken.",
        journal.failures.clone(),
    );
    book.counts(
        "gatelog_journal_records_total",
        "Records that were written since the start.",
        journal.records.clone(),
    );
    book.gauges(
        "gatelog_journal_waiting",
        "Commits that wait for their answer.",
        journal.waiting.clone(),
    );
    book.histogram(
        "gatelog_journal_commit_seconds",
        "Seconds from handing a commit over to its answer.",
        journal.commit_seconds.clone(),
    );
    book.histogram(
        "gatelog_journal_batch_commits",
        "How many commits were written together.",
        journal.batch_commits.clone(),
    );
    book.histogram(
        "gatelog_journal_sync_seconds",
        "Seconds that making a batch durable took.",
        journal.sync_seconds.clone(),
    );
    book.counts(
        "gatelog_journal_damaged_total",
        "How often something was read that is not as it was written.",
        journal.damaged.clone(),
    );
    book.gauges(
        "gatelog_journal_failed",
        "1 once nothing can be written any more; restart the server.",
        journal.failed.clone(),
    );
}
