//! `add`, `startOf`, `diff`.

use jiff::{Span, Zoned};

use super::date::Moment;
use super::units::Unit;

impl Moment {
    /// `add(amount, unit)`; days and longer are whole, as in moment.js.
    pub(super) fn add(&self, amount: f64, unit: Unit) -> Moment {
        let Some(at) = &self.at else { return self.clone() };
        // Math.round(Math.abs(n)) with the sign.
        let whole = (amount.abs() + 0.5).floor().copysign(amount) as i64;
        let span = Span::new();
        let span = match unit {
            Unit::Year => span.try_months(whole.saturating_mul(12)),
            Unit::Quarter => span.try_months(whole.saturating_mul(3)),
            Unit::Month => span.try_months(whole),
            Unit::Week | Unit::IsoWeek => span.try_days(whole.saturating_mul(7)),
            Unit::Day | Unit::Date | Unit::Weekday | Unit::IsoWeekday | Unit::DayOfYear => span.try_days(whole),
            Unit::Hour => span.try_milliseconds((amount * 3_600_000.0) as i64),
            Unit::Minute => span.try_milliseconds((amount * 60_000.0) as i64),
            Unit::Second => span.try_milliseconds((amount * 1000.0) as i64),
            Unit::Millisecond => span.try_milliseconds(amount as i64),
        };
        self.with(span.ok().and_then(|span| at.checked_add(span).ok()))
    }

    /// `startOf(unit)`.
    pub(super) fn start_of(&self, unit: Unit) -> Moment {
        let Some(at) = &self.at else { return self.clone() };
        let midnight = |date: jiff::civil::Date| date.at(0, 0, 0, 0).to_zoned(at.time_zone().clone()).ok();
        let day = at.date();
        let back = |days: i32| day.checked_sub(Span::new().days(days)).ok().and_then(midnight);
        let started: Option<Zoned> = match unit {
            Unit::Year => midnight(day.first_of_year()),
            Unit::Quarter => {
                let month = (day.month() - 1) / 3 * 3 + 1;
                jiff::civil::Date::new(day.year(), month, 1).ok().and_then(midnight)
            }
            Unit::Month => midnight(day.first_of_month()),
            Unit::Week => {
                let weekday = i32::from(day.weekday().to_sunday_zero_offset());
                back((7 + weekday - self.locale.week.0) % 7)
            }
            Unit::IsoWeek => back(i32::from(day.weekday().to_monday_zero_offset())),
            Unit::Day | Unit::Date | Unit::Weekday | Unit::IsoWeekday | Unit::DayOfYear => midnight(day),
            Unit::Hour | Unit::Minute | Unit::Second => {
                let with = at.with().subsec_nanosecond(0);
                match unit {
                    Unit::Hour => with.minute(0).second(0).build().ok(),
                    Unit::Minute => with.second(0).build().ok(),
                    _ => with.build().ok(),
                }
            }
            Unit::Millisecond => Some(at.clone()),
        };
        self.with(started)
    }

    /// `endOf(unit)`: the last millisecond.
    pub(super) fn end_of(&self, unit: Unit) -> Moment {
        if unit == Unit::Millisecond {
            return self.clone();
        }
        self.start_of(unit).add(1.0, unit).add(-1.0, Unit::Millisecond)
    }

    /// Months to another moment, with a fraction.
    fn months_to(&self, other: &Moment) -> f64 {
        let (Some(from), Some(to)) = (&self.at, &other.at) else { return f64::NAN };
        if from.day() < to.day() {
            // The anchor would be in the wrong month at its end.
            return -other.months_to(self);
        }
        let months = |at: &Zoned| f64::from(at.year()) * 12.0 + f64::from(at.month());
        let whole = months(to) - months(from);
        let anchor = self.add(whole, Unit::Month).value();
        let rest = other.value() - anchor;
        let length = if rest < 0.0 {
            anchor - self.add(whole - 1.0, Unit::Month).value()
        } else {
            self.add(whole + 1.0, Unit::Month).value() - anchor
        };
        -(whole + rest / length)
    }

    /// `diff(other, unit, precise)`.
    pub(super) fn diff(&self, other: &Moment, unit: Unit, precise: bool) -> f64 {
        let (Some(at), Some(to)) = (&self.at, &other.at) else { return f64::NAN };
        let there = other.with(Some(to.with_time_zone(at.time_zone().clone())));
        let offset = |at: &Zoned| f64::from(at.offset().seconds()) * 1000.0;
        let ms = self.value() - other.value();
        let zones = there.at.as_ref().map_or(0.0, |there| offset(there) - offset(at));
        let amount = match unit {
            Unit::Year => self.months_to(&there) / 12.0,
            Unit::Quarter => self.months_to(&there) / 3.0,
            Unit::Month => self.months_to(&there),
            Unit::Week | Unit::IsoWeek => (ms - zones) / 604_800_000.0,
            Unit::Day | Unit::Date | Unit::Weekday | Unit::IsoWeekday | Unit::DayOfYear => (ms - zones) / 86_400_000.0,
            Unit::Hour => ms / 3_600_000.0,
            Unit::Minute => ms / 60_000.0,
            Unit::Second => ms / 1000.0,
            Unit::Millisecond => ms,
        };
        // Zero has no sign.
        (if precise { amount } else { amount.trunc() }) + 0.0
    }
}
