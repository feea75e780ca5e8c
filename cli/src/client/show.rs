//! Tables, times and JSON on standard output.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use jiff::Timestamp;
use serde::Serialize;

use crate::plain;
use crate::plain::print;

/// A table without lines: easy to read, easy to cut.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(header);
    for row in rows {
        table.add_row(row.map(|cell| plain::one_line(&cell).into_owned()));
    }
    let text: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    print(&text);
}

/// JSON, indented.
pub fn json(value: &impl Serialize) {
    print(&format!("{:#}\n", serde_json::to_value(value).unwrap_or_default()));
}

/// A time in UTC, to the second. `ms`: milliseconds since the epoch.
pub fn time(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map(|time| time.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

/// A time of the day in UTC, to the millisecond. `ms`: milliseconds since the epoch.
pub fn clock(ms: u64) -> String {
    let time = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map(|time| time.strftime("%H:%M:%S%.3f").to_string()).unwrap_or_default()
}

/// How long ago, roughly. `ms`: milliseconds since the epoch.
pub fn age(ms: u64) -> String {
    let seconds = (Timestamp::now().as_millisecond() - ms as i64).max(0) / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
