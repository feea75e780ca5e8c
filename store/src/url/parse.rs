//! The parts of a store URL that all backends share.

use std::time::Duration;

use crate::contract::{Result, StoreError};

/// The settings after `?` that every backend knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Params {
    /// How long an operation may take. `?timeout=500ms`, `?timeout=2s`; default 2 s.
    pub timeout: Duration,
    /// Settings that only some backends know, in order.
    pub rest: Vec<(String, String)>,
}

/// Reads the settings after `?`.
pub(crate) fn take_params<'a>(query: impl Iterator<Item = (impl AsRef<str>, impl AsRef<str> + 'a)>) -> Result<Params> {
    let mut params = Params { timeout: Duration::from_secs(2), rest: Vec::new() };
    for (name, value) in query {
        let (name, value) = (name.as_ref(), value.as_ref());
        if name == "timeout" {
            params.timeout = duration(value)?;
        } else {
            params.rest.push((name.to_owned(), value.to_owned()));
        }
    }
    Ok(params)
}

fn duration(text: &str) -> Result<Duration> {
    let (number, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len()));
    let number: u64 =
        number.parse().map_err(|_| bad_url("timeout", text, "write a number with ms or s, such as 2s"))?;
    let time = match unit {
        "ms" => Duration::from_millis(number),
        "s" | "" => Duration::from_secs(number),
        _ => return Err(bad_url("timeout", text, "its unit is not known: write ms or s, such as 2s")),
    };
    if time.is_zero() || time > Duration::from_mins(1) {
        return Err(bad_url("timeout", text, "it must be more than 0 and at most 60s"));
    }
    Ok(time)
}

/// A [`StoreError::BadUrl`].
pub(crate) fn bad_url(field: &'static str, value: impl Into<String>, reason: impl Into<String>) -> StoreError {
    StoreError::BadUrl { field, value: value.into(), reason: reason.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_have_units_and_bounds() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("3s"), Ok(Duration::from_secs(3)));
        assert_eq!(duration("3"), Ok(Duration::from_secs(3)));
        for bad in ["", "s", "0s", "61s", "5m", "-1s", "fast"] {
            assert!(matches!(duration(bad), Err(StoreError::BadUrl { field: "timeout", .. })), "{bad}");
        }
    }
}
