//! How a string is written: plain, quoted, literal or folded, chosen as js-yaml chooses.

use std::fmt::Write as _;

use super::scalar::implicit;

/// YAML 1.1 reads these as booleans, so they are quoted for older readers.
const OLD_BOOLEANS: [&str; 16] =
    ["y", "Y", "yes", "Yes", "YES", "on", "On", "ON", "n", "N", "no", "No", "NO", "off", "Off", "OFF"];

/// A string as a scalar at this depth. Keys stay on one line; `block`: outside `[]` and `{}`.
pub(super) fn write_string(text: &str, level: usize, key: bool, block: bool) -> String {
    if text.is_empty() {
        return "''".to_owned();
    }
    if OLD_BOOLEANS.contains(&text) || is_base_60(text) {
        return format!("'{text}'");
    }
    let indent = 2 * level.max(1);
    let width = 80_usize.saturating_sub(indent).max(40);
    if !text.chars().all(|c| printable(c) || (c == '\n' && !key)) {
        return format!("\"{}\"", escape(text));
    }
    let foldable = !key && text.split('\n').any(|line| line.chars().count() > width && !line.starts_with(' '));
    if key || (!text.contains('\n') && !foldable) {
        if is_plain(text, block) && implicit(text).is_none() && text != "<<" {
            return text.to_owned();
        }
        return format!("'{}'", text.replace('\'', "''"));
    }
    if foldable {
        return format!(">{}{}", header(text), indented(&fold(text, width), indent));
    }
    format!("|{}{}", header(text), indented(text, indent))
}

/// `12:30:45`: YAML 1.1 reads it as a number of base 60.
fn is_base_60(text: &str) -> bool {
    let text = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_');
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    whole.contains(':')
        && whole.split(':').all(digits)
        && fraction.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_')
}

fn printable(c: char) -> bool {
    matches!(c, ' '..='~' | '\u{a1}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
        && !matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}')
}

fn is_plain(text: &str, block: bool) -> bool {
    let first = text.chars().next().unwrap_or(' ');
    let last = text.chars().next_back().unwrap_or(' ');
    if matches!(first, ' ' | '\t') || "-?:,[]{}#&*!|=>'\"%@`".contains(first) || matches!(last, ' ' | '\t' | ':') {
        return false;
    }
    let mut before: Option<char> = None;
    text.chars().all(|c| {
        let blank = matches!(c, ' ' | '\t');
        let flow_safe = block || !",[]{}".contains(c);
        let after_colon = before == Some(':');
        let hash_inside = c == '#' && before.is_some_and(|before| !matches!(before, ' ' | '\t'));
        let plain = if after_colon { !blank } else { (flow_safe && c != '#') || hash_inside };
        before = Some(c);
        plain
    })
}

/// The indentation and chomping indicators of a block scalar.
fn header(text: &str) -> String {
    let indicator =
        if text.trim_start_matches('\n').starts_with(' ') || text.starts_with([' ', '\n']) { "2" } else { "" };
    let chomp = match text {
        "\n" => "+",
        text if text.ends_with("\n\n") => "+",
        text if text.ends_with('\n') => "",
        _ => "-",
    };
    format!("{indicator}{chomp}\n")
}

/// Indents every line that is not empty; the last line end is left to the caller's.
fn indented(text: &str, spaces: usize) -> String {
    let pad = " ".repeat(spaces);
    let lines: String = text
        .split_inclusive('\n')
        .map(|line| if line == "\n" { line.to_owned() } else { format!("{pad}{line}") })
        .collect();
    lines.strip_suffix('\n').unwrap_or(&lines).to_owned()
}

/// Breaks long lines at blanks; lines that begin with a blank keep their form.
fn fold(text: &str, width: usize) -> String {
    let mut lines = text.split('\n');
    let first = lines.next().unwrap_or_default();
    let mut out = fold_line(first, width);
    let mut held = first.is_empty() || first.starts_with(' ');
    let mut breaks = String::new();
    let mut rest = lines.peekable();
    while let Some(line) = rest.next() {
        breaks.push('\n');
        if line.is_empty() && rest.peek().is_some() {
            continue;
        }
        let more = line.starts_with(' ');
        out.push_str(&breaks);
        breaks.clear();
        if !held && !more && !line.is_empty() {
            out.push('\n');
        }
        out.push_str(&fold_line(line, width));
        held = more;
    }
    out
}

fn fold_line(line: &str, width: usize) -> String {
    if line.is_empty() || line.starts_with(' ') {
        return line.to_owned();
    }
    let chars: Vec<char> = line.chars().collect();
    let (mut start, mut current, mut lines) = (0, 0, Vec::new());
    let breaks = (0..chars.len().saturating_sub(1)).filter(|at| chars[*at] == ' ' && chars[at + 1] != ' ');
    for next in breaks {
        if next - start > width {
            let end = if current > start { current } else { next };
            lines.push(chars[start..end].iter().collect::<String>());
            start = end + 1;
        }
        current = next;
    }
    if chars.len() - start > width && current > start {
        lines.push(chars[start..current].iter().collect());
        start = current + 1;
    }
    lines.push(chars[start..].iter().collect());
    lines.join("\n")
}

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\0' => out.push_str("\\0"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\t' => out.push_str("\\t"),
            '\n' => out.push_str("\\n"),
            '\u{b}' => out.push_str("\\v"),
            '\u{c}' => out.push_str("\\f"),
            '\r' => out.push_str("\\r"),
            '\u{1b}' => out.push_str("\\e"),
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{85}' => out.push_str("\\N"),
            '\u{a0}' => out.push_str("\\_"),
            '\u{2028}' => out.push_str("\\L"),
            '\u{2029}' => out.push_str("\\P"),
            c if printable(c) => out.push(c),
            c if (c as u32) <= 0xff => {
                let _ = write!(out, "\\x{:02X}", c as u32);
            }
            c if (c as u32) <= 0xffff => {
                let _ = write!(out, "\\u{:04X}", c as u32);
            }
            c => {
                let _ = write!(out, "\\U{:08X}", c as u32);
            }
        }
    }
    out
}
