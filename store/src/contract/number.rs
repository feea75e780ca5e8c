//! Numbers under `incr`: JavaScript numbers, kept as JSON text so that a plain read gives a JSON number.

use super::error::{Result, StoreError};

/// Adds to what a key holds; a missing value and `null` count as 0. Answers the sum and its JSON text.
pub(crate) fn add(key: &str, current: Option<&[u8]>, by: f64) -> Result<(f64, String)> {
    let old = match current {
        None | Some(b"null") => 0.0,
        Some(bytes) => parse_number(bytes).ok_or_else(|| not_a_number(key, bytes))?,
    };
    let sum = old + by;
    if sum.is_finite() { Ok((sum, format_number(sum))) } else { Err(not_a_number(key, format!("{old}").as_bytes())) }
}

/// Reads a finite JSON number: serde_json knows what one is, the standard library reads it to the last bit.
fn parse_number(bytes: &[u8]) -> Option<f64> {
    serde_json::from_slice::<f64>(bytes).ok()?;
    std::str::from_utf8(bytes).ok()?.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// Text that reads back as the same number, both as JSON and as JavaScript.
fn format_number(number: f64) -> String {
    let size = number.abs();
    if size == 0.0 {
        "0".to_owned()
    } else if (1e-6..1e21).contains(&size) {
        format!("{number}")
    } else {
        format!("{number:e}")
    }
}

fn not_a_number(key: &str, found: &[u8]) -> StoreError {
    let found = String::from_utf8_lossy(&found[..found.len().min(40)]).into_owned();
    StoreError::NotANumber { key: key.to_owned(), found }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_read_back_as_the_same_number() {
        assert_eq!(add("n", None, 2.0).unwrap().1, "2");
        assert_eq!(add("n", Some(b"null"), -2.5).unwrap().1, "-2.5");
        assert_eq!(add("n", Some(b"0.1"), 0.2).unwrap().1, "0.30000000000000004");
        assert_eq!(add("n", Some(b"0.10000000000000009"), 0.0).unwrap().1, "0.10000000000000009");
        assert_eq!(add("n", Some(b"1e300"), 0.0).unwrap().1, "1e300");
        assert_eq!(add("n", Some(b"1"), -1.0).unwrap().1, "0");
        for bad in [&b"\"1\""[..], b"{}", b"", b"abc", b"NaN"] {
            assert!(matches!(add("n", Some(bad), 1.0), Err(StoreError::NotANumber { .. })), "{bad:?}");
        }
        assert!(add("n", Some(b"1.7e308"), 1.7e308).is_err());
    }
}
