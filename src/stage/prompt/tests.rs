//! What prompts take, by the rows of authentik's own tests and beyond.
#![expect(
    clippy::needless_pass_by_value,
    clippy::unnecessary_wraps,
    reason = "a row of a table is written down as briefly as can be"
)]

use proptest::prelude::*;
use serde_json::{Value as Json, json};

use super::choice::choices;
use super::field::Field;
use super::judge::{deciding, read};
use super::parse::{Typed, form, parse};
use crate::catalog::{Prompt, PromptType};
use crate::clock::Clock;
use crate::expression::Value;
use crate::flow::context::Value as Known;
use crate::flow::event::Errors;
use crate::stage::Form;

fn prompt(kind: PromptType, required: bool) -> Prompt {
    let mut prompt = Prompt::new(&Clock::system(), "p", "key", kind);
    prompt.required = required;
    prompt
}

fn of(prompt: Prompt, initial: impl Into<Value>) -> Field {
    let list = Value::List(vec!["test".into(), true.into(), 42.into()]);
    let choices = if prompt.kind.is_choice() {
        choices(list)
    } else {
        Vec::new()
    };
    Field {
        prompt,
        choices,
        placeholder: Value::text("held"),
        initial: initial.into(),
    }
}

fn field(kind: PromptType, required: bool) -> Field {
    of(prompt(kind, required), "")
}

/// What comes of an answer: the value, `secret:` and a text, nothing, or the code of the error.
fn outcome(field: &Field, answer: Option<Json>) -> Result<Json, String> {
    use secrecy::ExposeSecret;
    match parse(field, answer.as_ref()) {
        Ok(Typed::Nothing) => Ok(json!("nothing")),
        Ok(Typed::Value(Known::Json(json))) => Ok(json!([json])),
        Ok(Typed::Value(other)) => panic!("{other:?}"),
        Ok(Typed::Secret(secret)) => Ok(json!(format!("secret:{}", secret.expose_secret()))),
        Err(error) => Err(error.code),
    }
}

fn takes(kind: PromptType, required: bool, answer: Json) -> Result<Json, String> {
    outcome(&field(kind, required), Some(answer))
}

fn value(json: Json) -> Result<Json, String> {
    Ok(json!([json]))
}

fn refused(code: &str) -> Result<Json, String> {
    Err(code.to_owned())
}

#[test]
fn text_is_kept_as_it_is_and_may_be_empty_where_it_is_not_required() {
    for kind in [PromptType::Text, PromptType::TextArea] {
        assert_eq!(takes(kind, true, json!(" a ")), value(json!(" a ")));
        assert_eq!(takes(kind, true, json!(" ")), value(json!(" ")));
        assert_eq!(takes(kind, true, json!("")), refused("blank"));
        assert_eq!(takes(kind, false, json!("")), value(json!("")));
        assert_eq!(takes(kind, true, json!(12)), value(json!("12")));
        for wrong in [json!(true), json!([1]), json!({"a": 1})] {
            assert_eq!(takes(kind, true, wrong), refused("invalid"));
        }
        let nul = takes(kind, true, json!("a\0"));
        assert_eq!(nul, refused("null_characters_not_allowed"));
    }
    let long = |length| json!("x".repeat(length));
    let text = PromptType::Text;
    assert_eq!(takes(text, true, long(1024)), value(long(1024)));
    assert_eq!(takes(text, true, long(1025)), refused("max_length"));
    let lines = PromptType::TextArea;
    assert_eq!(takes(lines, true, long(16_384)), value(long(16_384)));
    assert_eq!(takes(lines, true, long(16_385)), refused("max_length"));
}

#[test]
fn every_type_can_be_missing_null_and_fixed() {
    for kind in PromptType::ALL {
        for required in [true, false] {
            let field = field(*kind, required);
            let missing = outcome(&field, None);
            let null = outcome(&field, Some(Json::Null));
            match kind {
                PromptType::Hidden | PromptType::Static => {
                    assert_eq!(missing, value(json!("held")), "{kind}");
                    assert_eq!(null, value(json!("held")), "{kind}");
                }
                PromptType::TextReadOnly | PromptType::TextAreaReadOnly => {
                    assert_eq!(missing, value(json!("")), "{kind}");
                    assert_eq!(null, value(json!("")), "{kind}");
                }
                PromptType::Separator => {
                    assert_eq!(missing, Ok(json!("nothing")));
                    assert_eq!(null, Ok(json!("nothing")));
                }
                PromptType::Checkbox => {
                    assert_eq!(missing, Ok(json!("nothing")));
                    assert_eq!(null, refused("null"));
                }
                _ => {
                    let expected = if required {
                        refused("required")
                    } else {
                        Ok(json!("nothing"))
                    };
                    assert_eq!(missing, expected, "{kind}");
                    assert_eq!(null, refused("null"), "{kind}");
                }
            }
        }
    }
}

