//! `isAfter`, `isBefore`, `isSame` and their like.

use super::date::Moment;
use super::units::Unit;

impl Moment {
    pub(super) fn is_after(&self, other: &Moment, unit: Unit) -> bool {
        self.start_of(unit).value() > other.value() && (unit == Unit::Millisecond || self.value() > other.value())
    }

    pub(super) fn is_before(&self, other: &Moment, unit: Unit) -> bool {
        self.end_of(unit).value() < other.value()
    }

    pub(super) fn is_same(&self, other: &Moment, unit: Unit) -> bool {
        (self.start_of(unit).value()..=self.end_of(unit).value()).contains(&other.value())
    }

    /// `isBetween(from, to, unit, "[)")`.
    pub(super) fn is_between(&self, from: &Moment, to: &Moment, unit: Unit, ends: &str) -> bool {
        let behind = if ends.starts_with('[') { !self.is_before(from, unit) } else { self.is_after(from, unit) };
        let ahead = if ends.ends_with(']') { !self.is_after(to, unit) } else { self.is_before(to, unit) };
        behind && ahead && from.at.is_some() && to.at.is_some() && self.at.is_some()
    }
}
