//! The methods of moments.

use jiff::tz::{Offset, TimeZone};
use jsonata_core::value::JValue;

use super::date::Moment;
use super::format::format;
use super::locale::Locale;
use super::parse::parse;
use super::units::Unit;

/// What a method gives.
pub(super) enum Given {
    Moment(Moment),
    Value(JValue),
}

/// The arguments of a method.
pub(super) struct Args<'a> {
    pub(super) values: &'a [JValue],
    /// A value that is a moment.
    pub(super) moment: &'a dyn Fn(&JValue) -> Option<Moment>,
}

impl Args<'_> {
    fn text(&self, at: usize) -> &str {
        self.values.get(at).and_then(JValue::as_str).unwrap_or_default()
    }

    fn flag(&self, at: usize) -> bool {
        matches!(self.values.get(at), Some(JValue::Bool(true)))
    }

    fn number(&self, at: usize) -> Option<f64> {
        match self.values.get(at)? {
            JValue::Number(number) => Some(*number),
            JValue::String(text) => text.trim().parse().ok(),
            _ => None,
        }
    }

    fn unit(&self, at: usize) -> Unit {
        Unit::parse(self.text(at)).unwrap_or(Unit::Millisecond)
    }

    /// Another moment: one, or what makes one; now when there is none.
    fn other(&self, at: usize, like: &Moment) -> Moment {
        let value = self.values.get(at).cloned().unwrap_or(JValue::Undefined);
        let zone = like.at.as_ref().map_or_else(TimeZone::system, |at| at.time_zone().clone());
        (self.moment)(&value).unwrap_or_else(|| parse(&[value], zone))
    }
}

/// Calls a method; `None` when moments have none of that name.
pub(super) fn call(at: &Moment, name: &str, args: &Args<'_>) -> Option<Given> {
    let number = |number: f64| Given::Value(if number.is_nan() { JValue::Null } else { JValue::Number(number) });
    let text = |text: String| Given::Value(JValue::from(text));
    let truth = |truth: bool| Given::Value(JValue::Bool(truth));
    let zoned = |zone: TimeZone| Given::Moment(at.with(at.at.as_ref().map(|at| at.with_time_zone(zone))));
    Some(match name {
        "format" => text(format(at, args.text(0))),
        "valueOf" => number(at.value()),
        "unix" => number((at.value() / 1000.0).floor()),
        "toISOString" | "toJSON" if args.flag(0) => text(format(at, "YYYY-MM-DD[T]HH:mm:ss.SSSZ")),
        "toISOString" | "toJSON" => Given::Value(at.iso().map_or(JValue::Null, JValue::from)),
        "toString" => {
            text(format(&Moment { at: at.at.clone(), locale: Locale::english() }, "ddd MMM DD YYYY HH:mm:ss [GMT]ZZ"))
        }
        "clone" | "toDate" => Given::Moment(at.clone()),
        "isValid" => truth(at.at.is_some()),
        "utc" => zoned(TimeZone::UTC),
        "local" => zoned(TimeZone::system()),
        "tz" => match TimeZone::get(args.text(0)) {
            Ok(zone) => zoned(zone),
            // moment-timezone says so in the log, and goes on in UTC.
            Err(_) if args.values.is_empty() => Given::Value(zone_name(at)),
            Err(_) => Given::Moment(at.clone()),
        },
        "utcOffset" | "zone" if args.values.is_empty() => {
            number(at.at.as_ref().map_or(0.0, |at| f64::from(at.offset().seconds() / 60)))
        }
        "utcOffset" => zoned(offset(args)?),
        "locale" | "lang" if args.values.is_empty() => text(at.locale.locale.clone()),
        "locale" | "lang" => {
            Given::Moment(Moment { at: at.at.clone(), locale: Locale::find(args.text(0)).unwrap_or(at.locale) })
        }
        "add" => Given::Moment(shifted(at, args, 1.0)),
        "subtract" => Given::Moment(shifted(at, args, -1.0)),
        "startOf" => Given::Moment(at.start_of(args.unit(0))),
        "endOf" => Given::Moment(at.end_of(args.unit(0))),
        "diff" => number(at.diff(&args.other(0, at), args.unit(1), args.flag(2))),
        "fromNow" => text(at.relative_to(&Moment::new(crate::now_ms(), TimeZone::UTC), args.flag(0))),
        "from" => text(at.relative_to(&args.other(0, at), args.flag(1))),
        "toNow" | "to" => {
            let other = if name == "to" { args.other(0, at) } else { Moment::new(crate::now_ms(), TimeZone::UTC) };
            let other = Moment { at: other.at, locale: at.locale };
            text(other.relative_to(at, args.flag(usize::from(name == "to"))))
        }
        "isAfter" => truth(at.is_after(&args.other(0, at), args.unit(1))),
        "isBefore" => truth(at.is_before(&args.other(0, at), args.unit(1))),
        "isSame" => truth(at.is_same(&args.other(0, at), args.unit(1))),
        "isSameOrAfter" => {
            let other = args.other(0, at);
            truth(at.is_same(&other, args.unit(1)) || at.is_after(&other, args.unit(1)))
        }
        "isSameOrBefore" => {
            let other = args.other(0, at);
            truth(at.is_same(&other, args.unit(1)) || at.is_before(&other, args.unit(1)))
        }
        "isBetween" => {
            let ends = if args.values.len() > 3 { args.text(3) } else { "()" };
            truth(at.is_between(&args.other(0, at), &args.other(1, at), args.unit(2), ends))
        }
        "daysInMonth" => number(at.at.as_ref().map_or(f64::NAN, |at| f64::from(at.days_in_month()))),
        "isLeapYear" => truth(at.at.as_ref().is_some_and(jiff::Zoned::in_leap_year)),
        "isDST" => truth(at.at.as_ref().is_some_and(|at| at.time_zone().to_offset_info(at.timestamp()).dst().is_dst())),
        "isUTC" | "isUtc" => truth(at.at.as_ref().is_some_and(|at| at.time_zone() == &TimeZone::UTC)),
        "get" => number(at.part(Unit::parse(args.text(0))?)),
        "set" => Given::Moment(at.with_part(Unit::parse(args.text(0))?, args.number(1)?)),
        part => {
            let unit = part_unit(part)?;
            match args.number(0) {
                Some(value) => Given::Moment(at.with_part(unit, value)),
                None => number(at.part(unit)),
            }
        }
    })
}