#[test]
fn what_stands_in_a_field_counts_where_nothing_is_sent() {
    let text = of(prompt(PromptType::Text, true), "here");
    assert_eq!(outcome(&text, None), value(json!("here")));
    assert_eq!(outcome(&text, Some(json!(""))), refused("blank"));
    // Just as it is: nothing turns it into what the type would be.
    let checkbox = of(prompt(PromptType::Checkbox, true), "false");
    assert_eq!(outcome(&checkbox, None), value(json!("false")));
    let number = of(prompt(PromptType::Number, true), 7);
    assert_eq!(outcome(&number, None), value(json!(7)));
    for nothing in [Value::Int(0), Value::text(""), Value::None, false.into()] {
        let number = of(prompt(PromptType::Number, true), nothing);
        assert_eq!(outcome(&number, None), refused("required"));
    }
    let password = of(prompt(PromptType::Password, true), "here");
    assert_eq!(outcome(&password, None), Ok(json!("secret:here")));
}

#[test]
fn a_password_of_another_stage_is_neither_shown_nor_taken_over() {
    let handle = uuid::Uuid::from_u128(7);
    let secret = Value::Secret(handle.to_string());
    let password = of(prompt(PromptType::Password, true), secret.clone());
    assert_eq!(outcome(&password, None), refused("required"));
    let hidden = of(prompt(PromptType::Hidden, true), secret);
    assert_eq!(hidden.shown()["initial_value"], "");
    let kept = parse(&hidden, Some(&json!("tampered")));
    assert!(matches!(kept, Ok(Typed::Value(Known::Secret(it))) if it == handle));
}

#[test]
fn names_addresses_and_passwords_are_trimmed() {
    for required in [true, false] {
        let username = takes(PromptType::Username, required, json!(" ann "));
        assert_eq!(username, value(json!("ann")));
        let blank = takes(PromptType::Username, required, json!("  "));
        assert_eq!(blank, refused("blank"));
        let password = takes(PromptType::Password, required, json!(" s3 cret "));
        assert_eq!(password, Ok(json!("secret:s3 cret")));
        let blank = takes(PromptType::Password, required, json!("  "));
        assert_eq!(blank, refused("blank"));
    }
    let email = PromptType::Email;
    assert_eq!(
        takes(email, true, json!(" a@b.io ")),
        value(json!("a@b.io"))
    );
    assert_eq!(takes(email, true, json!("a@b")), refused("invalid"));
    assert_eq!(takes(email, true, json!("")), refused("blank"));
    assert_eq!(takes(email, false, json!(" ")), value(json!("")));
    let locale = PromptType::Locale;
    assert_eq!(takes(locale, true, json!("")), value(json!("")));
    assert_eq!(takes(locale, true, json!("de_DE")), value(json!("de_DE")));
    assert_eq!(takes(locale, true, json!("en-GB")), value(json!("en-GB")));
    assert_eq!(
        takes(locale, true, json!("xx_YY")),
        refused("invalid_choice")
    );
}

#[test]
fn numbers_are_whole() {
    for (answer, number) in [
        (json!(3), 3),
        (json!(-3), -3),
        (json!(3.0), 3),
        (json!("3"), 3),
        (json!(" 3.0 "), 3),
        (json!("+1_000"), 1000),
        (json!("-7."), -7),
    ] {
        let taken = takes(PromptType::Number, true, answer.clone());
        assert_eq!(taken, value(json!(number)), "{answer}");
    }
    for answer in [
        json!(""),
        json!("x"),
        json!(3.5),
        json!("3.5"),
        json!("1__0"),
        json!("_1"),
        json!("--1"),
        json!(true),
        json!([]),
        json!("99999999999999999999"),
    ] {
        let taken = takes(PromptType::Number, true, answer.clone());
        assert_eq!(taken, refused("invalid"), "{answer}");
    }
    let long = takes(PromptType::Number, true, json!("1".repeat(1001)));
    assert_eq!(long, refused("max_string_length"));
}

