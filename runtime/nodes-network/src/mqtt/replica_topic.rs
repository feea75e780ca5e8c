//! `${FLOTILLA_REPLICA}` inside topics: a topic of each replica's own, for replies that only the one which asked can use.

use std::borrow::Cow;

use flotilla_engine::settings::REPLICA;

/// A topic or filter with the replica's id filled in, and whether it was.
///
/// Node-RED fills `${NAME}` in only where it is a whole field; this name is filled in anywhere.
pub(super) fn filled<'a>(topic: &'a str, replica: &str) -> (Cow<'a, str>, bool) {
    let name = format!("${{{REPLICA}}}");
    if topic.contains(&name) {
        return (topic.replace(&name, replica).into(), true);
    }
    // As a whole field it was filled in already.
    (topic.into(), !topic.is_empty() && topic == replica)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_is_filled_in_anywhere() {
        assert_eq!(filled("res/${FLOTILLA_REPLICA}/+", "r1.0"), ("res/r1.0/+".into(), true));
        assert_eq!(filled("r1.0", "r1.0"), ("r1.0".into(), true));
        assert_eq!(filled("res/${OTHER}", "r1.0"), ("res/${OTHER}".into(), false));
        assert_eq!(filled("", ""), ("".into(), false));
    }
}
