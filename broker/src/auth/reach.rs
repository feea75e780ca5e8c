//! What a filter of an ACL line reaches: what it covers as a filter, and levels by their beginning.

use crate::topic::covers;

/// Whether a line's filter reaches all that a topic or filter matches. A level of the line that ends in `*` stands for
/// every level that begins so; MQTT has no such wildcard.
pub(super) fn reaches(line: &str, wanted: &str) -> bool {
    if !line.contains('*') {
        return covers(line, wanted);
    }
    // As other wildcards at the first level [MQTT-4.7.2-1].
    if line.starts_with('*') && wanted.starts_with('$') {
        return false;
    }
    // Each such level stands for the one in its place, if that begins so.
    let mut wanted_levels = wanted.split('/');
    let mut filled = Vec::new();
    for level in line.split('/') {
        let own = wanted_levels.next();
        filled.push(match (level.strip_suffix('*'), own) {
            (Some(begin), Some(own)) if own.starts_with(begin) && !matches!(own, "+" | "#") => own,
            (Some(_), _) => return false,
            _ => level,
        });
    }
    covers(&filled.join("/"), wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_ends_in_a_star_stands_for_all_that_begin_so() {
        for wanted in ["p/a/res-1/x", "p/a/res-1/x/#", "p/b/res-22/+"] {
            assert!(reaches("p/+/res-*/#", wanted), "{wanted}");
        }
        for wanted in ["p/a/res/x", "p/a/in/x", "p/a/+/x", "p/a/#", "p/#", "p/a", "#", "p/+/+/x"] {
            assert!(!reaches("p/+/res-*/#", wanted), "{wanted}");
        }
        assert!(
            reaches("a/b", "a/b") && !reaches("*/#", "$SYS/x") && !reaches("*", "$SYS") && reaches("plant*", "plant-a")
        );
        assert!(!reaches("*", "+") && !reaches("*/#", "#") && !reaches("a*", "b"));
    }
}
