//! What shells complete, and the manual: made from the commands, without settings or a directory.

use std::fs;
use std::process::Command;

use crate::support::command::run;

/// What bash completes such a line to.
fn completed(script: &str, words: &[&str]) -> String {
    let last = words.len() - 1;
    let program = format!(
        "source {script}; COMP_WORDS=({}); COMP_CWORD={last}; _gatelog gatelog '{}' '{}'; echo \"${{COMPREPLY[@]}}\"",
        words.join(" "),
        words[last],
        words[last - 1],
    );
    let ran = Command::new("bash").args(["-c", &program]).output();
    let ran = ran.expect("bash runs");
    assert!(ran.status.success(), "{ran:?}");
    String::from_utf8(ran.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

#[test]
fn a_shell_completes_commands_and_options() {
    let folder = tempfile::tempdir().expect("a directory");
    let script = folder.path().join("gatelog.bash");
    let printed = run(&["completions", "bash"], &[], "");
    fs::write(&script, &printed.succeeds().stdout).expect("written");
    let script = script.to_str().expect("a plain name");
    assert_eq!(completed(script, &["gatelog", "ser"]), "serve");
    assert_eq!(completed(script, &["gatelog", "journal", "ver"]), "verify");
    assert_eq!(
        completed(script, &["gatelog", "execution", "why", "--help-d"]),
        "--help-desk"
    );
    for shell in ["zsh", "fish", "elvish", "powershell"] {
        let ran = run(&["completions", shell], &[], "");
        ran.succeeds().prints("what-if");
    }
    run(&["completions", "sh"], &[], "")
        .fails_with(2)
        .says("bash");
}

#[test]
fn the_manual_has_a_page_for_each_command_that_people_use() {
    let folder = tempfile::tempdir().expect("a directory");
    let pages = folder.path().join("man1");
    let path = pages.to_str().expect("a plain name");
    run(&["man", path], &[], "").succeeds().says("gatelog.1");
    let page_of = |name: &str| pages.join(format!("{name}.1"));
    let first = fs::read_to_string(page_of("gatelog")).expect("a page");
    let help = run(&["--help"], &[], "");
    let commands = help.succeeds().stdout.split("Commands:").nth(1);
    let commands = commands
        .and_then(|it| it.split("\n\n").next())
        .expect("commands");
    let listed = commands
        .lines()
        .filter_map(|it| it.split_whitespace().next());
    let mut count = 0;
    for name in listed {
        // roff has no plain hyphen.
        assert!(
            first.contains(&name.replace('-', "\\-")),
            "{name} is not in {first}"
        );
        assert!(
            page_of(&format!("gatelog-{name}")).exists(),
            "no page of {name}"
        );
        count += 1;
    }
    assert!(count > 15, "{commands}");
    assert!(page_of("gatelog-replay-what-if").exists());
    assert!(!page_of("gatelog-evaluate").exists(), "nobody calls that");
    // It takes no directory of data, and makes none.
    assert!(!folder.path().join("data").exists());
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    let ran = run(&["man", file.to_str().expect("plain")], &[], "");
    ran.fails_with(1).says("cannot be written to").says("file");
}
