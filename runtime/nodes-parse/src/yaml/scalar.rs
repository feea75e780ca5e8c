//! What a plain scalar means: js-yaml's default schema, which is YAML 1.2's core with dates and `_` in numbers.

use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{GeneralPurposeConfig, STANDARD};

use flotilla_value::{Str, TypedArray, Value};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(base64::engine::DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Why a tagged scalar has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TagError {
    /// The tag is not known.
    Unknown,
    /// The text is no value of the tag's type.
    Unfit,
}

/// The value of a plain scalar without a tag; `None` when it is a string.
pub(super) fn implicit(text: &str) -> Option<Value> {
    if text.is_empty() {
        return Some(Value::Null);
    }
    ["null", "bool", "int", "float", "timestamp"].into_iter().find_map(|tag| tagged(tag, text).ok())
}

/// The value of a scalar with a tag of the core schema.
pub(super) fn tagged(tag: &str, text: &str) -> Result<Value, TagError> {
    let value = match tag {
        "str" => Some(Value::String(Str::new(text))),
        "null" => matches!(text, "" | "~" | "null" | "Null" | "NULL").then_some(Value::Null),
        "bool" => match text {
            "true" | "True" | "TRUE" => Some(Value::Bool(true)),
            "false" | "False" | "FALSE" => Some(Value::Bool(false)),
            _ => None,
        },
        "int" => int(text).map(Value::Number),
        "float" => float(text).map(Value::Number),
        "timestamp" => timestamp(text).map(Value::Date),
        "binary" => {
            let digits: String = text.chars().filter(|c| !matches!(c, '\r' | '\n' | ' ')).collect();
            let bytes = LENIENT.decode(digits).ok();
            bytes.map(|bytes| {
                Value::Typed(TypedArray { kind: Str::new_static("Uint8Array"), bytes: bytes.into() }.into())
            })
        }
        _ => return Err(TagError::Unknown),
    };
    value.ok_or(TagError::Unfit)
}

/// A buffer as the text of a `!!binary` scalar.
pub(super) fn binary_text(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn int(text: &str) -> Option<f64> {
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (radix, digits) = match bare.get(..2) {
        Some("0b") => (2, &bare[2..]),
        Some("0x") => (16, &bare[2..]),
        Some("0o") => (8, &bare[2..]),
        _ if bare.starts_with('_') => return None,
        _ => (10, bare),
    };
    if digits.ends_with('_') || digits.chars().all(|c| c == '_') {
        return None;
    }
    let mut value = 0.0;
    for c in digits.chars().filter(|c| *c != '_') {
        value = value * f64::from(radix) + f64::from(c.to_digit(radix)?);
    }
    if radix == 10 && value > 9e15 {
        // Summing digits rounds at each step; the parser rounds once.
        value = digits.replace('_', "").parse().ok()?;
    }
    Some(if text.starts_with('-') { -value } else { value })
}

fn float(text: &str) -> Option<f64> {
    let bare = text.strip_prefix(['-', '+']).unwrap_or(text);
    let sign = if text.starts_with('-') { -1.0 } else { 1.0 };
    match bare {
        ".inf" | ".Inf" | ".INF" => return Some(sign * f64::INFINITY),
        ".nan" | ".NaN" | ".NAN" if bare.len() == text.len() => return Some(f64::NAN),
        _ => {}
    }
    if text.ends_with('_') {
        return None;
    }
    let (mantissa, exponent) = match bare.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (bare, None),
    };
    let whole_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let starts = whole.starts_with(|c: char| c.is_ascii_digit());
    let point_first = whole.is_empty() && bare.len() == text.len() && !fraction.is_empty();
    if !(starts || point_first) || !digits(whole) || !digits(fraction) {
        return None;
    }
    if let Some(exponent) = exponent
        && !whole_number(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
    {
        return None;
    }
    bare.replace('_', "").parse::<f64>().ok().map(|number| sign * number)
}

/// Reads fixed forms from the front of a text.
struct Scan<'a>(&'a str);

impl Scan<'_> {
    fn digits(&mut self, least: usize, most: usize) -> Option<f64> {
        let count = self.0.bytes().take(most).take_while(u8::is_ascii_digit).count();
        if count < least {
            return None;
        }
        let (digits, rest) = self.0.split_at(count);
        self.0 = rest;
        digits.parse().ok()
    }

    fn one_of(&mut self, chars: &[char]) -> Option<char> {
        let found = self.0.chars().next().filter(|c| chars.contains(c))?;
        self.0 = &self.0[found.len_utf8()..];
        Some(found)
    }
}

