//! Lists of stolen passwords in every form that they come in.

use std::fmt::Write as _;
use std::io::Cursor;

use proptest::prelude::*;

use super::*;

/// The SHA-1 of `password`, as it is published.
const PASSWORD: &str = "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8";

fn secret(text: &str) -> SecretString {
    text.into()
}

/// A list with these hashes, sorted.
fn list(hashes: &[[u8; 20]], end: &str) -> (Vec<String>, String) {
    let mut digits: Vec<String> = hashes
        .iter()
        .map(|hash| {
            hash.iter().fold(String::new(), |mut text, byte| {
                write!(text, "{byte:02X}").expect("text");
                text
            })
        })
        .collect();
    digits.sort();
    digits.dedup();
    let mut text = String::new();
    for (at, hash) in digits.iter().enumerate() {
        // Counts of every length, so that the lines are not all equally long.
        let count = 7_u64.pow(u32::try_from(at % 20).expect("small"));
        write!(text, "{hash}:{count}{end}").expect("text");
    }
    (digits, text)
}

/// What reading the whole list comes to.
fn scanned(text: &str, hash: &str) -> u64 {
    let mut lines = text.lines().filter_map(|line| line.split_once(':'));
    lines
        .find(|(digits, _)| *digits == hash)
        .map_or(0, |(_, count)| count.trim().parse().expect("a number"))
}

/// Hashes of which many begin alike.
fn hashes() -> impl Strategy<Value = Vec<[u8; 20]>> {
    let near = (0..4_u8, 0..4_u8).prop_map(|(first, last)| {
        let mut hash = [0; 20];
        (hash[0], hash[19]) = (first, last);
        hash
    });
    prop::collection::vec(prop_oneof![near, any::<[u8; 20]>()], 0..60)
}

proptest! {
    #[test]
    fn halving_finds_exactly_what_reading_everything_finds(
        known in hashes(),
        others in hashes(),
        end in prop_oneof![Just("\r\n"), Just("\n")],
        is_ended in any::<bool>(),
    ) {
        let (digits, mut text) = list(&known, end);
        if !is_ended {
            text.truncate(text.trim_end().len());
        }
        for hash in digits.into_iter().chain(list(&others, "\n").0) {
            let found = sorted::count(Cursor::new(text.as_bytes()), &hash);
            prop_assert_eq!(found, Ok(scanned(&text, &hash)));
        }
    }

    #[test]
    fn no_file_breaks_the_search(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        // Either it is a list, by chance, or the search says that it is none.
        let found = sorted::count(Cursor::new(bytes), PASSWORD);
        prop_assert!(found.is_err() || found == Ok(0));
    }
}

#[test]
fn a_password_is_looked_up_by_its_hash() {
    let hash = Hash::of(&secret("password"));
    assert_eq!(hash.whole(), PASSWORD);
    assert_eq!(format!("{}{}", hash.range(), hash.rest()), PASSWORD);
    assert_eq!(hash.range(), "5BAA6");
}

#[test]
fn a_range_is_read_in_any_case_and_with_any_end_of_line() {
    let rest = &PASSWORD[RANGE..];
    let other = "0".repeat(35);
    for text in [
        format!("{other}:1\r\n{rest}:42\r\n"),
        format!("{other}:1\n{}:42", rest.to_lowercase()),
    ] {
        assert_eq!(lines::count(text.as_bytes(), rest), Ok(42));
    }
    assert_eq!(lines::count(format!("{other}:1").as_bytes(), rest), Ok(0));
}

#[test]
fn what_is_no_list_does_not_pass_for_one_without_the_password() {
    let rest = &PASSWORD[RANGE..];
    let page = "<html>Please log in to this hotel</html>";
    let list = format!("{rest}:1\n");
    let number = format!("{rest}:many");
    let long = list.repeat(lines::LONGEST / list.len() + 1);
    for text in [page, &list[..20], &number, &list.replace(':', ";"), &long] {
        assert_eq!(lines::count(text.as_bytes(), rest), Err(Error::NotAList));
    }
}

#[tokio::test]
async fn a_file_and_a_directory_give_the_same_answer() {
    let here = tempfile::tempdir().expect("a directory");
    let (password, other) = (secret("password"), secret("a better password"));
    let file = here.path().join("hashes");
    std::fs::write(&file, format!("{PASSWORD}:42\r\n")).expect("a file");
    let directory = here.path().join("ranges");
    std::fs::create_dir(&directory).expect("a directory");
    let range = format!("{}:42\r\n", &PASSWORD[RANGE..]);
    let other_range = Hash::of(&other).range().to_lowercase();
    std::fs::write(directory.join("5BAA6.txt"), range).expect("a file");
    std::fs::write(directory.join(other_range), "").expect("a file");
    for path in [&file, &directory] {
        let breaches = Breaches::new(Some(path), None).expect("a list");
        assert_eq!(breaches.count(&password).await, Ok(42));
        assert_eq!(breaches.count(&other).await, Ok(0));
    }
}

#[tokio::test]
async fn a_range_without_a_file_is_no_answer() {
    let here = tempfile::tempdir().expect("a directory");
    let breaches = Breaches::new(Some(here.path()), None).expect("a list");
    let answer = breaches.count(&secret("password")).await;
    let error = answer.expect_err("nothing is there").to_string();
    assert!(!error.to_uppercase().contains("5BAA6"), "{error}");
}

#[tokio::test]
async fn without_a_list_there_is_no_answer() {
    let nowhere = Breaches::default().count(&secret("password")).await;
    assert_eq!(nowhere, Err(Error::NoList));
    let missing = std::path::Path::new("/nowhere/at/all");
    assert!(Breaches::new(Some(missing), None).is_err());
}

#[tokio::test]
async fn a_server_that_cannot_be_reached_is_named_without_digits_of_the_hash() {
    // A port that nobody listens on any more.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let url = format!("http://{address}/range/");
    let breaches = Breaches::new(None, Some(&url)).expect("a list");
    let error = breaches.count(&secret("password")).await;
    let error = error.expect_err("nobody is there").to_string();
    assert!(error.contains("could not be asked"), "{error}");
    assert!(!error.to_uppercase().contains("5BAA6"), "{error}");
}
