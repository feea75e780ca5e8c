//! Numbers to text and back, as JavaScript does it.

use super::types::Str;

/// `String(number)`: shortest digits that read back the same, exponents from 1e21 and below 1e-6.
///
/// ```
/// use flotilla_value::{number_to_string, string_to_number};
///
/// assert_eq!(number_to_string(0.1 + 0.2), "0.30000000000000004");
/// assert_eq!(number_to_string(1e-7), "1e-7");
/// assert_eq!(string_to_number(" 0x10 "), 16.0);
/// assert!(string_to_number("1 2").is_nan());
/// ```
pub fn number_to_string(number: f64) -> Str {
    Str::new(ryu_js::Buffer::new().format(number))
}

/// `Number(text)`: white space trimmed, empty is 0, hex/octal/binary prefixes, `Infinity`; anything else is NaN.
pub fn string_to_number(text: &str) -> f64 {
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    if text.is_empty() {
        return 0.0;
    }
    let radix = match text.get(..2) {
        Some("0x" | "0X") => 16,
        Some("0o" | "0O") => 8,
        Some("0b" | "0B") => 2,
        _ => 10,
    };
    if radix != 10 {
        let digits = &text[2..];
        if digits.is_empty() {
            return f64::NAN;
        }
        return digits
            .chars()
            .try_fold(0.0, |sum, c| c.to_digit(radix).map(|d| sum * f64::from(radix) + f64::from(d)))
            .unwrap_or(f64::NAN);
    }
    match text {
        "Infinity" | "+Infinity" => f64::INFINITY,
        "-Infinity" => f64::NEG_INFINITY,
        // Rust's parser also takes "inf" and "nan", which JavaScript does not.
        _ if text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-')) => {
            text.parse().unwrap_or(f64::NAN)
        }
        _ => f64::NAN,
    }
}

/// `parseFloat(text)`: the number at the front of a text after white space; NaN if there is none.
pub fn parse_float(text: &str) -> f64 {
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if unsigned.starts_with("Infinity") {
        return if text.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let digits = |from: &str| from.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(unsigned);
    let fraction = unsigned[whole..].strip_prefix('.').map_or(0, |rest| digits(rest) + 1);
    if whole + fraction.saturating_sub(1) == 0 {
        return f64::NAN;
    }
    let mut end = whole + fraction;
    if let Some(exponent) = unsigned[end..].strip_prefix(['e', 'E']) {
        let sign = usize::from(exponent.starts_with(['+', '-']));
        let digits = digits(&exponent[sign..]);
        end += if digits > 0 { 1 + sign + digits } else { 0 };
    }
    text[..text.len() - unsigned.len() + end].parse().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_of_a_text_is_read_as_parse_float_reads_it() {
        let long = format!("7{}", "x".repeat(1000));
        for (text, number) in [
            ("-30", -30.0),
            ("+1", 1.0),
            ("1-3", 1.0),
            (" \u{feff}5 s", 5.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1.2.3", 1.2),
            ("1e3x", 1000.0),
            ("1e", 1.0),
            ("2e-1", 0.2),
            ("-Infinity!", f64::NEG_INFINITY),
            ("0x10", 0.0),
            (long.as_str(), 7.0),
        ] {
            assert_eq!(number_to_string(parse_float(text)), number_to_string(number), "{text}");
        }
        for text in ["", "-", ".", "+.", "e5", "inf", "nan", "x1"] {
            assert!(parse_float(text).is_nan(), "{text}");
        }
    }

    #[test]
    fn numbers_print_as_javascript_prints_them() {
        for (number, text) in [
            (1.0, "1"),
            (-0.0, "0"),
            (0.1, "0.1"),
            (1e21, "1e+21"),
            (123e18, "123000000000000000000"),
            (1e-7, "1e-7"),
            (1.5e-9, "1.5e-9"),
            (0.000_001, "0.000001"),
            (-1.25, "-1.25"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(number_to_string(number), text);
        }
    }

    #[test]
    fn text_reads_as_javascript_reads_it() {
        assert!(string_to_number("12px").is_nan());
        assert!(string_to_number("inf").is_nan());
        assert!((string_to_number(" 0x10 ") - 16.0).abs() < f64::EPSILON);
        assert!((string_to_number("1e3") - 1000.0).abs() < f64::EPSILON);
        assert!(string_to_number("").abs() < f64::EPSILON);
    }
}
