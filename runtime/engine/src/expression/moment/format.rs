//! `format(...)`: the tokens of moment.js.

use std::fmt::Write;

use jiff::Zoned;

use super::date::Moment;
use super::locale::Locale;
use super::units::{iso_week, week_of_year};

/// Longest first, so that `MMMM` is not read as `MM` twice.
const TOKENS: [&str; 73] = [
    "YYYYYY",
    "SSSSSSSSS",
    "SSSSSSSS",
    "SSSSSSS",
    "SSSSSS",
    "Hmmss",
    "hmmss",
    "YYYYY",
    "SSSSS",
    "YYYY",
    "MMMM",
    "dddd",
    "DDDD",
    "DDDo",
    "GGGG",
    "gggg",
    "LLLL",
    "llll",
    "SSSS",
    "Hmm",
    "hmm",
    "MMM",
    "DDD",
    "ddd",
    "LTS",
    "LLL",
    "lll",
    "SSS",
    "YY",
    "MM",
    "Mo",
    "DD",
    "Do",
    "dd",
    "do",
    "GG",
    "gg",
    "HH",
    "hh",
    "kk",
    "mm",
    "ss",
    "SS",
    "ZZ",
    "WW",
    "Wo",
    "ww",
    "wo",
    "Qo",
    "LT",
    "LL",
    "ll",
    "zz",
    "M",
    "D",
    "d",
    "e",
    "E",
    "H",
    "h",
    "k",
    "m",
    "s",
    "S",
    "A",
    "a",
    "Z",
    "z",
    "X",
    "x",
    "Q",
    "W",
    "w",
];

/// The moment in a format; ISO 8601 with an offset when that is empty.
pub(super) fn format(moment: &Moment, format: &str) -> String {
    let Some(at) = &moment.at else { return "Invalid date".to_owned() };
    let format = match format {
        "" if at.time_zone() == &jiff::tz::TimeZone::UTC => "YYYY-MM-DDTHH:mm:ss[Z]",
        "" => "YYYY-MM-DDTHH:mm:ssZ",
        format => format,
    };
    let format = expanded(moment.locale, format);
    let mut out = String::new();
    write_tokens(&mut out, at, moment.locale, &format);
    moment.locale.in_digits(out)
}

