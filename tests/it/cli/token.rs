//! Keys for programs, made by a command.

use std::io::{Read, Write};
use std::net::TcpStream;

use super::process::{Directory, Server};

/// The status of a request that comes with this key.
fn status(address: &str, key: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("a connection");
    let request = format!(
        "GET /api/v3/flows/instances/ HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         Authorization: Bearer {key}\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let first = answer.lines().next().unwrap_or_default();
    first.split(' ').nth(1).unwrap_or_default().to_owned()
}

#[test]
fn a_key_is_printed_once_and_is_good_until_it_is_taken_away() {
    let directory = Directory::new();
    let server = Server::start(&directory);
    let made = directory.run(&[
        "token",
        "create",
        "akadmin",
        "--name",
        "deploy",
        "--expires",
        "30d",
    ]);
    assert_eq!(made.code, 0, "{made:?}");
    let key = made.stdout.trim().to_owned();
    assert_eq!(key.len(), 60, "{made:?}");
    assert_eq!(status(&server.address(), &key), "200");
    let again = directory.run(&["token", "create", "akadmin", "--name", "deploy"]);
    assert_ne!(again.code, 0, "{again:?}");
    assert!(again.stderr.contains("already"), "{again:?}");
    let nobody = directory.run(&["token", "create", "nobody"]);
    assert!(nobody.stderr.contains("there is no user"), "{nobody:?}");
    let listed = directory.run(&["token", "list"]);
    assert!(listed.stdout.contains("deploy"), "{listed:?}");
    assert!(!listed.stdout.contains(&key), "{listed:?}");
    let gone = directory.run(&["token", "delete", "deploy"]);
    assert_eq!(gone.code, 0, "{gone:?}");
    assert_eq!(status(&server.address(), &key), "403");
}
