//! Topics: `ff/v1/TEAM/p/PROJECT/in/LINK` for messages to a project, `.../out/LINK` for what it broadcasts, and
//! `.../res-.../LINK` for answers to its calls.

/// Which project a listener hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listens<'a> {
    /// What is sent to this project.
    Own,
    /// What this project broadcasts.
    To(&'a str),
    /// What any project broadcasts.
    ToAll,
}

/// The topic that leads to a link of another project.
pub(super) fn to(team: &str, project: &str, link: &str) -> Result<String, String> {
    build(team, project, "in", link)
}

/// The topic of what a project broadcasts.
pub(super) fn broadcast(team: &str, own: &str, link: &str) -> Result<String, String> {
    build(team, own, "out", link)
}

/// The topic of answers.
pub(super) fn answers(team: &str, caller: &str, response: &str, link: &str) -> Result<String, String> {
    // The caller says where: it must not lead into somebody's links.
    if response != "res" && !response.starts_with("res-") {
        return Err(format!("\"{response}\" is no place for an answer"));
    }
    build(team, caller, response, link)
}

/// The filter of a listener.
pub(super) fn filter(team: &str, own: &str, listens: Listens<'_>, link: &str) -> Result<String, String> {
    match listens {
        Listens::Own => build(team, own, "in", link),
        Listens::To(project) => build(team, project, "out", link),
        Listens::ToAll => build(team, "p", "out", link).map(|_| format!("ff/v1/{team}/p/+/out/{link}")),
    }
}

/// The link that a topic ends in.
pub(super) fn link_of(topic: &str) -> &str {
    topic.splitn(7, '/').nth(6).unwrap_or_default()
}

/// A number for a filter, as its subscription identifier: the broker says by it which subscription a message came through.
pub(super) fn id_of(filter: &str) -> u32 {
    let hash = flotilla_codec::agreed::hash_text(filter);
    1 + u32::try_from(hash % 268_435_454).unwrap_or_default()
}

fn build(team: &str, project: &str, way: &str, link: &str) -> Result<String, String> {
    for (what, level) in [("team", team), ("project", project), ("link", way)] {
        if !is_level(level) {
            return Err(format!("\"{level}\" cannot be the {what} of a project link: {RULE}"));
        }
    }
    if link.is_empty() || !link.split('/').all(is_level) {
        return Err(format!("\"{link}\" cannot be the topic of a project link: {RULE}"));
    }
    let topic = format!("ff/v1/{team}/p/{project}/{way}/{link}");
    if u16::try_from(topic.len()).is_err() {
        return Err(format!("the topic of a project link has {} bytes: 65,535 at most", topic.len()));
    }
    Ok(topic)
}

/// What a project may do on a broker that it shares with others, as lines of an ACL: hear what is for it, send to all.
pub fn rights(team: &str, project: &str) -> Vec<String> {
    if !is_level(team) || !is_level(project) {
        // The nodes say so: with these names there is no topic.
        return Vec::new();
    }
    [
        format!("subscribe ff/v1/{team}/p/{project}/in/#"),
        format!("subscribe ff/v1/{team}/p/+/out/#"),
        format!("subscribe ff/v1/{team}/p/{project}/res/#"),
        format!("subscribe ff/v1/{team}/p/{project}/res-*/#"),
        format!("publish ff/v1/{team}/p/+/in/#"),
        format!("publish ff/v1/{team}/p/{project}/out/#"),
        format!("publish ff/v1/{team}/p/+/res/#"),
        format!("publish ff/v1/{team}/p/+/res-*/#"),
    ]
    .into()
}

/// A team's name, as the command line takes it.
///
/// # Errors
/// Says what the name may not have.
pub fn team(name: &str) -> Result<String, String> {
    if is_level(name) { Ok(name.to_owned()) } else { Err(format!("\"{name}\" cannot be a team: {RULE}")) }
}

const RULE: &str = "it has no empty level, no white space and none of $ + # \\";

fn is_level(level: &str) -> bool {
    !level.is_empty()
        && !level.contains(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '/' | '$' | '+' | '#' | '\\'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_make_no_topic_have_no_rights() {
        assert!(rights("t", "+").is_empty() && rights("t\nboth #", "p").is_empty() && rights("t", "p").len() == 8);
        assert!(team("a b").is_err() && team("plant").is_ok());
    }

    #[test]
    fn topics_are_those_of_the_package() {
        assert_eq!(to("t", "p1", "a/b").unwrap(), "ff/v1/t/p/p1/in/a/b");
        assert_eq!(to("t", "dev:d1", "a").unwrap(), "ff/v1/t/p/dev:d1/in/a");
        assert_eq!(broadcast("t", "me", "a").unwrap(), "ff/v1/t/p/me/out/a");
        assert_eq!(answers("t", "p1", "res-00ff", "a").unwrap(), "ff/v1/t/p/p1/res-00ff/a");
        assert_eq!(filter("t", "me", Listens::Own, "a").unwrap(), "ff/v1/t/p/me/in/a");
        assert_eq!(filter("t", "me", Listens::To("p1"), "a").unwrap(), "ff/v1/t/p/p1/out/a");
        assert_eq!(filter("t", "me", Listens::ToAll, "a/b").unwrap(), "ff/v1/t/p/+/out/a/b");
        assert_eq!(link_of("ff/v1/t/p/p1/in/a/b"), "a/b");
        assert_ne!(id_of("ff/v1/t/p/+/out/a"), id_of("ff/v1/t/p/p1/out/a"));
    }

    #[test]
    fn what_would_lead_elsewhere_is_refused() {
        for link in ["", "a//b", "/a", "a/", "a b", "+", "a/#", "$share", "a\n", "a\\b"] {
            assert!(to("t", "p", link).is_err(), "{link:?}");
        }
        assert!(to("t", "p/in/x", "a").is_err() && to("t", "", "a").is_err() && to("t", "+", "a").is_err());
        for response in ["in", "out", "res/x", "", "result"] {
            assert!(answers("t", "p", response, "a").is_err(), "{response:?}");
        }
    }
}
