//! Days and moments as people and browsers write them.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::{Offset, TimeZone};

/// A day: four digits, two, two; of month and day one will do.
pub(super) fn date(text: &str) -> Option<Date> {
    let mut parts = text.split('-');
    let mut part = |least: usize, most: usize| {
        let part = parts.next()?;
        let fits = (least..=most).contains(&part.len());
        let digits = part.bytes().all(|it| it.is_ascii_digit());
        part.parse::<i16>().ok().filter(|_| fits && digits)
    };
    let (year, month, day) = (part(4, 4)?, part(1, 2)?, part(1, 2)?);
    if parts.next().is_some() || year == 0 {
        return None;
    }
    Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()
}

/// A moment: a day, or a day and a time of it, with or without an offset; without one it is UTC.
pub(super) fn moment(text: &str) -> Option<String> {
    // Only years of four digits, and nothing that other standards put behind a moment.
    let begins = text.len() >= 8 && text.as_bytes()[..4].iter().all(u8::is_ascii_digit);
    if !begins || text.contains('[') {
        return None;
    }
    let civil = || text.parse::<DateTime>().ok();
    let read = text.parse::<Timestamp>().ok();
    let read = read.or_else(|| Some(civil()?.to_zoned(TimeZone::UTC).ok()?.timestamp()));
    let read = read.or_else(|| {
        let midnight = date(text)?.to_datetime(jiff::civil::Time::midnight());
        Offset::UTC.to_timestamp(midnight).ok()
    });
    written(read?)
}

/// As Python writes it: microseconds, if there are any.
fn written(moment: Timestamp) -> Option<String> {
    let at = moment.to_zoned(TimeZone::UTC).datetime();
    if !(1..=9999).contains(&at.year()) {
        return None;
    }
    let micros = at.subsec_nanosecond() / 1_000;
    let fraction = if micros == 0 {
        String::new()
    } else {
        format!(".{micros:06}")
    };
    Some(format!("{}{fraction}Z", at.strftime("%Y-%m-%dT%H:%M:%S")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_a_day_of_the_calendar() {
        let shown = |text| date(text).map(|it| it.to_string());
        assert_eq!(shown("2024-02-29").as_deref(), Some("2024-02-29"));
        assert_eq!(shown("2024-2-9").as_deref(), Some("2024-02-09"));
        for text in [
            "2023-02-29",
            "24-01-01",
            "2024-01",
            "2024-01-01-01",
            "2024-01-01T10:00",
            "+024-01-01",
            "0000-01-01",
            "",
            "x",
        ] {
            assert_eq!(shown(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_is_kept_in_utc() {
        for (text, kept) in [
            ("2024-01-05", "2024-01-05T00:00:00Z"),
            ("2024-01-05T10:00", "2024-01-05T10:00:00Z"),
            ("2024-01-05 10:00:07", "2024-01-05T10:00:07Z"),
            ("2024-01-05T10:00:07.5+02:00", "2024-01-05T08:00:07.500000Z"),
            ("2024-01-05T10:00Z", "2024-01-05T10:00:00Z"),
            ("2024-01-05T10:00:00-0930", "2024-01-05T19:30:00Z"),
        ] {
            assert_eq!(moment(text).as_deref(), Some(kept), "{text}");
        }
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "now",
            "10:00",
            "2024-13-01T00:00",
            "2024-01-05T25:00",
            "-000001-01-01T00:00",
            "2024-01-05T10:00Z[Europe/Berlin]",
            "0001-01-01T00:00+14:00",
        ] {
            assert_eq!(moment(text), None, "{text}");
        }
    }
}
