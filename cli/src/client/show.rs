//! Tables, times and JSON on standard output.

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use jiff::Timestamp;
use serde_json::Value;

use crate::review::print;

/// A table without lines: easy to read, easy to cut.
pub fn table<const N: usize>(header: [&str; N], rows: impl IntoIterator<Item = [String; N]>) {
    let mut table = Table::new();
    table.load_preset(NOTHING).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    let text: String = table.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    print(&text);
}

/// JSON, indented.
pub fn json(value: &Value) {
    print(&format!("{value:#}\n"));
}

/// A time in UTC, to the second.
pub fn time(ms: &Value) -> String {
    let time = ms.as_i64().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    time.map(|time| time.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}

/// How long ago, roughly.
pub fn age(ms: &Value) -> String {
    let Some(then) = ms.as_i64() else { return String::new() };
    let seconds = (Timestamp::now().as_millisecond() - then).max(0) / 1000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
