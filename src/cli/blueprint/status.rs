//! `gatelog blueprint status`: what came of the blueprints that the server applies by itself.

use serde_json::Value;

use crate::cli::client;
use crate::cli::output::{Output, print_value, talk};
use crate::settings::Settings;

pub(super) async fn run(settings: &Settings, output: &Output) -> anyhow::Result<()> {
    let answer = client::once(settings, "blueprints/status", None).await?;
    let all = super::items(&answer["blueprints"]);
    if output.is_json() {
        return all.iter().try_for_each(print_value);
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let rows: Vec<Vec<String>> = all
        .iter()
        .map(|it| {
            let status = match it["enabled"].as_bool() {
                Some(false) => "switched off".to_owned(),
                _ => text(&it["status"]),
            };
            vec![
                status,
                text(&it["last_applied"]),
                text(&it["path"]),
                text(&it["name"]),
            ]
        })
        .collect();
    output.table(&["STATUS", "LAST APPLIED", "FILE", "NAME"], &rows)?;
    for problem in all.iter().flat_map(|it| super::items(&it["problems"])) {
        talk(problem.as_str().unwrap_or_default());
    }
    Ok(())
}
