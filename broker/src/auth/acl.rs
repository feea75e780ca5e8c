//! The ACL file: who may publish and subscribe what.

use std::path::Path;

use super::AuthError;
use super::reach::reaches;
use crate::topic::Filter;

/// Who may publish and subscribe what. Whatever no line allows is refused.
#[derive(Debug, Clone)]
pub struct Acl {
    rules: Vec<Rule>,
}

#[derive(Debug, Clone)]
struct Rule {
    who: Who,
    publish: bool,
    subscribe: bool,
    pattern: Box<str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Who {
    Anyone,
    Anonymous,
    User(Box<str>),
}

/// One client's rights: filters with its own names filled in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rights {
    publish: Vec<Box<str>>,
    subscribe: Vec<Box<str>>,
}

const SYNTAX: &str = "write WHO WHAT FILTER: WHO is a user name, * for anyone or - for anonymous clients, WHAT is \
                      publish, subscribe or both; %c in FILTER is the ClientID, %u the user name, and a level that ends \
                      in * stands for all that begin so";

impl Acl {
    /// Reads lines of `WHO WHAT FILTER`; `#` at the beginning makes a comment.
    pub fn read(path: &Path) -> Result<Self, AuthError> {
        let io = |source| AuthError::Io { setting: "acl", path: path.to_owned(), source };
        let text = std::fs::read_to_string(path).map_err(io)?;
        Self::parse(&text).map_err(|(line, what)| AuthError::Line { path: path.to_owned(), line, what })
    }

    pub(super) fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut rules = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = || (at + 1, format!("{line:?} is not understood; {SYNTAX}"));
            let (who, rest) = line.split_once(char::is_whitespace).ok_or_else(wrong)?;
            let (what, pattern) = rest.trim_start().split_once(char::is_whitespace).ok_or_else(wrong)?;
            let pattern = pattern.trim_start();
            let (publish, subscribe) = match what {
                "publish" => (true, false),
                "subscribe" => (false, true),
                "both" => (true, true),
                _ => return Err(wrong()),
            };
            if !matches!(Filter::parse(pattern), Some(Filter::Plain(_))) {
                return Err((at + 1, format!("{pattern:?} is not a topic filter; {SYNTAX}")));
            }
            let who = match who {
                "*" => Who::Anyone,
                "-" => Who::Anonymous,
                name => Who::User(name.into()),
            };
            rules.push(Rule { who, publish, subscribe, pattern: pattern.into() });
        }
        Ok(Self { rules })
    }

    /// The rights of a client. A name with `/`, `+`, `#` or `*` in it fits no pattern with `%c` or `%u`, and one that
    /// begins with `$` none that begins with them: it would reach further than the pattern says.
    pub fn rights(&self, user: Option<&str>, client: &str) -> Rights {
        let mut rights = Rights::default();
        for rule in &self.rules {
            let applies = match &rule.who {
                Who::Anyone => true,
                Who::Anonymous => user.is_none(),
                Who::User(name) => user == Some(&**name),
            };
            let Some(filter) = applies.then(|| fill(&rule.pattern, user, client)).flatten() else { continue };
            if rule.publish {
                rights.publish.push(filter.clone());
            }
            if rule.subscribe {
                rights.subscribe.push(filter);
            }
        }
        rights
    }
}

fn fill(pattern: &str, user: Option<&str>, client: &str) -> Option<Box<str>> {
    let safe = |name: &str| !name.is_empty() && !name.contains(['/', '+', '#', '*']);
    let mut filled = pattern.to_owned();
    if pattern.contains("%u") {
        filled = filled.replace("%u", user.filter(|user| safe(user))?);
    }
    if pattern.contains("%c") {
        safe(client).then_some(())?;
        filled = filled.replace("%c", client);
    }
    // `$SYS` for `%c/#` would open what wildcards do not reach.
    (filled.starts_with('$') == pattern.starts_with('$')).then(|| filled.into())
}

impl Rights {
    /// Whether it may publish on `topic`.
    pub fn may_publish(&self, topic: &str) -> bool {
        self.publish.iter().any(|filter| reaches(filter, topic))
    }

    /// Whether it may subscribe to `filter`: everything that matches it must be allowed.
    pub fn may_subscribe(&self, filter: &str) -> bool {
        self.subscribe.iter().any(|allowed| reaches(allowed, filter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_the_clients_own() {
        let acl = Acl::parse("# rights\nann both own/%u/#\n* publish in/%c\n- subscribe public/#\n").unwrap();
        let ann = acl.rights(Some("ann"), "c1");
        assert!(ann.may_publish("own/ann/x") && ann.may_subscribe("own/ann/#") && ann.may_publish("in/c1"));
        assert!(!ann.may_publish("own/bob/x") && !ann.may_subscribe("own/#") && !ann.may_subscribe("public/x"));
        let guest = acl.rights(None, "+");
        assert!(guest.may_subscribe("public/a") && !guest.may_publish("in/x") && !guest.may_publish("in/+"));
        let acl = Acl::parse("* both %c/#\n* both %u\n* both own/%c/%u\n* subscribe $SYS/broker/#\n").unwrap();
        let dollar = acl.rights(Some("$SYS"), "$SYS");
        assert!(!dollar.may_subscribe("$SYS/#") && !dollar.may_publish("$SYS/x") && !dollar.may_publish("$SYS"));
        assert!(dollar.may_publish("own/$SYS/$SYS") && dollar.may_subscribe("$SYS/broker/uptime"));
        let star = Acl::parse("* both dev/%c/#\n* both own/%u/#\n").unwrap().rights(Some("a*"), "*");
        assert!(
            !star.may_subscribe("dev/other/#") && !star.may_publish("dev/other/x") && !star.may_publish("own/ab/x")
        );
        for (bad, line) in [("ann", 1), ("\nann write a", 2), ("ann both a#", 1)] {
            assert_eq!(Acl::parse(bad).unwrap_err().0, line, "{bad}");
        }
    }
}
