//! `$moment(...)`: what a moment is made of.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use jsonata_core::value::JValue;

use super::date::Moment;
use super::locale::Locale;
use super::parse_format::parse_format;

/// `moment(...)`: now, milliseconds, an ISO 8601 text, a text with its format, `[year, month, ...]` or `{year: ...}`.
pub(super) fn parse(args: &[JValue], zone: TimeZone) -> Moment {
    let invalid = |zone| Moment::new(f64::NAN, zone);
    let locale = args.get(2).and_then(JValue::as_str).and_then(Locale::find).unwrap_or_else(Locale::english);
    match (args.first(), args.get(1)) {
        (None | Some(JValue::Undefined), _) => Moment::new(crate::now_ms(), zone),
        (Some(JValue::Number(ms)), _) => Moment::new(*ms, zone),
        (Some(JValue::String(text)), Some(JValue::String(format))) => {
            Moment { at: parse_format(text, format, locale, zone), locale }
        }
        (Some(JValue::String(text)), Some(JValue::Array(formats))) => {
            let mut formats = formats.iter().filter_map(JValue::as_str);
            Moment { at: formats.find_map(|format| parse_format(text, format, locale, zone.clone())), locale }
        }
        (Some(JValue::String(text)), _) => Moment { at: parse_text(text, zone), locale },
        (Some(JValue::Array(parts)), _) => {
            let part = |at: usize, or: f64| parts.get(at).and_then(JValue::as_f64).unwrap_or(or);
            let parts =
                [part(0, 1970.0), part(1, 0.0), part(2, 1.0), part(3, 0.0), part(4, 0.0), part(5, 0.0), part(6, 0.0)];
            Moment { at: from_parts(parts, zone), locale }
        }
        (Some(JValue::Object(map)), _) => {
            let part = |names: [&str; 3], or: f64| names.iter().find_map(|name| map.get(*name)?.as_f64()).unwrap_or(or);
            let parts = [
                part(["year", "years", "y"], 1970.0),
                part(["month", "months", "M"], 0.0),
                part(["date", "day", "days"], 1.0),
                part(["hour", "hours", "h"], 0.0),
                part(["minute", "minutes", "m"], 0.0),
                part(["second", "seconds", "s"], 0.0),
                part(["millisecond", "milliseconds", "ms"], 0.0),
            ];
            Moment { at: from_parts(parts, zone), locale }
        }
        _ => invalid(zone),
    }
}

/// Year, month from 0, day, hour, minute, second, millisecond.
pub(super) fn from_parts(parts: [f64; 7], zone: TimeZone) -> Option<Zoned> {
    let [year, month, day, hour, minute, second, ms] = parts;
    let date = jiff::civil::Date::new(year as i16, month as i8 + 1, day as i8).ok()?;
    date.at(hour as i8, minute as i8, second as i8, (ms * 1_000_000.0) as i32).to_zoned(zone).ok()
}

/// ISO 8601 and RFC 2822, as moment.js reads them.
pub(super) fn parse_text(text: &str, zone: TimeZone) -> Option<Zoned> {
    let text = text.trim();
    if let Some(ms) = text.strip_prefix("/Date(").and_then(|rest| rest.strip_suffix(")/")) {
        return Some(Timestamp::from_millisecond(ms.parse().ok()?).ok()?.to_zoned(zone));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some(at.to_zoned(zone));
    }
    if let Ok(at) = jiff::fmt::rfc2822::parse(text) {
        return Some(at.with_time_zone(zone));
    }
    if let Ok(at) = text.parse::<DateTime>() {
        return at.to_zoned(zone).ok();
    }
    const FORMATS: [&str; 9] = [
        "YYYY-MM-DDTHH:mm:ssZ",
        "YYYY-MM-DDTHH:mmZ",
        "YYYY-MM-DD HH:mm",
        "YYYY-MM-DDTHH",
        "YYYY-MM",
        "YYYY",
        "YYYYMMDDTHHmmss",
        "YYYYMMDDTHHmm",
        "YYYYMMDD",
    ];
    let exact = FORMATS.iter().filter(|format| format.trim_end_matches('Z').len() <= text.len());
    let mut found = exact.filter(|format| format.contains('Z') || format.len() == text.len());
    found.find_map(|format| parse_format(text, format, Locale::english(), zone.clone()))
}
