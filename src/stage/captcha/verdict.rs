//! What is made of a provider's answer. Source: authentik `stages/captcha/stage.py`.

use serde_json::Value;

use super::Captcha;

/// Said when another answer may do.
pub(super) const RETRY: &str = "Invalid captcha response. Retrying may solve this issue.";
/// Said when it will not.
pub(super) const INVALID: &str = "Invalid captcha response";
/// Said when nothing is known of the answer.
pub(super) const FAILED: &str = "Failed to validate token";

/// What a provider complains of when another answer may do.
const RETRYABLE: [&str; 5] = [
    "missing-input-response",
    "invalid-input-response",
    "timeout-or-duplicate",
    "expired-input-response",
    "already-seen-response",
];

/// What a provider complains of when the operator's key is wrong.
pub(super) const WRONG_KEY: [&str; 2] = ["missing-input-secret", "invalid-input-secret"];

impl Captcha {
    /// Judges what a provider said.
    ///
    /// # Errors
    /// What the visitor reads.
    pub(super) fn accepts(&self, said: &Value) -> Result<(), &'static str> {
        // The operator wants the answer to be known, not to be good.
        if !self.error_on_invalid_score {
            return Ok(());
        }
        let Value::Object(said) = said else {
            return Err(FAILED);
        };
        if !said.get("success").is_some_and(is_true) {
            return Err(complaint(said.get("error-codes")));
        }
        let score = match said.get("score") {
            None => return Ok(()),
            Some(Value::Number(number)) => number.as_f64(),
            Some(Value::String(text)) => text.trim().parse().ok(),
            Some(_) => None,
        };
        let score = score.filter(|score| !score.is_nan()).ok_or(FAILED)?;
        let (least, most) = (self.score_min_threshold, self.score_max_threshold);
        let too_high = most > -1.0 && score > most;
        let too_low = least > -1.0 && score < least;
        if too_high || too_low {
            Err(INVALID)
        } else {
            Ok(())
        }
    }
}

/// What the visitor reads of the provider's complaints.
fn complaint(codes: Option<&Value>) -> &'static str {
    let retryable = |code: &Value| code.as_str().is_some_and(|it| RETRYABLE.contains(&it));
    match codes {
        // Also where there are none.
        Some(Value::Array(codes)) if codes.iter().all(retryable) => RETRY,
        None | Some(Value::Array(_) | Value::String(_)) => INVALID,
        Some(_) => FAILED,
    }
}

/// What a provider complains of, for whoever reads the trail.
pub(super) fn codes(said: &Value) -> Vec<String> {
    const MOST: usize = 16;
    let listed = said["error-codes"].as_array();
    let texts = listed.into_iter().flatten().filter_map(Value::as_str);
    texts.take(MOST).map(str::to_owned).collect()
}

/// What Python takes for true.
fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(it) => *it,
        Value::Number(it) => it.as_f64() != Some(0.0),
        Value::String(it) => !it.is_empty(),
        Value::Array(it) => !it.is_empty(),
        Value::Object(it) => !it.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stage(settings: &Value) -> Captcha {
        let mut all = json!({ "public_key": "p", "private_key": "s" });
        let all = all.as_object_mut().expect("an object");
        all.extend(settings.as_object().expect("an object").clone());
        serde_json::from_value(Value::Object(all.clone())).expect("settings")
    }

    #[test]
    fn an_answer_is_judged_as_the_spelling_of_the_wire_says() {
        let usual = stage(&json!({}));
        for (said, outcome) in [
            (json!({"success": true}), Ok(())),
            (json!({"success": true, "score": 0.5}), Ok(())),
            (json!({"success": true, "score": 1}), Ok(())),
            (json!({"success": true, "score": "0.7"}), Ok(())),
            (json!({"success": true, "score": 0.4999}), Err(INVALID)),
            (json!({"success": true, "score": 99}), Err(INVALID)),
            (json!({"success": true, "score": -3}), Err(INVALID)),
            (json!({"success": true, "score": null}), Err(FAILED)),
            (json!({"success": true, "score": []}), Err(FAILED)),
            (json!({"success": true, "score": "many"}), Err(FAILED)),
            (json!({"success": true, "score": "NaN"}), Err(FAILED)),
            (json!({"success": "yes"}), Ok(())),
            (json!({"success": 0}), Err(INVALID)),
            (json!({"success": false}), Err(INVALID)),
            (json!({}), Err(INVALID)),
            (json!({"success": null, "error-codes": []}), Err(RETRY)),
            (
                json!({"success": false, "error-codes": ["timeout-or-duplicate"]}),
                Err(RETRY),
            ),
            (
                json!({"success": false, "error-codes": [
                    "missing-input-response", "invalid-input-response",
                    "expired-input-response", "already-seen-response",
                ]}),
                Err(RETRY),
            ),
            (
                json!({"success": false, "error-codes": [
                    "timeout-or-duplicate", "invalid-input-secret",
                ]}),
                Err(INVALID),
            ),
            (json!({"success": false, "error-codes": [1]}), Err(INVALID)),
            (json!({"success": false, "error-codes": "x"}), Err(INVALID)),
            (json!({"success": false, "error-codes": null}), Err(FAILED)),
            (json!({"success": false, "error-codes": 1}), Err(FAILED)),
            (json!([]), Err(FAILED)),
            (json!("success"), Err(FAILED)),
            (json!(null), Err(FAILED)),
        ] {
            assert_eq!(usual.accepts(&said), outcome, "{said}");
        }
    }

    #[test]
    fn bounds_can_be_moved_and_left_out() {
        let risk = stage(&json!({"score_min_threshold": 0, "score_max_threshold": 0.5}));
        let free = stage(&json!({"score_min_threshold": -1, "score_max_threshold": -1}));
        for (score, risky, freely) in [
            (0.0, Ok(()), Ok(())),
            (0.5, Ok(()), Ok(())),
            (0.6, Err(INVALID), Ok(())),
            (-3.0, Err(INVALID), Ok(())),
            (99.0, Err(INVALID), Ok(())),
        ] {
            let said = json!({"success": true, "score": score});
            assert_eq!(risk.accepts(&said), risky, "{score}");
            assert_eq!(free.accepts(&said), freely, "{score}");
        }
    }

    #[test]
    fn where_scores_do_not_count_nothing_does() {
        let stage = stage(&json!({"error_on_invalid_score": false}));
        for said in [
            json!({"success": true, "score": -3}),
            json!({"success": false, "error-codes": ["invalid-input-secret"]}),
            json!({"success": true, "score": null}),
            json!([]),
        ] {
            assert_eq!(stage.accepts(&said), Ok(()), "{said}");
        }
    }
}
