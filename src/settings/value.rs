//! The forms that values have in files and variables: durations, sizes, networks, choices.
//!
//! Each function takes a text and returns the value, or what would have been right.

use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4};
use std::time::Duration;

use ipnet::IpNet;
use jiff::{Span, SpanRelativeTo};

/// Where the server listens unless told otherwise: this machine only.
pub(super) const DEFAULT_LISTEN: SocketAddr =
    SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::LOCALHOST, 9000));

/// A value as it was found, before anybody knows what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Given {
    /// A text, number or truth value.
    Text(String),
    /// A list of them.
    List(Vec<String>),
}

/// What a parser returns: the value or the complaint.
pub(super) type Parsed<T> = Result<T, String>;

/// An address with a port.
pub(super) fn address(text: &str) -> Parsed<SocketAddr> {
    text.parse().map_err(|_| {
        format!("{text:?} is no address with a port, such as \"127.0.0.1:9000\" or \"[::]:9000\"")
    })
}

/// A whole number of at least one.
pub(super) fn count(text: &str) -> Parsed<usize> {
    match text.replace('_', "").parse() {
        Ok(0) | Err(_) => Err(format!("{text:?} is no whole number of 1 or more")),
        Ok(number) => Ok(number),
    }
}

/// The same, where it is never large.
pub(super) fn small_count(text: &str) -> Parsed<u32> {
    u32::try_from(count(text)?).map_err(|_| format!("{text:?} is too large"))
}

/// `true` or `false`.
pub(super) fn truth(text: &str) -> Parsed<bool> {
    text.parse()
        .map_err(|_| format!("{text:?} is neither \"true\" nor \"false\""))
}

/// A number of bytes, such as `16 MiB`.
pub(super) fn size(text: &str) -> Parsed<u64> {
    let digits = text.trim_end_matches(|letter: char| !letter.is_ascii_digit());
    let factor = match text[digits.len()..].trim() {
        "" | "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => 0,
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .filter(|bytes| *bytes > 0)
        .ok_or_else(|| format!("{text:?} is no size, such as \"16 MiB\" (B, KiB, MiB, GiB)"))
}

/// How [`size`] would be written.
pub(super) fn show_size(bytes: u64) -> String {
    let units = [(30, "GiB"), (20, "MiB"), (10, "KiB")];
    units
        .into_iter()
        .find(|(shift, _)| bytes > 0 && bytes.trailing_zeros() >= *shift)
        .map_or_else(
            || format!("{bytes} B"),
            |(shift, unit)| format!("{} {unit}", bytes >> shift),
        )
}

/// A duration such as `30 seconds`, `1 day` or `2h 30m`; authentik's `days=1;hours=2` as well.
pub(super) fn duration(text: &str) -> Parsed<Duration> {
    let complaint = || {
        format!(
            "{text:?} is no duration, such as \"30 seconds\", \"2h 30m\" or \"365 days\" \
             (up to weeks; months and years have no fixed length)"
        )
    };
    let span: Span = if text.contains('=') {
        let friendly: Vec<String> = text
            .split(';')
            .filter(|part| !part.trim().is_empty())
            .map(|part| {
                let (unit, number) = part.split_once('=').ok_or_else(complaint)?;
                Ok(format!("{} {}", number.trim(), unit.trim()))
            })
            .collect::<Parsed<_>>()?;
        friendly.join(" ").parse().map_err(|_| complaint())?
    } else {
        text.parse().map_err(|_| complaint())?
    };
    span.to_duration(SpanRelativeTo::days_are_24_hours())
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero())
        .ok_or_else(complaint)
}

/// The same, where a number alone counts seconds.
pub(super) fn duration_or_seconds(text: &str) -> Parsed<Duration> {
    match text.parse() {
        Ok(seconds @ 1..) => Ok(Duration::from_secs(seconds)),
        _ => duration(text),
    }
}

/// A duration, or nothing for `forever`.
pub(super) fn retention(text: &str) -> Parsed<Option<Duration>> {
    if text == "forever" {
        return Ok(None);
    }
    duration(text)
        .map(Some)
        .map_err(|complaint| format!("{complaint}, or \"forever\""))
}

/// How [`duration`] would be written.
pub(super) fn show_duration(duration: Duration) -> String {
    let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
    let seconds = duration.as_secs();
    if duration.subsec_nanos() > 0 {
        return format!("{} milliseconds", duration.as_millis());
    }
    let (number, unit) = units
        .into_iter()
        .find(|(length, _)| seconds.is_multiple_of(*length))
        .map_or((seconds, "second"), |(length, unit)| {
            (seconds / length, unit)
        });
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {unit}{plural}")
}

/// A network in CIDR form, one address, or a word for a well-known group of networks.
pub(super) fn networks(text: &str) -> Parsed<Vec<IpNet>> {
    let group: &[&str] = match text {
        "loopback" => &["127.0.0.0/8", "::1/128"],
        "private" => &[
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "fc00::/7",
            "fe80::/10",
        ],
        _ => &[],
    };
    if !group.is_empty() {
        return Ok(group
            .iter()
            .map(|network| network.parse().expect("the networks above are well formed"))
            .collect());
    }
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<std::net::IpAddr>().map(IpNet::from))
        .map(|network| vec![network.trunc()])
        .map_err(|_| {
            format!("{text:?} is no network, such as \"10.0.0.0/8\", \"loopback\" or \"private\"")
        })
}
