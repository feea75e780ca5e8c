//! Words of languages.
//!
//! `locales.jsonl` (one language a line) was asked of moment.js 2.30 (MIT License, (c) JS Foundation and other
//! contributors), so that flows see the same texts.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::Deserialize;

/// Texts for "in ...", "... ago" and the span alone, from a number on; `{}` is the number.
pub(super) type Relative = (u64, [String; 3]);

/// What one language says. Weeks, days and months are counted from Sunday and January.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Locale {
    pub(super) locale: String,
    pub(super) months: Vec<String>,
    /// The form after a day's number, where it differs.
    #[serde(default)]
    pub(super) months_of: Vec<String>,
    pub(super) months_short: Vec<String>,
    pub(super) days: Vec<String>,
    pub(super) days_short: Vec<String>,
    pub(super) days_min: Vec<String>,
    pub(super) formats: BTreeMap<String, String>,
    /// The first day of the week, and which day of January is always in the first week of the year.
    pub(super) week: (i32, i32),
    pub(super) ordinals: Vec<String>,
    /// By hour: for `A` and `a`.
    pub(super) meridiem: (Vec<String>, Vec<String>),
    pub(super) relative: BTreeMap<String, Vec<Relative>>,
    #[serde(default)]
    pub(super) digits: Vec<String>,
}

fn all() -> &'static [Locale] {
    static ALL: OnceLock<Vec<Locale>> = OnceLock::new();
    ALL.get_or_init(|| {
        let lines = include_str!("locales.jsonl").lines();
        lines.map(|line| serde_json::from_str(line).expect("each line is a language")).collect()
    })
}

impl Locale {
    pub(super) fn english() -> &'static Locale {
        &all()[0]
    }

    /// A language by its tag, or by the tag without its region; `None` when it is not there.
    pub(super) fn find(tag: &str) -> Option<&'static Locale> {
        let tag = tag.to_lowercase().replace('_', "-");
        let mut rest = tag.as_str();
        loop {
            if let Some(found) = all().iter().find(|locale| locale.locale == rest) {
                return Some(found);
            }
            rest = rest.rsplit_once('-')?.0;
        }
    }

    /// A text with the digits of the language.
    pub(super) fn in_digits(&self, text: String) -> String {
        if self.digits.is_empty() {
            return text;
        }
        let mut out = String::with_capacity(text.len() * 2);
        for c in text.chars() {
            match c.to_digit(10).and_then(|digit| self.digits.get(digit as usize)) {
                Some(digit) => out.push_str(digit),
                None if c == ',' && self.digits[0] != "०" && self.digits[0] != "০" => out.push('،'),
                None => out.push(c),
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_is_complete() {
        for locale in all() {
            assert_eq!(
                (locale.months.len(), locale.months_short.len(), locale.days.len(), locale.ordinals.len()),
                (12, 12, 7, 31),
                "{}",
                locale.locale
            );
            assert_eq!((locale.meridiem.0.len(), locale.meridiem.1.len()), (24, 24), "{}", locale.locale);
            assert_eq!(locale.relative.len(), 11, "{}", locale.locale);
        }
        assert_eq!(Locale::find("de-DE").map(|found| found.locale.as_str()), Some("de"));
        assert!(Locale::find("tlh").is_none());
    }
}
