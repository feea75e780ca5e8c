//! Numbers to text and back, as JavaScript does it.

use super::types::Str;

/// `String(number)`: shortest digits that read back the same, exponents from 1e21 and below 1e-6.
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

#[cfg(test)]
mod tests {
    use super::*;

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
