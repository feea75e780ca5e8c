//! A moment.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::format::format;
use super::locale::Locale;

/// A date with its zone and language; `at` is `None` for "Invalid date".
#[derive(Clone)]
pub(super) struct Moment {
    pub(super) at: Option<Zoned>,
    pub(super) locale: &'static Locale,
}

impl Moment {
    /// Milliseconds since the epoch in a zone, in English.
    pub(super) fn new(ms: f64, zone: TimeZone) -> Moment {
        Moment { at: zoned(ms, zone), locale: Locale::english() }
    }

    /// Milliseconds since the epoch, or NaN.
    pub(super) fn value(&self) -> f64 {
        self.at.as_ref().map_or(f64::NAN, |at| at.timestamp().as_millisecond() as f64)
    }

    /// The same language at another time.
    pub(super) fn with(&self, at: Option<Zoned>) -> Moment {
        Moment { at, locale: self.locale }
    }

    /// `toISOString()`; `None` when invalid.
    pub(super) fn iso(&self) -> Option<String> {
        let at = self.at.as_ref()?.with_time_zone(TimeZone::UTC);
        Some(at.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string())
    }
}

fn zoned(ms: f64, zone: TimeZone) -> Option<Zoned> {
    let at = Timestamp::from_millisecond(ms as i64).ok().filter(|_| ms.is_finite())?;
    Some(at.to_zoned(zone))
}

/// Milliseconds since the epoch in a format of moment.js, in local time; ISO 8601 with an offset when it is empty.
pub fn format_date(ms: f64, text: &str) -> String {
    format(&Moment::new(ms, TimeZone::system()), text)
}
