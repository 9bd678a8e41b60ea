//! What a measurement came to, for people and for programs.

use crate::load::{Latency, Report};

use super::super::output::{Output, data, print_line};

/// From this share of a core on, the generator may have been the limit.
const BUSY: f64 = 0.9;

/// Prints the whole report: one JSON document, or a table and what belongs to it.
pub(super) fn print(report: &Report, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        let mut text = serde_json::to_vec(report)?;
        text.push(b'\n');
        return data(&text);
    }
    let heads = [
        "STEP",
        "PER SECOND",
        "P50 MS",
        "P90 MS",
        "P99 MS",
        "P99.9 MS",
        "MAX MS",
    ];
    let mut rows: Vec<Vec<String>> = report
        .steps
        .iter()
        .map(|step| row(&step.name, step.per_second, &step.latency))
        .collect();
    let whole = &report.conversations;
    rows.push(row("whole conversation", whole.per_second, &whole.latency));
    output.table(&heads, &rows)?;
    print_line("")?;
    for line in lines(report) {
        print_line(&line)?;
    }
    Ok(())
}

fn row(name: &str, per_second: f64, latency: &Latency) -> Vec<String> {
    let times = [
        latency.p50_ms,
        latency.p90_ms,
        latency.p99_ms,
        latency.p999_ms,
        latency.max_ms,
    ];
    let times = times.iter().map(|time| format!("{time:.2}"));
    [name.to_owned(), format!("{per_second:.1}")]
        .into_iter()
        .chain(times)
        .collect()
}

/// What does not fit into the table.
fn lines(report: &Report) -> Vec<String> {
    let Report {
        conversations,
        requests,
        ..
    } = report;
    let paced = report.rate.map_or_else(
        || "each began the next conversation when the last one was over".to_owned(),
        |rate| format!("{rate} conversations were due each second"),
    );
    let mut lines = vec![
        format!(
            "{} at {}: {:.1} s, up to {} visitors; {paced}.",
            report.profile, report.target, report.seconds, report.visitors
        ),
        format!(
            "{} conversations ended, {} failed; {} requests ({:.1}/s) over {} connections.",
            conversations.ended,
            conversations.failed,
            requests.sent,
            requests.per_second,
            requests.connections
        ),
    ];
    if requests.refusals > 0 {
        lines.push(format!(
            "{} wrong passwords were refused, as they should be.",
            requests.refusals
        ));
    }
    if let Some(delay) = &report.delay {
        lines.push(format!(
            "Begun later than due: p50 {:.2} ms, p99 {:.2} ms, at most {:.2} ms; {} were never \
             begun. It is part of the times above.",
            delay.latency.p50_ms, delay.latency.p99_ms, delay.latency.max_ms, delay.unbegun
        ));
    }
    let pushed = &report.pushed_back;
    if pushed.status_429 + pushed.status_503 > 0 {
        lines.push(format!(
            "Sent away: {} times with 429, {} times with 503; {} of them with Retry-After, {} s \
             at most.",
            pushed.status_429,
            pushed.status_503,
            pushed.with_retry_after,
            pushed.longest_retry_after_seconds
        ));
    }
    if let Some(server) = &report.server {
        let each = server.processor_ms_per_conversation;
        let each = each.map_or_else(String::new, |each| {
            format!(", {each:.3} ms for each conversation")
        });
        lines.push(format!(
            "Server: {:.2} s of processor time ({:.2} cores){each}; memory {:.1} MB before, \
             {:.1} MB after, and {:.1} MB of its workers.",
            server.processor_seconds,
            server.busy,
            megabytes(server.memory_before),
            megabytes(server.memory_after),
            megabytes(server.memory_of_children)
        ));
    }
    if let Some(busy) = report.generator.busy {
        lines.push(format!("This program: {busy:.2} of one core."));
        if busy >= BUSY {
            lines.push(
                "It could not have made much more load: the server may be able to bear more."
                    .to_owned(),
            );
        }
    }
    lines
}

#[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}
