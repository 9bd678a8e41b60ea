//! `gatelog journal verify`: the log, exports of it, and proofs.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use serde_json::{Value, json};

use super::{Damaged, Refuted, certificate};
use crate::app;
use crate::cli::client::Operator;
use crate::cli::output::{Output, print_line, print_value, talk};
use crate::clock::Clock;
use crate::journal::evidence::file::CHECKPOINTS;
use crate::journal::evidence::{self, Checkpoint, Inclusion, Proof, Signed, Verifier};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(in crate::cli) struct Command {
    /// Also compare with the signed checkpoints in this file, which was kept elsewhere
    #[arg(long, value_name = "FILE", requires = "key")]
    checkpoint: Vec<PathBuf>,
    /// The verifier key that has signed them, or a file with it; alone, the checkpoints in the data
    /// directory have to bear its signature
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    /// Look at exports alone, the first part first; needs no data directory
    #[arg(long, value_name = "FILE", num_args = 1.., conflicts_with = "proof")]
    export: Vec<PathBuf>,
    /// Look at a proof alone; needs no data directory
    #[arg(long, value_name = "FILE", requires = "key")]
    proof: Vec<PathBuf>,
    /// Look at a certificate of erasure alone; needs no data directory
    #[arg(long, value_name = "FILE", requires = "key", conflicts_with_all = ["proof", "export"])]
    certificate: Vec<PathBuf>,
}

/// Looks at what the arguments name; at the data directory if they name nothing.
pub(super) async fn run(
    command: &Command,
    settings: &Settings,
    output: &Output,
) -> anyhow::Result<()> {
    let key = command.key.as_deref().map(key).transpose()?;
    let held = held(command, key.as_ref())?;
    if let Some(key) = key.as_ref().filter(|_| !command.certificate.is_empty()) {
        return certificate::tell(&command.certificate, key, output);
    }
    if let Some(key) = key.as_ref().filter(|_| !command.proof.is_empty()) {
        return proofs(command, key, &held, output);
    }
    let held = match &key {
        Some(key) if held.is_empty() && command.export.is_empty() => own(settings, key)?,
        _ => held,
    };
    let held: Vec<Checkpoint> = held.into_iter().map(|signed| signed.checkpoint).collect();
    if !command.export.is_empty() {
        let report = serde_json::to_value(app::verify_exports(&command.export, &held)?)?;
        return tell(&report, Looked::AtExports, output);
    }
    // A journal that is damaged cannot be served, so one that nobody serves is read directly.
    let report = if let Some(report) = app::verify(settings, &held, &Clock::system())? {
        serde_json::to_value(report)?
    } else {
        let operator = Operator::reach(settings).await?;
        let wanted = json!({ "held": held });
        let answer = operator.post_long("journal/verify", &wanted).await;
        operator.close().await?;
        let answer = answer?;
        if answer["signed"].is_null() {
            anyhow::bail!("the server is an older one and compares nothing with checkpoints");
        }
        answer
    };
    tell(&report, Looked::AtAll, output)
}

/// A verifier key, or the one in a file.
fn key(given: &str) -> anyhow::Result<Verifier> {
    if let Ok(key) = given.parse() {
        return Ok(key);
    }
    let text = std::fs::read_to_string(given)
        .with_context(|| format!("--key: {given:?} is no verifier key and no file with one"))?;
    let key = text.trim().parse::<Verifier>();
    key.with_context(|| format!("--key: {given}"))
}

fn held(command: &Command, key: Option<&Verifier>) -> anyhow::Result<Vec<Signed>> {
    let mut held = Vec::new();
    for path in &command.checkpoint {
        let text = read(path)?;
        let signed = evidence::read_all(&text, key).map_err(|error| refused(path, &error))?;
        if signed.is_empty() {
            anyhow::bail!("{}: there is no checkpoint in it", path.display());
        }
        held.extend(signed);
    }
    Ok(held)
}

/// The checkpoints that lie in the data directory, signed by this key.
fn own(settings: &Settings, key: &Verifier) -> anyhow::Result<Vec<Signed>> {
    let path = settings.data.join(CHECKPOINTS);
    let text = read(&path)?;
    let signed = evidence::read_all(&text[..evidence::whole(text.as_bytes())], Some(key));
    let signed = signed.map_err(|error| refused(&path, &error))?;
    if signed.is_empty() {
        anyhow::bail!("{}: there is no checkpoint in it", path.display());
    }
    Ok(signed)
}

pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    let bytes =
        std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    String::from_utf8(bytes)
        .map_err(|_| Refuted(format!("{}: it is no text", path.display())).into())
}

fn refused(path: &Path, error: &evidence::Error) -> Refuted {
    Refuted(format!("{}: {error}", path.display()))
}

/// How much was looked at.
#[derive(Clone, Copy, PartialEq)]
enum Looked {
    AtAll,
    AtExports,
}