#[test]
fn a_checkbox_is_yes_or_no() {
    for yes in [json!(true), json!("on"), json!("yes"), json!("1"), json!(1)] {
        assert_eq!(takes(PromptType::Checkbox, true, yes), value(json!(true)));
    }
    for no in [json!(false), json!("off"), json!("No"), json!(0)] {
        assert_eq!(takes(PromptType::Checkbox, true, no), value(json!(false)));
    }
    for wrong in [json!(""), json!("maybe"), json!([])] {
        assert_eq!(takes(PromptType::Checkbox, true, wrong), refused("invalid"));
    }
}

#[test]
fn a_choice_is_compared_as_text_and_kept_as_it_is() {
    for kind in [PromptType::RadioButtonGroup, PromptType::Dropdown] {
        assert_eq!(takes(kind, true, json!("test")), value(json!("test")));
        assert_eq!(takes(kind, true, json!("True")), value(json!(true)));
        assert_eq!(takes(kind, true, json!(true)), value(json!(true)));
        assert_eq!(takes(kind, true, json!("42")), value(json!(42)));
        assert_eq!(takes(kind, true, json!(42)), value(json!(42)));
        let wrong = parse(&field(kind, true), Some(&json!("other"))).expect_err("no choice");
        assert_eq!(wrong.string, "\"other\" is not a valid choice.");
        assert_eq!(wrong.code, "invalid_choice");
        for wrong in [json!([]), json!({}), json!(""), json!("true")] {
            assert_eq!(takes(kind, true, wrong), refused("invalid_choice"));
        }
    }
}

#[test]
fn days_and_moments_are_told_in_one_form() {
    let date = PromptType::Date;
    let day = takes(date, true, json!("2024-02-29"));
    assert_eq!(day, value(json!("2024-02-29")));
    let wrong = parse(&field(date, true), Some(&json!("29.2.2024"))).expect_err("no day");
    assert_eq!(
        wrong.string,
        "Date has wrong format. Use one of these formats instead: YYYY-MM-DD."
    );
    let moment = PromptType::DateTime;
    let utc = takes(moment, true, json!("2024-01-05T10:00:00+02:00"));
    assert_eq!(utc, value(json!("2024-01-05T08:00:00Z")));
    let day = takes(moment, true, json!("2024-01-05"));
    assert_eq!(day, value(json!("2024-01-05T00:00:00Z")));
    let wrong = parse(&field(moment, true), Some(&json!("soon"))).expect_err("no moment");
    assert_eq!(
        wrong.string,
        "Datetime has wrong format. Use one of these formats instead: \
         YYYY-MM-DDThh:mm[:ss[.uuuuuu]][+HH:MM|-HH:MM|Z]."
    );
    for wrong in [json!(""), json!([]), json!(true)] {
        assert_eq!(takes(date, true, wrong.clone()), refused("invalid"));
        assert_eq!(takes(moment, true, wrong), refused("invalid"));
    }
}

#[test]
fn a_file_is_an_address_that_holds_it() {
    let file = field(PromptType::File, true);
    let problem = |text: &str| {
        let wrong = parse(&file, Some(&json!(text))).expect_err(text);
        (wrong.string, wrong.code)
    };
    let invalid = |text: &str| (text.to_owned(), "invalid".to_owned());
    assert_eq!(problem("foo"), invalid("Invalid scheme"));
    assert_eq!(problem("http://x/y,z"), invalid("Invalid scheme"));
    assert_eq!(
        problem("data:foo/bar;foo,qwer"),
        invalid("Invalid encoding")
    );
    assert_eq!(problem("data:foo/bar;base64"), invalid("Invalid encoding"));
    assert_eq!(problem("dätä:,"), invalid("Invalid scheme"));
    let whole = "data:mine/type;base64,Zm9v";
    let taken = outcome(&file, Some(json!(whole)));
    assert_eq!(taken, value(json!(whole)));
    let long = format!("data:a/b;base64,{}", "A".repeat(128 * 1024));
    assert_eq!(problem(&long).1, "max_length");
}

#[test]
fn what_only_the_server_sets_stays_as_it_is() {
    for kind in PromptType::ALL.iter().filter(|kind| kind.is_fixed()) {
        let field = of(prompt(*kind, true), "server");
        for answer in [json!("tampered"), json!({"a": [1]}), json!(""), Json::Null] {
            assert_eq!(outcome(&field, Some(answer)), value(json!("server")));
        }
        let zero = of(prompt(*kind, true), 0);
        let empty = if matches!(kind, PromptType::Hidden | PromptType::Static) {
            "held"
        } else {
            ""
        };
        assert_eq!(outcome(&zero, Some(json!("x"))), value(json!(empty)));
    }
}