fn part_unit(name: &str) -> Option<Unit> {
    const NAMES: &str = "year years quarter quarters month months week weeks isoWeek isoWeeks weekday isoWeekday dayOfYear date \
                         dates day days hour hours minute minutes second seconds millisecond milliseconds";
    if !NAMES.split_whitespace().any(|known| known == name) {
        return None;
    }
    Unit::parse(if name == "dates" { "date" } else { name })
}

fn zone_name(at: &Moment) -> JValue {
    let name = at.at.as_ref().and_then(|at| at.time_zone().iana_name().map(str::to_owned));
    name.map_or(JValue::Undefined, JValue::from)
}

/// `utcOffset(2)`, `utcOffset(120)`, `utcOffset("+02:00")`: small numbers are hours.
fn offset(args: &Args<'_>) -> Option<TimeZone> {
    let minutes = match args.values.first()? {
        JValue::Number(number) if number.abs() < 16.0 => number * 60.0,
        JValue::Number(number) => *number,
        JValue::String(text) if &**text == "Z" => 0.0,
        JValue::String(text) => {
            let digits: String = text.chars().filter(char::is_ascii_digit).collect();
            let number: f64 = digits.parse().ok()?;
            let minutes =
                if digits.len() > 2 { (number / 100.0).floor() * 60.0 + number % 100.0 } else { number * 60.0 };
            if text.starts_with('-') { -minutes } else { minutes }
        }
        _ => return None,
    };
    Some(TimeZone::fixed(Offset::from_seconds((minutes * 60.0) as i32).ok()?))
}

/// `add(2, "days")`, `add("days", 2)` (its old order), `add({days: 2, hours: 1})`, `add(1000)`.
fn shifted(at: &Moment, args: &Args<'_>, sign: f64) -> Moment {
    if let Some(JValue::Object(map)) = args.values.first() {
        let parts = map.iter().filter_map(|(name, amount)| Some((Unit::parse(name)?, amount.as_f64()?)));
        // Days before hours, as a duration is added.
        let (long, short): (Vec<_>, Vec<_>) =
            parts.partition(|(unit, _)| !matches!(unit, Unit::Hour | Unit::Minute | Unit::Second | Unit::Millisecond));
        return long.into_iter().chain(short).fold(at.clone(), |at, (unit, amount)| at.add(amount * sign, unit));
    }
    match (args.number(0), args.number(1)) {
        (Some(amount), _) => at.add(amount * sign, args.unit(1)),
        (None, Some(amount)) => at.add(amount * sign, args.unit(0)),
        (None, None) => at.clone(),
    }
}