fn tell(report: &Value, looked: Looked, output: &Output) -> anyhow::Result<()> {
    if output.is_json() {
        print_value(report)?;
    }
    let findings = report["findings"].as_array().map_or(&[][..], Vec::as_slice);
    if let Some(first) = findings.first() {
        if !output.is_json() {
            for finding in findings {
                print_line(finding.as_str().unwrap_or_default())?;
            }
        }
        return Err(Damaged(first.as_str().unwrap_or_default().to_owned()).into());
    }
    if !output.is_json() {
        talk(&sound(report, looked));
    }
    // The server writes one every thousand commits or ten seconds, and when it stops.
    if looked == Looked::AtAll && report["after_checkpoints"].as_u64() > Some(SELDOM) {
        talk(
            "The file `checkpoints` is missing or too short, so nobody could tell if the end of the \
             log had been cut off. Compare it with a copy that is kept elsewhere.",
        );
    }
    if let Some(why) = report["not_compared"].as_str() {
        talk(&format!(
            "It was NOT compared with the checkpoints in journal.checkpoints.file: {why}"
        ));
    }
    if report["signed"] == 0 {
        talk(
            "No signed checkpoint was compared with it: one that was kept elsewhere would show \
             that nobody rewrote all of it (--checkpoint and --key).",
        );
    }
    Ok(())
}

fn sound(report: &Value, looked: Looked) -> String {
    let signed = format!(
        "Signed checkpoints: {}, records after the last of them: {}. Records whose bodies were \
         taken out, by retention or an erasure: {}.",
        report["signed"], report["after_signed"], report["bodies_gone"]
    );
    match looked {
        Looked::AtExports => format!(
            "The exports are whole. Records: {}. {signed}",
            report["records"]
        ),
        Looked::AtAll => format!(
            "The journal is whole. Records: {}, checkpoints: {}, records after the last one: {}. \
             {signed}",
            report["records"], report["checkpoints"], report["after_checkpoints"]
        ),
    }
}

/// After more records than this without a checkpoint, somebody may have removed one.
const SELDOM: u64 = 10_000;

fn proofs(
    command: &Command,
    key: &Verifier,
    held: &[Signed],
    output: &Output,
) -> anyhow::Result<()> {
    for path in &command.proof {
        let opened = evidence::open(&read(path)?, key).map_err(|error| refused(path, &error))?;
        for proof in opened {
            rests_on(&proof, held)
                .map_err(|problem| Refuted(format!("{}: {problem}", path.display())))?;
            if output.is_json() {
                print_value(&value(&proof))?;
            } else {
                print_line(&sentence(&proof))?;
            }
        }
    }
    Ok(())
}

/// Whoever kept checkpoints believes those, and not whatever else has been signed.
fn rests_on(proof: &Proof, held: &[Signed]) -> Result<(), String> {
    let signed = match proof {
        Proof::Inclusion(proof) => &proof.checkpoint,
        Proof::Consistency(proof) => &proof.from,
    };
    let same = |kept: &Signed| kept.checkpoint == signed.checkpoint;
    if held.is_empty() || held.iter().any(same) {
        return Ok(());
    }
    Err(format!(
        "it rests on a checkpoint of {} records, which is none of those that were kept",
        signed.checkpoint.size
    ))
}

fn sentence(proof: &Proof) -> String {
    match proof {
        Proof::Inclusion(proof) => {
            let Inclusion {
                index,
                frame,
                checkpoint,
                ..
            } = &**proof;
            format!(
                "Position {} is version {} of {}, recorded at {}: one of the {} records that {} \
                 signed for. The hash of its body is {}.",
                index + 1,
                frame.version,
                frame.stream,
                frame.at,
                checkpoint.checkpoint.size,
                checkpoint.checkpoint.origin,
                base16ct::lower::encode_string(&frame.body_hash.0),
            )
        }
        Proof::Consistency(proof) => format!(
            "The {} records that {} signed for begin with the {} that it signed for before: \
             nothing of these was altered.",
            proof.to.checkpoint.size, proof.to.checkpoint.origin, proof.from.checkpoint.size
        ),
    }
}

fn value(proof: &Proof) -> Value {
    match proof {
        Proof::Inclusion(proof) => json!({
            "position": proof.index + 1,
            "kind": proof.frame.stream.kind,
            "id": proof.frame.stream.id,
            "version": proof.frame.version,
            "at": proof.frame.at,
            "body": base16ct::lower::encode_string(&proof.frame.body_hash.0),
            "size": proof.checkpoint.checkpoint.size,
            "origin": proof.checkpoint.checkpoint.origin,
        }),
        Proof::Consistency(proof) => json!({
            "from": proof.from.checkpoint.size,
            "to": proof.to.checkpoint.size,
            "origin": proof.to.checkpoint.origin,
        }),
    }
}