/// Tokens of whole dates replaced by what they stand for.
fn expanded(locale: &Locale, format: &str) -> String {
    let mut out = String::new();
    let mut rest = format;
    while let Some(first) = rest.chars().next() {
        if let Some(end) = rest.strip_prefix('[').and_then(|inner| inner.find(']')) {
            out.push_str(&rest[..end + 2]);
            rest = &rest[end + 2..];
            continue;
        }
        let token = ["LTS", "LT", "LLLL", "LLL", "LL", "L", "llll", "lll", "ll", "l"];
        match token.iter().find(|token| rest.starts_with(**token)) {
            Some(token) => {
                out.push_str(locale.formats.get(*token).map_or("", String::as_str));
                rest = &rest[token.len()..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

/// True where a month's name follows a day's number.
fn after_day(before: &str) -> bool {
    let trimmed = before.trim_end();
    let day = trimmed.ends_with('D') || trimmed.ends_with("Do") || trimmed.ends_with(']') && before.contains('D');
    day && trimmed.len() < before.len() || trimmed.ends_with("D.") && trimmed.len() < before.len()
}

fn write_tokens(out: &mut String, at: &Zoned, locale: &Locale, format: &str) {
    let mut from = 0;
    while let Some(first) = format[from..].chars().next() {
        let rest = &format[from..];
        if let Some((quoted, _)) = rest.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            out.push_str(quoted);
            from += quoted.len() + 2;
        } else if let Some(token) = TOKENS.iter().find(|token| rest.starts_with(**token)) {
            let months = if after_day(&format[..from]) && !locale.months_of.is_empty() {
                &locale.months_of
            } else {
                &locale.months
            };
            push_token(out, at, locale, months, token);
            from += token.len();
        } else {
            out.push(first);
            from += first.len_utf8();
        }
    }
}

fn ordinal(locale: &Locale, number: i32) -> String {
    let known = usize::try_from(number - 1).ok().and_then(|at| locale.ordinals.get(at));
    known.cloned().unwrap_or_else(|| match (number % 10, number % 100) {
        _ if locale.locale != "en" => format!("{number}."),
        (_, 11..=13) => format!("{number}th"),
        (1, _) => format!("{number}st"),
        (2, _) => format!("{number}nd"),
        (3, _) => format!("{number}rd"),
        _ => format!("{number}th"),
    })
}

fn push_token(out: &mut String, at: &Zoned, locale: &Locale, months: &[String], token: &str) {
    let (month, day) = (at.month() as usize - 1, at.weekday().to_sunday_zero_offset() as usize);
    let hour = i32::from(at.hour());
    let twelve = if hour % 12 == 0 { 12 } else { hour % 12 };
    let twenty_four = if hour == 0 { 24 } else { hour };
    let (year, minute, second) = (i32::from(at.year()), at.minute(), at.second());
    let offset = at.offset().seconds() / 60;
    let (sign, hours, minutes) = (if offset < 0 { '-' } else { '+' }, offset.abs() / 60, offset.abs() % 60);
    let quarter = month / 3 + 1;
    let fraction = format!("{:09}", at.subsec_nanosecond() / 1_000_000 * 1_000_000);
    let (iso_year, iso) = iso_week(at);
    let (week_year, week) = week_of_year(at, locale);
    let written = match token {
        "YYYYYY" => write!(out, "{}{:06}", if year < 0 { '-' } else { '+' }, year.abs()),
        "YYYYY" => write!(out, "{year:05}"),
        "YYYY" => write!(out, "{year:04}"),
        "YY" => write!(out, "{:02}", year.rem_euclid(100)),
        "GGGG" => write!(out, "{iso_year:04}"),
        "GG" => write!(out, "{:02}", iso_year.rem_euclid(100)),
        "gggg" => write!(out, "{week_year:04}"),
        "gg" => write!(out, "{:02}", week_year.rem_euclid(100)),
        "Q" => write!(out, "{quarter}"),
        "Qo" => write!(out, "{}", ordinal(locale, quarter as i32)),
        "MMMM" => write!(out, "{}", months[month]),
        "MMM" => write!(out, "{}", locale.months_short[month]),
        "MM" => write!(out, "{:02}", month + 1),
        "Mo" => write!(out, "{}", ordinal(locale, month as i32 + 1)),
        "M" => write!(out, "{}", month + 1),
        "DDDD" => write!(out, "{:03}", at.day_of_year()),
        "DDDo" => write!(out, "{}", ordinal(locale, i32::from(at.day_of_year()))),
        "DDD" => write!(out, "{}", at.day_of_year()),
        "DD" => write!(out, "{:02}", at.day()),
        "Do" => write!(out, "{}", ordinal(locale, i32::from(at.day()))),
        "D" => write!(out, "{}", at.day()),
        "dddd" => write!(out, "{}", locale.days[day]),
        "ddd" => write!(out, "{}", locale.days_short[day]),
        "dd" => write!(out, "{}", locale.days_min[day]),
        "do" => write!(out, "{}", ordinal(locale, day as i32)),
        "d" => write!(out, "{day}"),
        "e" => write!(out, "{}", (day as i32 + 7 - locale.week.0) % 7),
        "E" => write!(out, "{}", at.weekday().to_monday_one_offset()),
        "WW" => write!(out, "{iso:02}"),
        "W" => write!(out, "{iso}"),
        "w" => write!(out, "{week}"),
        "Wo" => write!(out, "{}", ordinal(locale, iso)),
        "ww" => write!(out, "{week:02}"),
        "wo" => write!(out, "{}", ordinal(locale, week)),
        "HH" => write!(out, "{hour:02}"),
        "H" => write!(out, "{hour}"),
        "hh" => write!(out, "{twelve:02}"),
        "h" => write!(out, "{twelve}"),
        "kk" => write!(out, "{twenty_four:02}"),
        "k" => write!(out, "{twenty_four}"),
        "Hmm" => write!(out, "{hour}{minute:02}"),
        "hmm" => write!(out, "{twelve}{minute:02}"),
        "Hmmss" => write!(out, "{hour}{minute:02}{second:02}"),
        "hmmss" => write!(out, "{twelve}{minute:02}{second:02}"),
        "mm" => write!(out, "{minute:02}"),
        "m" => write!(out, "{minute}"),
        "ss" => write!(out, "{second:02}"),
        "s" => write!(out, "{second}"),
        "A" => write!(out, "{}", locale.meridiem.0[hour as usize]),
        "a" => write!(out, "{}", locale.meridiem.1[hour as usize]),
        "Z" => write!(out, "{sign}{hours:02}:{minutes:02}"),
        "ZZ" => write!(out, "{sign}{hours:02}{minutes:02}"),
        "z" | "zz" => write!(out, "{}", abbreviation(at)),
        "X" => write!(out, "{}", at.timestamp().as_second()),
        "x" => write!(out, "{}", at.timestamp().as_millisecond()),
        fractions => write!(out, "{}", &fraction[..fractions.len()]),
    };
    written.expect("writing to a string cannot fail");
}

/// The zone's short name; a moment in the process's own zone has none.
fn abbreviation(at: &Zoned) -> String {
    if at.time_zone() == &jiff::tz::TimeZone::system() && at.time_zone() != &jiff::tz::TimeZone::UTC {
        return String::new();
    }
    at.time_zone().to_offset_info(at.timestamp()).abbreviation().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, locale: &str) -> Moment {
        Moment { at: text.parse().ok(), locale: Locale::find(locale).unwrap() }
    }

    #[test]
    fn tokens_give_what_moment_gives() {
        let cases = [
            ("en", "YYYY-MM-DD HH:mm:ss.SSS Z", "2024-02-03 15:04:05.678 +01:00"),
            ("en", "dddd, MMMM Do YYYY, h:mm:ss a", "Saturday, February 3rd 2024, 3:04:05 pm"),
            ("en", "[at] H[h] x", "at 15h 1706969045678"),
            ("en", "LLL", "February 3, 2024 3:04 PM"),
            ("en", "", "2024-02-03T15:04:05+01:00"),
            ("en", "w W gggg z", "5 5 2024 CET"),
            ("de", "LLLL", "Samstag, 3. Februar 2024 15:04"),
            ("fr", "dddd D MMMM YYYY", "samedi 3 février 2024"),
            ("ru", "D MMMM YYYY / MMMM", "3 февраля 2024 / февраль"),
            ("sv", "L LT", "2024-02-03 15:04"),
        ];
        for (locale, format, expected) in cases {
            let moment = at("2024-02-03T15:04:05.678+01:00[Europe/Berlin]", locale);
            assert_eq!(super::format(&moment, format), expected, "{locale} {format}");
        }
    }
}
