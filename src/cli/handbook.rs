//! Reads the handbook, and fails where it shows a command that this program does not take.
//!
//! Nothing is run: whatever stands in a block for a shell is parsed as the program itself would, and of commands
//! within a sentence the names and options have to be there.

use std::fs;
use std::path::{Path, PathBuf};

use clap::{CommandFactory, Parser};

use super::Cli;

/// Every page, the README included.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("docs")];
    let mut pages = vec![root.join("README.md")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|it| it == "md") {
                pages.push(path);
            }
        }
    }
    pages.sort();
    pages
}

/// The words of a line as a shell takes them apart, one command after the other: pipes, lists, redirections and
/// remarks end one.
fn commands(line: &str) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    let (mut word, mut quote) = (None::<String>, None);
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            (it, Some(open)) if it == open => quote = None,
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            ('#', None) if word.is_none() => break,
            ('|' | '&' | ';' | '(' | ')', None) => {
                all.last_mut().expect("one").extend(word.take());
                all.push(Vec::new());
            }
            ('<' | '>', None) => {
                // A number in front of it says which of the streams.
                let word = word.take().filter(|it| it.parse::<u8>().is_err());
                all.last_mut().expect("one").extend(word);
                // What follows is a file.
                while letters.next_if(|it| "<>& ".contains(*it)).is_some() {}
                while letters.next_if(|it| !it.is_whitespace()).is_some() {}
            }
            (it, None) if it.is_whitespace() => all.last_mut().expect("one").extend(word.take()),
            // Within quotes, whatever it is.
            _ => word.get_or_insert_default().push(letter),
        }
    }
    all.last_mut().expect("one").extend(word);
    all
}

/// The arguments of a command, if it is one of ours, whoever runs it and wherever.
fn ours(words: &[String]) -> Option<Vec<String>> {
    let is_setting = |word: &String| word.split_once('=').is_some_and(|(name, _)| is_name(name));
    let mut words = words.iter().skip_while(|word| is_setting(word)).peekable();
    if words.next_if(|it| *it == "sudo").is_some() && words.next_if(|it| *it == "-u").is_some() {
        words.next();
    }
    let first = words.next()?.as_str();
    let all: Vec<&String> = words.collect();
    let from = match first {
        // Whatever is called so before it is the image, or the container.
        "docker" => all.iter().rposition(|it| *it == "gatelog")? + 1,
        "cargo" if all.first().is_some_and(|it| *it == "run") => {
            all.iter().position(|it| *it == "--")? + 1
        }
        _ if first == "gl" || first.rsplit('/').next() == Some("gatelog") => 0,
        _ => return None,
    };
    let is_built = first == "docker" && all.first().is_some_and(|it| *it == "build");
    // What a shell puts in the place of a variable, nobody knows here.
    let known = |word: &&String| {
        let is_known = !word.contains('$');
        if is_known {
            (*word).clone()
        } else {
            "1".to_owned()
        }
    };
    let words: Vec<String> = all[from..].iter().map(known).collect();
    let is_ours = !is_built && (first != "docker" || !words.is_empty());
    is_ours.then_some(words)
}

fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word
            .chars()
            .all(|it| it.is_ascii_alphanumeric() || it == '_')
}

/// What is typed in the blocks of a page that are meant for a shell, each with its line.
fn typed(text: &str) -> Vec<(usize, String)> {
    let mut all = Vec::new();
    let (mut block, mut begun) = (None::<&str>, None::<(usize, String)>);
    for (index, line) in text.lines().enumerate() {
        if let Some(kind) = line.trim_start().strip_prefix("```") {
            block = block.is_none().then_some(kind);
            continue;
        }
        let line = match (block, line.trim_start().strip_prefix("$ ")) {
            (Some("console"), Some(line)) => line,
            (Some("console"), None) if begun.is_some() => line,
            (Some("sh"), _) => line,
            _ => continue,
        };
        let (number, mut whole) = begun.take().unwrap_or((index + 1, String::new()));
        match line.strip_suffix('\\') {
            Some(line) => {
                whole.push_str(line);
                begun = Some((number, whole));
            }
            None => all.push((number, whole + line)),
        }
    }
    all
}

#[test]
fn every_command_of_the_handbook_is_taken() {
    let (mut problems, mut count) = (Vec::new(), 0);
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        for (line, typed) in typed(&text) {
            for words in commands(&typed).iter().filter_map(|it| ours(it)) {
                count += 1;
                let words = std::iter::once("gatelog".to_owned()).chain(words);
                if let Err(error) = Cli::try_parse_from(words) {
                    problems.push(format!("{}:{line}: {typed}\n{error}", page.display()));
                }
            }
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
    assert!(count > 100, "only {count} commands were found");
}

/// Whether the names of commands and options that a sentence shows are there.
fn is_known(shown: &str) -> bool {
    let mut command = Cli::command();
    command.build();
    let mut command = &command;
    let mut in_names = true;
    for word in shown.split_whitespace().skip(1) {
        if let Some(option) = word.strip_prefix("--") {
            let name = option.split(['=', ']', ',']).next().unwrap_or_default();
            let mut options = command.get_arguments();
            if !options.any(|it| it.get_long() == Some(name)) && name != "help" {
                return false;
            }
            in_names = false;
        } else if in_names && command.has_subcommands() {
            let Some(next) = command.find_subcommand(word) else {
                return false;
            };
            command = next;
        }
    }
    true
}

#[test]
fn what_sentences_of_the_handbook_call_commands_is_there() {
    let mut problems = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).expect("a page");
        let outside: String = text.split("\n```").step_by(2).collect();
        let code = outside.split('`').skip(1).step_by(2);
        let shown = code.filter(|it| it.starts_with("gatelog "));
        for shown in shown.filter(|it| !is_known(&it.replace('\n', " "))) {
            problems.push(format!("{}: `{shown}`", page.display()));
        }
    }
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn what_is_no_command_is_found() {
    assert!(is_known("gatelog user create NAME --superuser"));
    assert!(!is_known("gatelog user make NAME"));
    assert!(!is_known("gatelog user create NAME --root"));
    let found = |line: &str| {
        let all = commands(line);
        all.iter().filter_map(|it| ours(it)).collect::<Vec<_>>()
    };
    let list = vec!["user".to_owned(), "list".to_owned()];
    for line in [
        "gatelog user list > file # a remark",
        "A=b sudo -u gatelog gatelog user list",
        "docker compose exec node-1 gatelog user list",
        "docker run --rm gatelog user list",
        "K=$(gatelog user list)",
        "true && gl user 'list' | head",
    ] {
        assert_eq!(found(line), std::slice::from_ref(&list), "{line}");
    }
    assert!(found("echo gatelog").is_empty());
}
