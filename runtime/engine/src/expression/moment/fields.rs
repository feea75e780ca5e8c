//! `year()`, `month(2)`, `set("hour", 5)`: the parts of a moment.

use jiff::Zoned;

use super::date::Moment;
use super::units::{Unit, iso_week, week_of_year};

impl Moment {
    /// A part by its unit; months and days of the week count from 0.
    pub(super) fn part(&self, unit: Unit) -> f64 {
        let Some(at) = &self.at else { return f64::NAN };
        let weekday = i32::from(at.weekday().to_sunday_zero_offset());
        f64::from(match unit {
            Unit::Year => i32::from(at.year()),
            Unit::Quarter => (i32::from(at.month()) - 1) / 3 + 1,
            Unit::Month => i32::from(at.month()) - 1,
            Unit::Week => week_of_year(at, self.locale).1,
            Unit::IsoWeek => iso_week(at).1,
            Unit::Weekday => (weekday + 7 - self.locale.week.0) % 7,
            Unit::IsoWeekday => i32::from(at.weekday().to_monday_one_offset()),
            Unit::DayOfYear => i32::from(at.day_of_year()),
            Unit::Date => i32::from(at.day()),
            Unit::Day => weekday,
            Unit::Hour => i32::from(at.hour()),
            Unit::Minute => i32::from(at.minute()),
            Unit::Second => i32::from(at.second()),
            Unit::Millisecond => i32::from(at.millisecond()),
        })
    }

    /// The moment with a part set; what is too large flows over, as in JavaScript.
    pub(super) fn with_part(&self, unit: Unit, value: f64) -> Moment {
        let Some(at) = &self.at else { return self.clone() };
        if !value.is_finite() {
            return self.with(None);
        }
        let years = |year: f64, month: i8| -> Option<Zoned> {
            let first = at.with().year(year as i16).month(month).day(1).build().ok()?;
            at.with().year(year as i16).month(month).day(at.day().min(first.days_in_month())).build().ok()
        };
        match unit {
            Unit::Year => self.with(years(value, at.month())),
            Unit::Month if (0.0..12.0).contains(&value) => self.with(years(f64::from(at.year()), value as i8 + 1)),
            _ => self.add(value - self.part(unit), unit),
        }
    }
}
