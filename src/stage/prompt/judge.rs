//! Judges what was typed into the prompts of one stage.
//!
//! Nothing that is a password goes anywhere but into the execution's vault.

use std::collections::BTreeMap;

use secrecy::SecretString;
use uuid::Uuid;

use super::parse::{Typed, parse};
use super::{Prompt, build, field::Field};
use crate::catalog::PromptType;
use crate::catalog::prompt::COMPONENT;
use crate::directory::user::user_by_username;
use crate::flow::context::{Value as Known, key};
use crate::flow::event::{Errors, Event, FieldError, NON_FIELD_ERRORS, error, errors};
use crate::stage::{Error, Response, Stage as _, Turn, Verdict, field};

/// What was typed into the prompts, by key.
type Answers = BTreeMap<String, Typed>;

pub(super) async fn judge(
    stage: &Prompt,
    response: &Response,
    turn: &mut Turn<'_>,
) -> Result<Verdict, Error> {
    let prompts = stage.prompts(turn).await?;
    let (fields, learnt) = build::build(turn, prompts, true).await?;
    for event in learnt {
        turn.learn(event);
    }
    let fields = deciding(fields);
    let (answers, mut wrong) = read(&fields, response);
    for field in &fields {
        if let Some(problem) = taken(turn, field, &answers).await? {
            wrong.insert(field.prompt.field_key.clone(), vec![problem]);
        }
    }
    if !wrong.is_empty() {
        return Ok(Verdict::Rejected(wrong));
    }
    if !same_passwords(turn, &fields, &answers)? {
        let text = "Passwords don't match.";
        return Ok(Verdict::Rejected(errors(NON_FIELD_ERRORS, text, "invalid")));
    }
    let mut values = BTreeMap::new();
    for (key, typed) in answers {
        values.extend(kept(turn, typed)?.map(|value| (key, value)));
    }
    let values = match validated(stage, turn, values).await? {
        Ok(values) => values,
        Err(said) => return Ok(Verdict::Rejected(said)),
    };
    turn.learn(Event::PromptSubmitted {
        fields: values.keys().cloned().collect(),
    });
    merge(turn, &values);
    Ok(Verdict::Passed)
}

/// Of several prompts with the same key the last one decides.
pub(super) fn deciding(fields: Vec<Field>) -> Vec<Field> {
    let mut deciding: Vec<Field> = Vec::with_capacity(fields.len());
    for field in fields {
        deciding.retain(|it| it.prompt.field_key != field.prompt.field_key);
        deciding.push(field);
    }
    deciding
}

/// Reads every answer, and collects what is wrong.
pub(super) fn read(fields: &[Field], response: &Response) -> (Answers, Errors) {
    let mut answers = Answers::new();
    let mut wrong = Errors::new();
    for field in fields {
        let key = &field.prompt.field_key;
        match parse(field, response.typed(key)) {
            Ok(typed) => drop(answers.insert(key.clone(), typed)),
            Err(problem) => drop(wrong.insert(key.clone(), vec![problem])),
        }
    }
    // It is a field like the others, and among what was typed until a user is written.
    let component = match response.typed(COMPONENT) {
        None => Ok(Prompt::COMPONENT.to_owned()),
        Some(value) => field::component(value),
    };
    match component {
        Ok(component) => {
            drop(answers.insert(COMPONENT.to_owned(), Typed::Value(Known::text(component))));
        }
        Err(problem) => drop(wrong.insert(COMPONENT.to_owned(), vec![problem])),
    }
    (answers, wrong)
}

/// Whether somebody else has the user name that was typed.
async fn taken(
    turn: &Turn<'_>,
    field: &Field,
    answers: &Answers,
) -> Result<Option<FieldError>, Error> {
    if field.prompt.kind != PromptType::Username {
        return Ok(None);
    }
    let Some(Typed::Value(Known::Json(serde_json::Value::String(name)))) =
        answers.get(&field.prompt.field_key)
    else {
        return Ok(None);
    };
    let found = user_by_username(turn.world.objects(), name).await?;
    let Some(other) = found else {
        return Ok(None);
    };
    let own = match turn.running.context.get(key::PENDING_USER) {
        Some(Known::User(id)) => Some(*id),
        Some(_) => None,
        None => turn.session_user().await?.map(|user| user.value.uuid),
    };
    let is_own = own == Some(other.value.uuid);
    Ok((!is_own).then(|| error("Username is already taken.", "invalid")))
}

/// Whether all passwords are the same. One that was left out is none.
fn same_passwords(turn: &Turn<'_>, fields: &[Field], answers: &Answers) -> Result<bool, Error> {
    let passwords = fields
        .iter()
        .filter(|field| field.prompt.kind == PromptType::Password);
    let mut passwords = passwords.map(|field| match answers.get(&field.prompt.field_key) {
        Some(Typed::Secret(secret)) => secret.clone(),
        _ => SecretString::default(),
    });
    let Some(first) = passwords.next() else {
        return Ok(true);
    };
    let mut same = true;
    for password in passwords {
        same &= turn.world.is_secret(&password, &first)?;
    }
    Ok(same)
}

/// A value as the context holds it: of a secret only what the vault calls it.
fn kept(turn: &Turn<'_>, typed: Typed) -> Result<Option<Known>, Error> {
    Ok(match typed {
        Typed::Nothing => None,
        Typed::Value(value) => Some(value),
        Typed::Secret(secret) => Some(Known::Secret(turn.world.keep(secret)?)),
    })
}

/// What was typed as the policies leave it, or what they say against it.
async fn validated(
    stage: &Prompt,
    turn: &mut Turn<'_>,
    values: BTreeMap<String, Known>,
) -> Result<Result<BTreeMap<String, Known>, Errors>, Error> {
    if stage.validation_policies.is_empty() {
        return Ok(Ok(values));
    }
    let question = super::question(turn, true).await?.about_prompts(values);
    let id: Uuid = turn.stage.stage.id;
    let name = &turn.stage.name;
    let policies = &stage.validation_policies;
    let decision = question.of_prompts(id, name, policies).await?;
    let values = question.typed();
    for event in question.into_learnt() {
        // They were asked about a part of the context only, so what they changed in it is merged.
        if !changes_prompts(&event) {
            turn.learn(event);
        }
    }
    if decision.passing {
        return Ok(Ok(values));
    }
    let mut said = Errors::new();
    if !decision.messages.is_empty() {
        let messages = decision.messages.into_iter();
        let messages = messages.map(|text| error(text, "invalid")).collect();
        said.insert(NON_FIELD_ERRORS.to_owned(), messages);
    }
    Ok(Err(said))
}

fn changes_prompts(event: &Event) -> bool {
    matches!(event, Event::ContextChanged { key, .. } if key == key::PROMPT_DATA)
}

/// Lays what was typed over what was typed before.
fn merge(turn: &mut Turn<'_>, values: &BTreeMap<String, Known>) {
    let before = turn.running.context.get(key::PROMPT_DATA);
    let mut merged = before.and_then(Known::entries).unwrap_or_default();
    merged.extend(values.clone());
    turn.set(key::PROMPT_DATA, Some(Known::map(merged)));
}
