//! Units of time by their names, and weeks.

use jiff::Zoned;
use jiff::civil::date;

use super::locale::Locale;

/// A unit that moments are moved, set and compared by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unit {
    Year,
    Quarter,
    Month,
    Week,
    IsoWeek,
    Weekday,
    IsoWeekday,
    DayOfYear,
    /// `date`: the day of the month.
    Date,
    /// `day`: the day of the week where it is read or set, a day where it is added.
    Day,
    Hour,
    Minute,
    Second,
    Millisecond,
}

impl Unit {
    /// A unit by its name; `M` and `m` differ.
    pub(super) fn parse(name: &str) -> Option<Unit> {
        let lower = name.to_lowercase();
        Some(match (name, lower.strip_suffix('s').unwrap_or(&lower)) {
            ("M", _) => Unit::Month,
            ("Q", _) => Unit::Quarter,
            ("D", _) | (_, "date") => Unit::Date,
            ("W", _) | (_, "isoweek") => Unit::IsoWeek,
            ("E", _) | (_, "isoweekday") => Unit::IsoWeekday,
            ("DDD", _) | (_, "dayofyear") => Unit::DayOfYear,
            ("s", _) | (_, "second") => Unit::Second,
            ("ms", _) | (_, "millisecond") => Unit::Millisecond,
            (_, "year" | "y") => Unit::Year,
            (_, "quarter") => Unit::Quarter,
            (_, "month") => Unit::Month,
            (_, "week" | "w") => Unit::Week,
            (_, "weekday" | "e") => Unit::Weekday,
            (_, "day" | "d") => Unit::Day,
            (_, "hour" | "h") => Unit::Hour,
            (_, "minute" | "m") => Unit::Minute,
            _ => return None,
        })
    }
}

/// Year and number of the ISO week.
pub(super) fn iso_week(at: &Zoned) -> (i32, i32) {
    let week = at.date().iso_week_date();
    (i32::from(week.year()), i32::from(week.week()))
}

/// Days from January 1st to the first day of the first week.
fn first_week_offset(year: i32, (dow, doy): (i32, i32)) -> i32 {
    // The January day that is always in the first week.
    let always = 7 + dow - doy;
    let Ok(first) = jiff::civil::Date::new(year as i16, 1, 1) else { return 0 };
    let weekday = (i32::from(first.weekday().to_sunday_zero_offset()) + always - 1).rem_euclid(7);
    -((7 + weekday - dow) % 7) + always - 1
}

fn weeks_in_year(year: i32, week: (i32, i32)) -> i32 {
    let days = if date(year as i16, 1, 1).in_leap_year() { 366 } else { 365 };
    (days - first_week_offset(year, week) + first_week_offset(year + 1, week)) / 7
}

/// Year and number of the week as the language counts them.
pub(super) fn week_of_year(at: &Zoned, locale: &Locale) -> (i32, i32) {
    let year = i32::from(at.year());
    if !(-9990..9990).contains(&year) {
        return (year, 1);
    }
    let offset = first_week_offset(year, locale.week);
    let week = (i32::from(at.day_of_year()) - offset - 1).div_euclid(7) + 1;
    if week < 1 {
        return (year - 1, week + weeks_in_year(year - 1, locale.week));
    }
    let weeks = weeks_in_year(year, locale.week);
    if week > weeks { (year + 1, week - weeks) } else { (year, week) }
}