#[test]
fn a_challenge_has_every_key_and_only_text() {
    let mut dropdown = of(prompt(PromptType::Dropdown, true), true);
    dropdown.prompt.label = "<script>".to_owned();
    assert_eq!(
        dropdown.shown(),
        json!({
            "field_key": "key", "label": "<script>", "type": "dropdown", "required": true,
            "placeholder": "held", "initial_value": "True", "order": 0, "sub_text": "",
            "choices": [
                {"value": "test", "label": "test"},
                {"value": "True", "label": "True"},
                {"value": "42", "label": "42"},
            ],
        })
    );
    let text = of(prompt(PromptType::Text, false), Value::None);
    assert_eq!(text.shown()["choices"], Json::Null);
    assert_eq!(text.shown()["initial_value"], "None");
    assert_eq!(text.shown()["required"], false);
}

/// One prompt of each type, each under its own key, and two under the same one.
fn all() -> Vec<Field> {
    let mut fields: Vec<Field> = PromptType::ALL
        .iter()
        .map(|kind| {
            let mut field = field(*kind, true);
            field.prompt.field_key = kind.to_string();
            field
        })
        .collect();
    for kind in [PromptType::Password, PromptType::Text] {
        let mut field = field(kind, true);
        field.prompt.field_key = "both".to_owned();
        fields.push(field);
    }
    fields
}

fn judged(fields: &[Field], body: &Json) -> (Vec<String>, Errors) {
    let prompts: Vec<Prompt> = fields.iter().map(|it| it.prompt.clone()).collect();
    match Form::Open(form(&prompts)).read(body) {
        Ok(response) => {
            let (answers, errors) = read(&deciding(fields.to_vec()), &response);
            let filled = answers.iter();
            let filled = filled.filter(|(_, typed)| !matches!(typed, Typed::Nothing));
            (filled.map(|(key, _)| key.clone()).collect(), errors)
        }
        Err(errors) => (Vec::new(), errors),
    }
}

const CANARY: &str = "c4n4ry";

fn any_answer() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-1e9..1e9).prop_map(|it: f64| json!(it)),
        "[ a-z0-9@.:;,\0\u{e9}-]{0,12}".prop_map(Json::from),
        "2024-0[0-9]-[0-9]{2}(T1[0-9]:00(Z|\\+02:00)?)?".prop_map(Json::from),
        Just(json!("data:a/b;base64,Zm9v")),
        Just(json!("on")),
        (1_000_usize..1_030).prop_map(|it| json!("x".repeat(it))),
        (1_000_usize..1_030).prop_map(|it| json!(" ".repeat(it))),
        (1_000_usize..1_030).prop_map(|it| json!(format!("x{}", " ".repeat(it)))),
        Just(json!("\0".repeat(2_000))),
        Just(json!(
            format!("{CANARY} in a list").split(' ').collect::<Vec<_>>()
        )),
        Just(json!({ CANARY: CANARY })),
        Just(json!(CANARY)),
    ]
}

proptest! {
    #[test]
    fn what_is_written_down_is_judged_like_what_was_sent(
        answers in prop::collection::vec(any_answer(), PromptType::ALL.len() + 3),
        stray in any_answer(),
    ) {
        let fields = all();
        let prompts: Vec<Prompt> = fields.iter().map(|it| it.prompt.clone()).collect();
        let mut keys: Vec<String> = prompts.iter().map(|it| it.field_key.clone()).collect();
        keys.push("component".to_owned());
        let mut body: serde_json::Map<String, Json> = keys.into_iter().zip(answers).collect();
        body.insert("stray".to_owned(), stray);
        let body = Json::Object(body);
        let form = Form::Open(form(&prompts));
        let redacted = form.redact(&body);
        prop_assert_eq!(judged(&fields, &body), judged(&fields, &redacted));
        prop_assert_eq!(&form.redact(&redacted), &redacted);
        for secret in ["password", "both"] {
            prop_assert!(!redacted[secret].to_string().contains(CANARY));
        }
        prop_assert!(redacted.get("stray").is_none());
    }

    #[test]
    fn whatever_is_posted_nothing_panics(body in any_answer()) {
        let fields = all();
        let prompts: Vec<Prompt> = fields.iter().map(|it| it.prompt.clone()).collect();
        let redacted = Form::Open(form(&prompts)).redact(&body);
        prop_assert_eq!(judged(&fields, &body).1, judged(&fields, &redacted).1);
    }
}
