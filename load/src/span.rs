//! Durations as people write them: `500ms`, `10s`, `2m`, `1h30m`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::de::{Deserializer, Error as _, Visitor};
use serde::{Deserialize, Serialize, Serializer};

/// A duration in a scenario: numbers with a unit (`us`, `ms`, `s`, `m`, `h`), joined; a bare number is seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Span(pub Duration);

/// Text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{0}\" is not a duration: write for example \"500ms\", \"10s\", \"2m\" or \"1h30m\"")]
pub struct BadSpan(String);

/// The longest duration: no timer overflows below it.
const LONGEST: f64 = 366.0 * 86_400.0;

impl Span {
    /// In seconds.
    pub fn seconds(self) -> f64 {
        self.0.as_secs_f64()
    }
}

impl FromStr for Span {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Span, BadSpan> {
        let bad = || BadSpan(text.to_owned());
        let mut rest = text.trim();
        let mut seconds = 0.0;
        if rest.is_empty() {
            return Err(bad());
        }
        while !rest.is_empty() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let number: f64 = rest[..end].parse().map_err(|_| bad())?;
            rest = &rest[end..];
            let unit_end = rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len());
            let factor = match rest[..unit_end].trim() {
                "us" | "µs" => 1e-6,
                "ms" => 1e-3,
                "s" | "" => 1.0,
                "m" | "min" => 60.0,
                "h" => 3600.0,
                _ => return Err(bad()),
            };
            seconds += number * factor;
            rest = &rest[unit_end..];
        }
        if seconds > LONGEST {
            return Err(bad());
        }
        Duration::try_from_secs_f64(seconds).map(Span).map_err(|_| bad())
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.seconds();
        if seconds == 0.0 {
            f.write_str("0s")
        } else if seconds < 1e-3 {
            write!(f, "{}us", (seconds * 1e6).round())
        } else if seconds < 1.0 {
            write!(f, "{}ms", (seconds * 1e5).round() / 100.0)
        } else {
            write!(f, "{}s", (seconds * 1e3).round() / 1e3)
        }
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Span, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a duration such as \"10s\", or a number of seconds")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Span, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_i64<E: serde::de::Error>(self, seconds: i64) -> Result<Span, E> {
                seconds.to_string().parse().map_err(E::custom)
            }
            fn visit_f64<E: serde::de::Error>(self, seconds: f64) -> Result<Span, E> {
                seconds.to_string().parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(Text).map_err(D::Error::custom)
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        let ms = |text: &str| text.parse::<Span>().unwrap().0.as_millis();
        assert_eq!(
            [ms("500ms"), ms("10s"), ms("2m"), ms("1h30m"), ms("1.5s"), ms("7")],
            [500, 10_000, 120_000, 5_400_000, 1_500, 7_000]
        );
        for bad in ["", "s", "10x", "-1s", "1..2s", "1e9h", "99999999999h"] {
            assert!(bad.parse::<Span>().unwrap_err().to_string().contains("not a duration"), "{bad}");
        }
        assert_eq!("1500us".parse::<Span>().unwrap().to_string(), "1.5ms");
    }
}
