//! Maintenance windows.

use croner::Cron;
use flotilla_api::pipeline::Window;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

/// The longest window: a week.
const LONGEST: u32 = 7 * 24 * 60;

/// What is wrong with a window.
pub(super) fn problem(window: &Window) -> Option<String> {
    if !(1..=LONGEST).contains(&window.minutes) {
        return Some(format!("window: minutes {} must be 1 to {LONGEST}", window.minutes));
    }
    read(window).err()
}

fn read(window: &Window) -> Result<(Cron, TimeZone), String> {
    let cron = window.cron.parse::<Cron>();
    let cron = cron.map_err(|error| format!("window: \"{}\" is not a cron expression: {error}", window.cron))?;
    let zone = match &window.zone {
        Some(name) => TimeZone::get(name).map_err(|error| format!("window: time zone \"{name}\": {error}"))?,
        None => TimeZone::UTC,
    };
    Ok((cron, zone))
}

/// Whether a window is open at a time, in ms since 1970.
///
/// # Errors
/// When it opens; `None` when it does not open any more.
pub fn opens(window: &Window, now_ms: u64) -> Result<(), Option<String>> {
    let Ok((cron, zone)) = read(window) else { return Err(None) };
    let at = |ms: i64| -> Option<Zoned> { Some(Timestamp::from_millisecond(ms).ok()?.to_zoned(zone.clone())) };
    let now = i64::try_from(now_ms).unwrap_or(i64::MAX);
    let opened = at(now - i64::from(window.minutes) * 60_000).and_then(|from| {
        // One that opened just as long ago as it is long has closed.
        cron.find_next_occurrence(&from, false).ok()
    });
    if opened.is_some_and(|opened| opened.timestamp().as_millisecond() <= now) {
        return Ok(());
    }
    let next = at(now).and_then(|now| cron.find_next_occurrence(&now, false).ok());
    Err(next.map(|next| next.strftime("%Y-%m-%d %H:%M %Z").to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_open_from_its_cron_for_its_length_in_its_time_zone() {
        let window = Window { cron: "0 6 * * SAT".into(), minutes: 90, zone: Some("Europe/Berlin".into()) };
        let at = |text: &str| text.parse::<Timestamp>().unwrap().as_millisecond() as u64;
        // 6:00 in Berlin is 5:00 UTC in winter and 4:00 in summer.
        assert_eq!(opens(&window, at("2026-01-03T05:00:00Z")), Ok(()));
        assert_eq!(opens(&window, at("2026-01-03T06:29:59Z")), Ok(()));
        assert_eq!(opens(&window, at("2026-07-04T04:30:00Z")), Ok(()));
        let next = Err(Some("2026-01-10 06:00 CET".to_owned()));
        assert_eq!(opens(&window, at("2026-01-03T06:30:00Z")), next);
        assert_eq!(opens(&window, at("2026-01-10T04:59:59Z")), next);
    }
}
