//! The tutorial, as somebody does it: the commands of the page in a shell, the pages in a browser.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use thirtyfour::prelude::*;

use super::{blocks, page};
use crate::browser::{Window, with_browsers};
use crate::support::command::BINARY;
use crate::support::{App, Options, Person, Proxy, TestServer, free_port, skip};

/// A shell in which what is typed stays true, as in a terminal.
struct Shell {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

/// What the shell says when a block has come to its end.
const END: &str = "end-of-a-block";

impl Shell {
    fn start(folder: &std::path::Path) -> Self {
        let program = std::path::Path::new(BINARY).parent().expect("a folder");
        let path = std::env::var("PATH").unwrap_or_default();
        let mut child = Command::new("bash")
            .current_dir(folder)
            .env_clear()
            .env("PATH", format!("{}:{path}:/usr/sbin", program.display()))
            .env("GATELOG_METRICS__LISTEN", "off")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("a shell");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        Self {
            child,
            input,
            output,
        }
    }

    /// Types a block; what it printed. Each of its commands has to succeed.
    fn types(&mut self, block: &str) -> String {
        let input = self.input.as_mut().expect("it is open");
        // A shell that ends at the first failure ends what it has started, too.
        let typed = format!("set -e -o pipefail\n{block}\nset +e\necho {END}\n");
        input.write_all(typed.as_bytes()).expect("it reads");
        let mut said = String::new();
        let mut line = String::new();
        loop {
            line.clear();
            let length = self.output.read_line(&mut line).expect("text");
            assert_ne!(length, 0, "it ended within:\n{block}\n{said}");
            if line.trim_end() == END {
                return said;
            }
            said.push_str(&line);
        }
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Whatever was left running goes with it.
        if let Some(mut input) = self.input.take() {
            let _ = input.write_all(
                b"\nset +e\nkill $(jobs -p) 2>/dev/null\nkill $(cat nginx.pid) 2>/dev/null\nexit\n",
            );
        }
        let _ = self.child.wait();
    }
}

/// The pages of the tutorial in a browser: the login of somebody who has no second factor yet.
async fn visits(
    server: &TestServer,
    window: &Window,
    alice: &Person,
    address: &str,
) -> WebDriverResult<()> {
    window.goto(address).await?;
    window.names(alice).await?;
    window.proves(alice).await?;
    window.sees("svg.qr[aria-label]").await?;
    let link = window.find(By::Css("a[href^='otpauth://']")).await?;
    let link = link.attr("href").await?.expect("an address");
    let app = App::of(&link, server.canaries());
    window.types("code", &app.code(0)).await?;
    window.presses().await
}

#[test]
fn the_tutorial_can_be_done_as_it_is_written() {
    if Proxy::program().is_none() {
        return;
    }
    if Command::new("python3").arg("--version").output().is_err() {
        skip("python3");
        return;
    }
    let ports = [free_port(), free_port(), free_port()];
    let mut page = page("docs/tutorial.md");
    for (written, here) in ["9000", "8080", "8000"].into_iter().zip(ports) {
        page = page.replace(&format!(":{written}"), &format!(":{here}"));
        page = page.replace(&format!("\", {written})"), &format!("\", {here})"));
    }
    let blocks: Vec<String> = blocks(&page, "sh").into_iter().map(|it| it.1).collect();
    let place = |text: &str| {
        let found = blocks.iter().position(|it| it.contains(text));
        found.unwrap_or_else(|| panic!("no block has {text}"))
    };
    // The first one builds the program, which is here already.
    let (first, applied) = (place("cargo build") + 1, place("blueprint apply app.yaml"));
    let (shut, cleaned) = (place("blueprint apply nobody.yaml"), place("-s quit"));
    let login = format!("http://login.localhost:{}", ports[1]);
    let app = format!("http://app.localhost:{}", ports[1]);
    let folder = tempfile::Builder::new().prefix("t").tempdir_in("/var/tmp");
    let folder = folder.expect("a directory");
    with_browsers(Options::default(), async |server, browsers| {
        let mut shell = Shell::start(folder.path());
        for block in &blocks[first..=applied] {
            let said = shell.types(block);
            if block.contains("curl") {
                assert_eq!(
                    said.trim(),
                    "403",
                    "nobody gets in before the application is known"
                );
            }
        }
        let alice = Person {
            username: "alice".to_owned(),
            name: "Alice Doe".to_owned(),
            mail: "alice@example.org".to_owned(),
            password: "a long word for alice".to_owned(),
        };
        let window = browsers.open_at(&login).await?;
        window.may_ask(&login);
        window.may_ask(&app);
        // The application of the tutorial has no picture for the browser's tab, and later denies.
        window.expects("favicon.ico");
        window.expects("403");
        let deep = format!("{app}/docs/?page=2");
        visits(server, &window, &alice, &deep).await?;
        window.shows("h1", "Hello, alice").await?;
        window
            .shows("p", "You asked for /docs/?page=2 and are in: staff")
            .await?;
        window.goto(&login).await?;
        window.shows("main", "The first application").await?;
        for block in &blocks[applied + 1..=shut] {
            shell.types(block);
        }
        for _ in 0..600 {
            window.goto(&deep).await?;
            if window.source().await?.contains("Access denied") {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        window.shows("h1", "Access denied").await?;
        window.shows("body", "alice").await?;
        for block in &blocks[shut + 1..=cleaned] {
            shell.types(block);
        }
        let story = std::fs::read_to_string(folder.path().join("tutorial/story.txt"));
        assert!(story.expect("a story").contains("completed"));
        Ok(())
    });
}
