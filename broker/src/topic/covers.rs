//! Whether one filter covers another.

/// Whether every topic that `narrow` matches (a topic matches itself) is matched by `wide`, too.
pub fn covers(wide: &str, narrow: &str) -> bool {
    // The same topics.
    let wide = if wide == "+/#" { "#" } else { wide };
    // Wildcards at the first level do not reach topics that begin with $ [MQTT-4.7.2-1].
    if narrow.starts_with('$') && wide.starts_with(['+', '#']) {
        return false;
    }
    let (mut wide, mut narrow) = (wide.split('/'), narrow.split('/'));
    loop {
        match (wide.next(), narrow.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some("+"), Some(level)) if level != "#" => {}
            (Some(a), Some(b)) if a == b => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_covers_what_is_narrower() {
        for (wide, narrow) in
            [("#", "a/b"), ("a/#", "a"), ("a/#", "a/+/#"), ("a/+", "a/+"), ("a/+", "a/b"), ("+/b", "+/b"), ("+/#", "#")]
        {
            assert!(covers(wide, narrow), "{wide} {narrow}");
        }
        for (wide, narrow) in
            [("a/+", "a/#"), ("a/b", "a/+"), ("a", "a/b"), ("#", "$SYS/x"), ("+/x", "$SYS/x"), ("a/+", "a")]
        {
            assert!(!covers(wide, narrow), "{wide} {narrow}");
        }
    }
}
