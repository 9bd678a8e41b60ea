//! The one place where bodies of older schemas are rewritten, by kind.
//!
//! Frames are never rewritten, and nothing is written back: a body on disk stays as it was, and
//! is brought up to date each time it is read. A step, once released, is never edited.

use serde_json::Value;

use super::Kind;

/// Rewrites the bodies of `kind` from schema `from` to the next one.
struct Step {
    kind: Kind,
    from: u16,
    rewrite: fn(Value) -> Result<Value, String>,
}

/// Every change that a stored body has gone through. No body has changed yet.
const STEPS: &[Step] = &[];

/// The number of the newest schema of a kind.
pub(super) fn newest(kind: Kind) -> u16 {
    last(STEPS, kind)
}

/// Every kind began with schema 1, and each step made the next one.
fn last(steps: &[Step], kind: Kind) -> u16 {
    let of_kind = steps.iter().filter(|step| step.kind == kind);
    of_kind.map(|step| step.from + 1).max().unwrap_or(1)
}

/// The body in the newest schema of its kind, and that schema's number.
///
/// # Errors
/// Says why the body could not be rewritten, or that a newer version wrote it.
pub fn body(kind: Kind, schema: u16, body: Vec<u8>) -> Result<(u16, Vec<u8>), String> {
    apply(STEPS, kind, schema, body)
}

fn apply(
    steps: &[Step],
    kind: Kind,
    mut schema: u16,
    body: Vec<u8>,
) -> Result<(u16, Vec<u8>), String> {
    let newest = last(steps, kind);
    if schema > newest {
        return Err(format!(
            "it has schema {schema}, and this version of Gatelog knows schemas up to {newest}: install \
             the version that wrote it"
        ));
    }
    let next = |schema| {
        steps
            .iter()
            .find(|step| step.kind == kind && step.from == schema)
    };
    let Some(mut step) = next(schema) else {
        return Ok((schema, body));
    };
    let problem = |schema, error: &dyn std::fmt::Display| {
        format!("its body of schema {schema} cannot be brought up to date: {error}")
    };
    let mut value = serde_json::from_slice(&body).map_err(|error| problem(schema, &error))?;
    loop {
        value = (step.rewrite)(value).map_err(|error| problem(schema, &error))?;
        schema += 1;
        match next(schema) {
            Some(following) => step = following,
            None => break,
        }
    }
    Ok((schema, value.to_string().into_bytes()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LAMP: Kind = Kind::new("lamp");

    const EXAMPLE: &[Step] = &[
        Step {
            kind: LAMP,
            from: 1,
            rewrite: |mut lamp| {
                lamp["on"] = json!(lamp["brightness"].as_u64().ok_or("no brightness")? > 0);
                Ok(lamp)
            },
        },
        Step {
            kind: LAMP,
            from: 2,
            rewrite: |mut lamp| {
                lamp["name"] = json!("lamp");
                Ok(lamp)
            },
        },
    ];

    fn bytes(value: &Value) -> Vec<u8> {
        value.to_string().into_bytes()
    }

    #[test]
    fn an_old_body_goes_through_every_step_after_its_own() {
        let (schema, body) = apply(EXAMPLE, LAMP, 1, bytes(&json!({"brightness": 3})))
            .expect("the steps fit the body");
        assert_eq!(schema, 3);
        assert_eq!(
            serde_json::from_slice::<Value>(&body).expect("it is JSON"),
            json!({"brightness": 3, "on": true, "name": "lamp"})
        );
    }

    #[test]
    fn a_new_body_and_another_kind_are_left_as_they_are_and_a_newer_one_is_refused() {
        let text = b"not even JSON".to_vec();
        assert_eq!(apply(EXAMPLE, LAMP, 3, text.clone()), Ok((3, text.clone())));
        let problem = apply(EXAMPLE, LAMP, 4, text.clone()).expect_err("it is newer");
        assert!(problem.contains("schemas up to 3"), "{problem}");
        let other = Kind::new("chair");
        assert_eq!(apply(EXAMPLE, other, 1, text.clone()), Ok((1, text)));
    }

    #[test]
    fn a_body_that_does_not_fit_says_its_schema() {
        let problem = apply(EXAMPLE, LAMP, 1, bytes(&json!({}))).expect_err("it does not fit");
        assert!(problem.contains("schema 1"), "{problem}");
        assert!(problem.contains("no brightness"), "{problem}");
    }
}
