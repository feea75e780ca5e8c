//! Ticks: intervals, time zones, daylight saving.

use jiff::civil::date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use proptest::prelude::*;

use super::clock::{Clock, time_zone};

fn cron(pattern: &str, zone: &str) -> Clock {
    Clock::Cron(Box::new(pattern.parse().unwrap()), TimeZone::get(zone).unwrap())
}

fn at(text: &str) -> i64 {
    text.parse::<Zoned>().unwrap().timestamp().as_millisecond()
}

/// Ticks after `from` and before `to`, in local time.
fn ticks(clock: &Clock, zone: &str, from: &str, to: &str) -> Vec<String> {
    let (mut last, end, mut list) = (at(from), at(to), Vec::new());
    while let Some(next) = clock.after(last).filter(|next| *next < end) {
        let local = Timestamp::from_millisecond(next).unwrap().to_zoned(TimeZone::get(zone).unwrap());
        list.push(local.strftime("%d %H:%M %:z").to_string());
        last = next;
    }
    list
}

#[test]
fn replicas_agree_on_ticks_and_a_lone_one_counts_from_its_start() {
    let clock = Clock::every(1.0);
    assert_eq!(clock.after(5_250), Some(6_000));
    assert_eq!(clock.after(6_000), Some(7_000));
    assert_eq!(clock.after_own(5_250, 5_200, 5_200), Some(6_200));
    assert_eq!(clock.after_own(9_999, 5_200, 5_200), Some(10_200));
    assert_eq!(clock.latest(5_250), Some(5_000));
    let every_five = cron("*/5 * * * *", "UTC");
    assert_eq!(every_five.after(299_000), Some(300_000));
    assert_eq!(every_five.latest(301_500), Some(300_000));
    assert_eq!(every_five.after_own(250_000, 300_000, 900_000), Some(1_200_000), "the clock was set back: not again");
    assert_eq!(every_five.after_own(250_000, 600_000, 900_000), Some(300_000), "it was ahead from 600,000 on");
}

#[test]
fn a_cron_expression_means_the_time_of_its_zone() {
    let daily = |zone| cron("0 9 * * *", zone).after(at("2026-01-10T00:00[UTC]")).unwrap();
    assert_eq!(daily("UTC"), at("2026-01-10T09:00[UTC]"));
    assert_eq!(daily("Europe/Berlin"), at("2026-01-10T08:00[UTC]"));
    assert_eq!(daily("Asia/Kolkata"), at("2026-01-10T03:30[UTC]"));
    assert_eq!(daily("America/New_York"), at("2026-01-10T14:00[UTC]"));
}

#[test]
fn where_the_clock_goes_forward_a_daily_time_in_the_gap_fires_once_right_after_it() {
    let zone = "Europe/Berlin";
    let (from, to) = ("2026-03-28T12:00[Europe/Berlin]", "2026-03-30T12:00[Europe/Berlin]");
    assert_eq!(ticks(&cron("30 2 * * *", zone), zone, from, to), ["29 03:00 +02:00", "30 02:30 +02:00"]);
    let hours =
        ticks(&cron("0 * * * *", zone), zone, "2026-03-29T00:30[Europe/Berlin]", "2026-03-29T05:00[Europe/Berlin]");
    assert_eq!(hours, ["29 01:00 +01:00", "29 03:00 +02:00", "29 04:00 +02:00"]);
}

#[test]
fn where_the_clock_goes_back_a_daily_time_fires_once_and_every_hour_that_passes_counts() {
    let zone = "Europe/Berlin";
    let (from, to) = ("2026-10-24T12:00[Europe/Berlin]", "2026-10-26T12:00[Europe/Berlin]");
    assert_eq!(ticks(&cron("30 2 * * *", zone), zone, from, to), ["25 02:30 +02:00", "26 02:30 +01:00"]);
    let hours =
        ticks(&cron("30 * * * *", zone), zone, "2026-10-25T01:00[Europe/Berlin]", "2026-10-25T04:00[Europe/Berlin]");
    assert_eq!(hours, ["25 01:30 +02:00", "25 02:30 +02:00", "25 02:30 +01:00", "25 03:30 +01:00"]);
}

#[test]
fn the_zone_is_the_nodes_own_then_the_environments_then_the_systems() {
    assert_eq!(time_zone(Some("Asia/Tokyo"), Some("UTC")).unwrap(), TimeZone::get("Asia/Tokyo").unwrap());
    assert_eq!(time_zone(None, Some(":Asia/Tokyo")).unwrap(), TimeZone::get("Asia/Tokyo").unwrap());
    assert_eq!(time_zone(None, Some("Nowhere/Land")).unwrap(), TimeZone::system());
    assert!(time_zone(Some("Nowhere/Land"), None).is_err());
}

fn moments() -> impl Strategy<Value = i64> {
    let first = date(2024, 1, 1).to_zoned(TimeZone::UTC).unwrap().timestamp().as_millisecond();
    (first..first + 4 * 366 * 86_400_000).boxed()
}

fn clocks() -> impl Strategy<Value = Clock> {
    let patterns = prop::sample::select(vec![
        "30 2 * * *",
        "*/7 * * * *",
        "0 * * * *",
        "15 1-3 * * 0",
        "0 3 1 * *",
        "*/10 * 2 * * *",
    ]);
    let zones =
        prop::sample::select(vec!["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "UTC"]);
    prop_oneof![
        (0.0005f64..90_000.0).prop_map(Clock::every),
        (patterns, zones).prop_map(|(pattern, zone)| cron(pattern, zone)),
    ]
}

proptest! {
    /// Wherever a replica starts to look, it finds the same ticks as another that looks on from the tick before.
    #[test]
    fn ticks_come_in_order_and_do_not_depend_on_who_looks_from_where(clock in clocks(), from in moments(), share in 0.0f64..1.0) {
        let first = clock.after(from).unwrap();
        let second = clock.after(first).unwrap();
        prop_assert!(from < first && first < second);
        let between = first + ((second - first - 1) as f64 * share) as i64;
        prop_assert_eq!(clock.after(between), Some(second), "from {} on", between);
        prop_assert_eq!(clock.latest(first), Some(first));
        prop_assert_eq!(clock.latest(between), Some(first));
        prop_assert_eq!(clock.latest(second - 1), Some(first));
    }
}
