//! `fromNow` and its like.

use super::date::Moment;
use super::units::Unit;

impl Moment {
    /// `from(other, bare)`: "in 3 hours", "3 hours ago", or bare "3 hours".
    pub(super) fn relative_to(&self, other: &Moment, bare: bool) -> String {
        if self.at.is_none() || other.at.is_none() {
            return "Invalid date".to_owned();
        }
        let ahead = self.value() > other.value();
        let (early, late) = if ahead { (other, self) } else { (self, other) };
        let months = late.diff(early, Unit::Month, false).max(0.0);
        let rest = late.value() - early.add(months, Unit::Month).value();
        // Of moment's durations: a month has 146097 / 4800 days.
        let days = (months * 146_097.0 / 4800.0).round() + rest / 86_400_000.0;
        let in_months = months + rest / 86_400_000.0 * 4800.0 / 146_097.0;
        let round = |number: f64| (number + 0.5).floor() as u64;
        let (seconds, minutes, hours) = (round(days * 86_400.0), round(days * 1440.0), round(days * 24.0));
        let (days, months, years) = (round(days), round(in_months), round(in_months / 12.0));
        let (unit, number) = match () {
            () if seconds < 45 => ("s", seconds),
            () if minutes <= 1 => ("m", 1),
            () if minutes < 45 => ("mm", minutes),
            () if hours <= 1 => ("h", 1),
            () if hours < 22 => ("hh", hours),
            () if days <= 1 => ("d", 1),
            () if days < 26 => ("dd", days),
            () if months <= 1 => ("M", 1),
            () if months < 11 => ("MM", months),
            () if years <= 1 => ("y", 1),
            () => ("yy", years),
        };
        let texts = self.locale.relative.get(unit).map_or(&[][..], Vec::as_slice);
        let Some((_, texts)) = texts.iter().rev().find(|(from, _)| *from <= number.max(1)) else {
            return String::new();
        };
        let text = &texts[if bare { 2 } else { usize::from(!ahead) }];
        text.replace("{}", &self.locale.in_digits(number.to_string()))
    }
}