/// Milliseconds since the epoch, as js-yaml reads dates: a day, or a day with a time and perhaps a zone.
fn timestamp(text: &str) -> Option<f64> {
    let mut scan = Scan(text);
    let year = scan.digits(4, 4)?;
    scan.one_of(&['-'])?;
    let month = scan.digits(1, 2)?;
    scan.one_of(&['-'])?;
    let day = scan.digits(1, 2)?;
    if scan.0.is_empty() {
        return (text.len() == 10).then(|| utc(year, month, day, 0.0));
    }
    if scan.one_of(&['T', 't']).is_none() {
        scan.one_of(&[' ', '\t'])?;
        scan.0 = scan.0.trim_start_matches([' ', '\t']);
    }
    let hour = scan.digits(1, 2)?;
    scan.one_of(&[':'])?;
    let minute = scan.digits(2, 2)?;
    scan.one_of(&[':'])?;
    let second = scan.digits(2, 2)?;
    let mut millis = 0.0;
    if scan.one_of(&['.']).is_some() {
        let end = scan.0.find(|c: char| !c.is_ascii_digit()).unwrap_or(scan.0.len());
        millis = format!("{:0<3}", &scan.0[..end.min(3)]).parse().ok()?;
        scan.0 = &scan.0[end..];
    }
    scan.0 = scan.0.trim_start_matches([' ', '\t']);
    let mut offset = 0.0;
    if scan.one_of(&['Z']).is_none()
        && let Some(sign) = scan.one_of(&['+', '-'])
    {
        let hours = scan.digits(1, 2)?;
        let minutes = if scan.one_of(&[':']).is_some() { scan.digits(2, 2)? } else { 0.0 };
        offset = (hours * 60.0 + minutes) * 60_000.0 * if sign == '-' { -1.0 } else { 1.0 };
    }
    let time = ((hour * 60.0 + minute) * 60.0 + second) * 1000.0 + millis;
    scan.0.is_empty().then(|| utc(year, month, day, time) - offset)
}

/// `Date.UTC`: months and days past their ends run on; years below 100 are of the twentieth century.
fn utc(year: f64, month: f64, day: f64, time: f64) -> f64 {
    let year = if year < 100.0 { year + 1900.0 } else { year };
    let (year, month) = (year as i64 + (month as i64 - 1).div_euclid(12), (month as i64 - 1).rem_euclid(12) + 1);
    // Civil date to days: Howard Hinnant's algorithm, eras of 400 years.
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let year_of_era = shifted.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    (days as f64 + day - 1.0) * 86_400_000.0 + time
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_scalars() {
        for (text, number) in [
            ("12", 12.0),
            ("-0x1F", -31.0),
            ("0o17", 15.0),
            ("0b11", 3.0),
            ("0777", 777.0),
            ("1_000", 1000.0),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("-1.5E-2", -0.015),
            ("+.inf", f64::INFINITY),
            ("12345678901234567890", 12_345_678_901_234_567_890.0),
        ] {
            assert_eq!(implicit(text), Some(Value::Number(number)), "{text}");
        }
        for text in ["1_", "_1", "0x", "1e", "+.5", "1.2.3", "yes", "on", "a", "1-2", "<<", "2020-1-1", "12:30"] {
            assert_eq!(implicit(text), None, "{text}");
        }
        assert_eq!(implicit("~"), Some(Value::Null));
        assert_eq!(implicit("TRUE"), Some(Value::Bool(true)));
    }

    #[test]
    fn dates() {
        for (text, iso) in [
            ("2001-12-14", "2001-12-14T00:00:00.000Z"),
            ("2001-12-14t21:59:43.1-05:00", "2001-12-15T02:59:43.100Z"),
            ("2001-1-2 3:04:05 Z", "2001-01-02T03:04:05.000Z"),
            ("2001-02-30", "2001-03-02T00:00:00.000Z"),
        ] {
            assert_eq!(implicit(text).unwrap().to_text(), iso);
        }
        assert_eq!(implicit("2001-12-14T21:59"), None);
    }

    #[test]
    fn tags() {
        assert_eq!(tagged("str", "1"), Ok(Value::from("1")));
        assert_eq!(tagged("int", "x"), Err(TagError::Unfit));
        assert_eq!(tagged("nope", "x"), Err(TagError::Unknown));
        assert!(matches!(tagged("binary", "aGk="), Ok(Value::Typed(array)) if &array.bytes[..] == b"hi"));
    }
}
