//! Connections are counted while they are open, and those that do nothing are ended.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};

use super::*;

fn connections(most: usize, each: usize, trusted: &[&str]) -> Arc<Connections> {
    let limits = Limits {
        most,
        each,
        trusted: trusted
            .iter()
            .map(|it| it.parse().expect("a net"))
            .collect(),
        idle: Duration::from_millis(1),
    };
    Arc::new(Connections::new(
        limits,
        Clock::system(),
        Metrics::default(),
    ))
}

/// Both ends of a connection on this machine.
fn pair(listener: &TcpListener) -> (TcpStream, Line) {
    let far = TcpStream::connect(listener.local_addr().expect("an address")).expect("it connects");
    let (near, _) = listener.accept().expect("a connection");
    (far, Line::from(near))
}

#[test]
fn one_address_has_so_many_and_all_have_so_many() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let connections = connections(3, 2, &[]);
    let ends: Vec<_> = (0..4).map(|_| pair(&listener)).collect();
    let first = connections.admit(&ends[0].1).expect("there is room");
    let _second = connections.admit(&ends[1].1).expect("there is room");
    assert!(connections.admit(&ends[2].1).is_none());
    drop(first);
    assert!(connections.admit(&ends[3].1).is_some());
    assert_eq!(connections.metrics.web().connections.get(), 1);
}

#[test]
fn a_proxy_brings_as_many_as_there_may_be() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let connections = connections(3, 1, &["127.0.0.0/8"]);
    let ends: Vec<_> = (0..4).map(|_| pair(&listener)).collect();
    let held: Vec<_> = ends[..3]
        .iter()
        .map(|it| connections.admit(&it.1))
        .collect();
    assert!(held.iter().all(Option::is_some));
    assert!(connections.admit(&ends[3].1).is_none());
}

#[test]
fn a_few_addresses_leave_room_for_another() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let connections = connections(16, 12, &["192.0.2.0/24"]);
    let (_far, line) = pair(&listener);
    let from = &|last: u8| connections.admit_from(IpAddr::from([127, 0, 0, last]), &line);
    let taken = |last: u8| std::iter::from_fn(move || from(last));
    let held: Vec<_> = (1..=4)
        .map(|last| taken(last).collect::<Vec<_>>())
        .collect();
    let counts: Vec<usize> = held.iter().map(Vec::len).collect();
    assert_eq!(counts, [8, 4, 2, 1]);
    assert!(from(5).is_some());
    // Behind a proxy are many, and it takes the last one.
    let proxy = || connections.admit_from(IpAddr::from([192, 0, 2, 1]), &line);
    let last = proxy();
    assert!(last.is_some() && proxy().is_none());
}

#[test]
fn only_whoever_does_nothing_is_ended() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let connections = connections(3, 3, &[]);
    let (mut idle, line) = pair(&listener);
    let _idle = connections.admit(&line).expect("there is room");
    let (served, line) = pair(&listener);
    let connection = connections.admit(&line).expect("there is room");
    let busy = connection.begins();
    std::thread::sleep(Duration::from_millis(5));
    connections.end_idle();
    assert_eq!(idle.read(&mut [0]).expect("the end"), 0);
    served.set_nonblocking(true).expect("it is set");
    let quiet = served.peek(&mut [0]).expect_err("it is open");
    assert_eq!(quiet.kind(), std::io::ErrorKind::WouldBlock);
    drop(busy);
}
