//! `$moment(text, format)`.

use jiff::tz::{Offset, TimeZone};
use jiff::{Timestamp, Zoned};

use super::locale::Locale;

/// What has been read so far.
struct Read<'t> {
    rest: &'t str,
    year: Option<f64>,
    month: Option<f64>,
    day: Option<f64>,
    time: [f64; 4],
    afternoon: Option<bool>,
    offset: Option<i32>,
    stamp: Option<f64>,
}

impl Read<'_> {
    /// A number of at most `digits` digits.
    fn number(&mut self, digits: usize) -> Option<f64> {
        let length = self.rest.bytes().take(digits).take_while(u8::is_ascii_digit).count();
        let number = self.rest[..length].parse().ok()?;
        self.rest = &self.rest[length..];
        Some(number)
    }

    fn name(&mut self, names: &[String]) -> Option<usize> {
        let lower = self.rest.to_lowercase();
        let found = names.iter().enumerate().filter(|(_, name)| lower.starts_with(&name.to_lowercase()));
        let (at, name) = found.max_by_key(|(_, name)| name.len())?;
        self.rest = self.rest.get(name.len()..)?;
        Some(at)
    }

    fn offset(&mut self) -> Option<i32> {
        if let Some(rest) = self.rest.strip_prefix(['Z', 'z']) {
            self.rest = rest;
            return Some(0);
        }
        let sign = if self.rest.starts_with('-') { -1 } else { 1 };
        self.rest = self.rest.strip_prefix(['+', '-'])?;
        let hours = self.number(2)?;
        self.rest = self.rest.strip_prefix(':').unwrap_or(self.rest);
        let minutes = self.number(2).unwrap_or(0.0);
        Some(sign * (hours * 60.0 + minutes) as i32)
    }
}

const TOKENS: [&str; 30] = [
    "YYYY", "MMMM", "dddd", "DDDD", "SSS", "MMM", "ddd", "YY", "MM", "Do", "DD", "dd", "HH", "hh", "kk", "mm", "ss",
    "SS", "ZZ", "M", "D", "H", "h", "k", "m", "s", "S", "A", "a", "Z",
];

/// Reads a text by a format, leniently as moment.js does: what is between the parts does not matter.
pub(super) fn parse_format(text: &str, format: &str, locale: &Locale, zone: TimeZone) -> Option<Zoned> {
    let mut read = Read {
        rest: text,
        year: None,
        month: None,
        day: None,
        time: [0.0; 4],
        afternoon: None,
        offset: None,
        stamp: None,
    };
    let mut pattern = format;
    while let Some(first) = pattern.chars().next() {
        if let Some((quoted, rest)) = pattern.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            read.rest = read.rest.strip_prefix(quoted).unwrap_or(read.rest);
            pattern = rest;
            continue;
        }
        if let Some(rest) = pattern.strip_prefix('X').or_else(|| pattern.strip_prefix('x')) {
            let number = read.number(16)?;
            read.stamp = Some(if first == 'X' { number * 1000.0 } else { number });
            pattern = rest;
            continue;
        }
        let Some(token) = TOKENS.iter().find(|token| pattern.starts_with(**token)) else {
            read.rest = read.rest.strip_prefix(first).unwrap_or(read.rest);
            pattern = &pattern[first.len_utf8()..];
            continue;
        };
        pattern = &pattern[token.len()..];
        if read.rest.is_empty() {
            break;
        }
        if !matches!(*token, "A" | "a" | "Z" | "ZZ" | "MMM" | "MMMM") && !token.starts_with("dd") {
            read.rest = read.rest.trim_start_matches(|c: char| !c.is_ascii_digit());
        }
        read_token(&mut read, token, locale)?;
    }
    finish(&read, zone)
}

fn read_token(read: &mut Read<'_>, token: &str, locale: &Locale) -> Option<()> {
    match token {
        "YYYY" => read.year = Some(read.number(4)?),
        "YY" => {
            let year = read.number(2)?;
            read.year = Some(if year > 68.0 { 1900.0 + year } else { 2000.0 + year });
        }
        "MMMM" | "MMM" => {
            let month = read.name(&locale.months).or_else(|| read.name(&locale.months_short));
            let month = month.or_else(|| read.name(&locale.months_of));
            read.month = Some(month? as f64);
        }
        "MM" | "M" => read.month = Some(read.number(2)? - 1.0),
        "dddd" | "ddd" | "dd" => {
            let found = read.name(&locale.days).or_else(|| read.name(&locale.days_short));
            found.or_else(|| read.name(&locale.days_min))?;
        }
        "DDDD" => {
            read.month = Some(0.0);
            read.day = Some(read.number(3)?);
        }
        "DD" | "D" => read.day = Some(read.number(2)?),
        "Do" => {
            read.day = Some(read.number(2)?);
            read.rest = read.rest.trim_start_matches(char::is_alphabetic);
        }
        "HH" | "H" | "hh" | "h" | "kk" | "k" => read.time[0] = read.number(2)?,
        "mm" | "m" => read.time[1] = read.number(2)?,
        "ss" | "s" => read.time[2] = read.number(2)?,
        "SSS" | "SS" | "S" => {
            let before = read.rest.len();
            let number = read.number(9)?;
            read.time[3] = (number / 10_f64.powi((before - read.rest.len()) as i32) * 1000.0).floor();
        }
        "A" | "a" => {
            let lower = read.rest.to_lowercase();
            read.afternoon = Some(lower.starts_with('p'));
            let length = if lower.starts_with("am") || lower.starts_with("pm") { 2 } else { 1 };
            read.rest = read.rest.get(length..).unwrap_or_default();
        }
        _ => read.offset = read.offset(),
    }
    Some(())
}

fn finish(read: &Read<'_>, zone: TimeZone) -> Option<Zoned> {
    if let Some(stamp) = read.stamp {
        return Some(Timestamp::from_millisecond(stamp as i64).ok()?.to_zoned(zone));
    }
    let today = Timestamp::from_millisecond(crate::now_ms() as i64).ok()?.to_zoned(zone.clone());
    // What stands before the first part that is given is today's.
    let year = read.year.unwrap_or_else(|| f64::from(today.year()));
    let month = read.month.unwrap_or_else(|| if read.year.is_some() { 0.0 } else { f64::from(today.month()) - 1.0 });
    let given = read.year.is_some() || read.month.is_some();
    let day = read.day.unwrap_or_else(|| if given { 1.0 } else { f64::from(today.day()) });
    let mut hour = read.time[0] as i8;
    match read.afternoon {
        Some(true) if hour < 12 => hour += 12,
        Some(false) if hour == 12 => hour = 0,
        _ => {}
    }
    let date = jiff::civil::Date::new(year as i16, month as i8 + 1, day as i8).ok()?;
    let nanos = (read.time[3] * 1_000_000.0) as i32;
    let (hour, tomorrow) = if hour == 24 { (0, 1) } else { (hour, 0) };
    let date = date.checked_add(jiff::Span::new().days(tomorrow)).ok()?;
    let at = date
        .at(0, 0, 0, 0)
        .date()
        .to_datetime(jiff::civil::Time::new(hour, read.time[1] as i8, read.time[2] as i8, nanos).ok()?);
    match read.offset {
        Some(minutes) => {
            let fixed = TimeZone::fixed(Offset::from_seconds(minutes * 60).ok()?);
            Some(at.to_zoned(fixed).ok()?.with_time_zone(zone))
        }
        None => at.to_zoned(zone).ok(),
    }
}
