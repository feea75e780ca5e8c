//! Dates as texts: the format tokens of moment.js that flows use, in English.

use std::fmt::Write;

use chrono::{DateTime, Datelike, FixedOffset, Local, TimeZone, Timelike, Utc};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// Longest first, so that `MMMM` is not read as `MM` twice.
const TOKENS: [&str; 43] = [
    "YYYY", "MMMM", "dddd", "DDDD", "GGGG", "LLLL", "SSS", "MMM", "DDD", "ddd", "LTS", "LLL", "YY", "MM", "DD", "Do",
    "dd", "HH", "hh", "kk", "mm", "ss", "SS", "ZZ", "WW", "LT", "LL", "M", "D", "d", "H", "h", "k", "m", "s", "S", "A",
    "a", "Z", "X", "x", "Q", "L",
];

/// A date and its distance from UTC.
pub(super) type Moment = DateTime<FixedOffset>;

/// The moment in the process's time zone; `None` when it is out of range.
pub(super) fn local(ms: f64) -> Option<Moment> {
    let utc = Utc.timestamp_millis_opt(ms as i64).single().filter(|_| ms.is_finite())?;
    Some(utc.with_timezone(&Local).fixed_offset())
}

/// Milliseconds since the epoch in a format of moment.js, in local time; ISO 8601 with an offset when it is empty.
pub fn format_date(ms: f64, format: &str) -> String {
    local(ms).map_or_else(|| "Invalid date".to_owned(), |at| format_moment(&at, format))
}

pub(super) fn format_moment(at: &Moment, format: &str) -> String {
    let mut rest = if format.is_empty() { "YYYY-MM-DDTHH:mm:ssZ" } else { format };
    let mut out = String::new();
    while let Some(first) = rest.chars().next() {
        if let Some((quoted, after)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            out.push_str(quoted);
            rest = after;
        } else if let Some(token) = TOKENS.iter().find(|token| rest.starts_with(**token)) {
            push_token(&mut out, at, token);
            rest = &rest[token.len()..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

fn ordinal(number: u32) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
}

fn push_token(out: &mut String, at: &Moment, token: &str) {
    let (month, day) = (at.month0() as usize, at.weekday().num_days_from_sunday() as usize);
    let twelve = match at.hour() % 12 {
        0 => 12,
        hour => hour,
    };
    let twenty_four = if at.hour() == 0 { 24 } else { at.hour() };
    let half = if at.hour() < 12 { "AM" } else { "PM" };
    let ms = at.timestamp_subsec_millis() % 1000;
    let offset = at.offset().local_minus_utc() / 60;
    let (sign, hours, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60, offset.abs() % 60);
    let mut more = |format: &str| out.push_str(&format_moment(at, format));
    match token {
        "LT" => return more("h:mm A"),
        "LTS" => return more("h:mm:ss A"),
        "L" => return more("MM/DD/YYYY"),
        "LL" => return more("MMMM D, YYYY"),
        "LLL" => return more("MMMM D, YYYY h:mm A"),
        "LLLL" => return more("dddd, MMMM D, YYYY h:mm A"),
        _ => {}
    }
    let written = match token {
        "YYYY" => write!(out, "{:04}", at.year()),
        "YY" => write!(out, "{:02}", at.year().rem_euclid(100)),
        "GGGG" => write!(out, "{:04}", at.iso_week().year()),
        "Q" => write!(out, "{}", at.month0() / 3 + 1),
        "MMMM" => write!(out, "{}", MONTHS[month]),
        "MMM" => write!(out, "{}", &MONTHS[month][..3]),
        "MM" => write!(out, "{:02}", at.month()),
        "M" => write!(out, "{}", at.month()),
        "DDDD" => write!(out, "{:03}", at.ordinal()),
        "DDD" => write!(out, "{}", at.ordinal()),
        "DD" => write!(out, "{:02}", at.day()),
        "Do" => write!(out, "{}", ordinal(at.day())),
        "D" => write!(out, "{}", at.day()),
        "dddd" => write!(out, "{}", DAYS[day]),
        "ddd" => write!(out, "{}", &DAYS[day][..3]),
        "dd" => write!(out, "{}", &DAYS[day][..2]),
        "d" => write!(out, "{day}"),
        "WW" => write!(out, "{:02}", at.iso_week().week()),
        "HH" => write!(out, "{:02}", at.hour()),
        "H" => write!(out, "{}", at.hour()),
        "hh" => write!(out, "{twelve:02}"),
        "h" => write!(out, "{twelve}"),
        "kk" => write!(out, "{twenty_four:02}"),
        "k" => write!(out, "{twenty_four}"),
        "mm" => write!(out, "{:02}", at.minute()),
        "m" => write!(out, "{}", at.minute()),
        "ss" => write!(out, "{:02}", at.second()),
        "s" => write!(out, "{}", at.second()),
        "SSS" => write!(out, "{ms:03}"),
        "SS" => write!(out, "{:02}", ms / 10),
        "S" => write!(out, "{}", ms / 100),
        "A" => write!(out, "{half}"),
        "a" => write!(out, "{}", half.to_lowercase()),
        "Z" => write!(out, "{sign}{hours:02}:{minutes:02}"),
        "ZZ" => write!(out, "{sign}{hours:02}{minutes:02}"),
        "X" => write!(out, "{}", at.timestamp()),
        _ => write!(out, "{}", at.timestamp_millis()),
    };
    written.expect("writing to a string cannot fail");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_give_what_moment_gives() {
        let at = DateTime::parse_from_rfc3339("2024-02-03T15:04:05.678+02:00").unwrap();
        let cases = [
            ("YYYY-MM-DD HH:mm:ss.SSS Z", "2024-02-03 15:04:05.678 +02:00"),
            ("dddd, MMMM Do YYYY, h:mm:ss a", "Saturday, February 3rd 2024, 3:04:05 pm"),
            ("[at] H[h] x", "at 15h 1706965445678"),
            ("LLL", "February 3, 2024 3:04 PM"),
            ("", "2024-02-03T15:04:05+02:00"),
        ];
        for (format, expected) in cases {
            assert_eq!(format_moment(&at, format), expected, "{format}");
        }
    }
}
