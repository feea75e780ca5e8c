//! Express-style paths: `/literal`, `:param`, `:param?`, `:param(\d+)`, `*`. Semantics of path-to-regexp 0.1, which
//! Express 4 and so Node-RED use: case does not matter, one slash at the end neither.

use percent_encoding::percent_decode_str;
use regress::{Regex, limit};

use flotilla_value::{Object, Str};

/// Steps that the pattern of a path may take: a path comes from outside, and some patterns need time that grows exponentially with it.
const STEPS: u64 = 1_000_000;

/// A compiled path.
pub(super) enum Pattern {
    /// Lower case, without a slash at the end.
    Literal(String),
    /// Of whole segments only, `/a/:b`, as most are that have parameters: compared by hand.
    Segments(Vec<Segment>),
    /// All others.
    Regex { regex: Box<Regex>, names: Vec<Str> },
}

/// What is between two slashes.
pub(super) enum Segment {
    Literal(String),
    /// Anything that is not empty.
    Parameter(Str),
}

/// A parameter in the URL that is not valid percent-encoded UTF-8, or a URL that its pattern cannot be compared with: 400.
#[derive(Debug, PartialEq)]
pub(super) struct BadParameter;

/// A path as literal patterns hold it.
pub(super) fn normal(path: &str) -> String {
    let path = path.strip_suffix('/').filter(|rest| !rest.is_empty()).unwrap_or(path);
    path.to_ascii_lowercase()
}

impl Pattern {
    /// Compiles a path.
    ///
    /// # Errors
    /// The text of the error when it is no valid pattern.
    pub(super) fn compile(path: &str) -> Result<Pattern, String> {
        if !path.contains([':', '*', '(', '?', '+', '[', '\\']) {
            return Ok(Pattern::Literal(normal(path)));
        }
        match segments(path) {
            Some(segments) => Ok(Pattern::Segments(segments)),
            None => Pattern::by_regex(path),
        }
    }

    fn by_regex(path: &str) -> Result<Pattern, String> {
        let (source, names) = translate(path);
        let regex =
            Regex::with_flags(&source, "i").map_err(|error| format!("the path {path} is not valid: {error}"))?;
        Ok(Pattern::Regex { regex: Box::new(regex), names })
    }

    /// The parameters when the path matches.
    pub(super) fn matches(&self, path: &str) -> Option<Result<Object, BadParameter>> {
        let (regex, names) = match self {
            Pattern::Literal(literal) => return (*literal == normal(path)).then(|| Ok(Object::new())),
            Pattern::Segments(segments) => return match_segments(segments, path),
            Pattern::Regex { regex, names } => (regex, names),
        };
        let Ok(found) = limit::within(STEPS, || regex.find(path)) else { return Some(Err(BadParameter)) };
        let found = found?;
        let mut params = Object::new();
        for (at, name) in names.iter().enumerate() {
            let Some(range) = found.group(at + 1) else { continue };
            if let Err(bad) = add(&mut params, name, &path[range]) {
                return Some(Err(bad));
            }
        }
        Some(Ok(params))
    }
}

fn add(params: &mut Object, name: &Str, raw: &str) -> Result<(), BadParameter> {
    let text = percent_decode_str(raw).decode_utf8().map_err(|_| BadParameter)?;
    params.insert(name.clone(), text.as_ref());
    Ok(())
}

/// The segments of a path that has whole ones only; `None` when anything in it means more to a regular expression.
fn segments(path: &str) -> Option<Vec<Segment>> {
    let path = path.strip_prefix('/')?;
    let segment = |text: &str| {
        if let Some(name) = text.strip_prefix(':') {
            let whole = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            return whole.then(|| Segment::Parameter(Str::new(name)));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%@!,;=&".contains(&byte);
        (!text.is_empty() && text.bytes().all(plain)).then(|| Segment::Literal(text.to_owned()))
    };
    path.strip_suffix('/').unwrap_or(path).split('/').map(segment).collect()
}

fn match_segments(segments: &[Segment], path: &str) -> Option<Result<Object, BadParameter>> {
    let (mut rest, mut parameters) = (path, 0);
    for segment in segments {
        let (text, behind) = next_segment(rest)?;
        let fits = match segment {
            Segment::Literal(literal) => literal.eq_ignore_ascii_case(text),
            Segment::Parameter(_) => {
                parameters += 1;
                !text.is_empty()
            }
        };
        if !fits {
            return None;
        }
        rest = behind;
    }
    if !matches!(rest, "" | "/") {
        return None;
    }
    // Only now: most paths that are compared do not match.
    let mut params = Object::with_capacity(parameters);
    rest = path;
    for segment in segments {
        let (text, behind) = next_segment(rest)?;
        if let Segment::Parameter(name) = segment
            && let Err(bad) = add(&mut params, name, text)
        {
            return Some(Err(bad));
        }
        rest = behind;
    }
    Some(Ok(params))
}

/// What is between the slash at the beginning and the next one, and the rest from there.
fn next_segment(path: &str) -> Option<(&str, &str)> {
    let path = path.strip_prefix('/')?;
    Some(path.split_at(path.find('/').unwrap_or(path.len())))
}

/// The regular expression of a path and the names of its groups.
fn translate(path: &str) -> (String, Vec<Str>) {
    let chars: Vec<char> = path.chars().collect();
    let (mut out, mut names, mut unnamed, mut at) = (String::from("^"), Vec::new(), 0, 0);
    let mut number = |names: &mut Vec<Str>| {
        names.push(Str::from(unnamed.to_string()));
        unnamed += 1;
    };
    while at < chars.len() {
        let (slash, dot) = match chars[at..] {
            ['/', '.', ':', ..] => (true, true),
            ['/', ':', ..] => (true, false),
            ['.', ':', ..] => (false, true),
            _ => (false, false),
        };
        let name_at = at + usize::from(slash) + usize::from(dot) + 1;
        let name: String = match chars.get(name_at - 1) {
            Some(':') => chars[name_at..].iter().take_while(|c| c.is_ascii_alphanumeric() || **c == '_').collect(),
            _ => String::new(),
        };
        if !name.is_empty() {
            at = name_at + name.len();
            let mut capture = if dot { "([^/.]+?)".to_owned() } else { "([^/]+?)".to_owned() };
            if chars.get(at) == Some(&'(')
                && let Some(end) = chars[at..].iter().position(|c| *c == ')')
            {
                capture = chars[at..=at + end].iter().collect::<String>().replacen('*', "(.*)", 1);
                at += end + 1;
            }
            names.push(Str::from(name));
            let star = chars.get(at) == Some(&'*');
            at += usize::from(star);
            let optional = chars.get(at) == Some(&'?');
            at += usize::from(optional);
            let (format, slash) = (if dot { "\\." } else { "" }, if slash { "/" } else { "" });
            let rest = if star { "(?:[/].+?)?" } else { "" };
            out.push_str(&format!("(?:{slash}{format}{capture}{rest}){}", if optional { "?" } else { "" }));
            continue;
        }
        match chars[at] {
            '\\' if at + 1 < chars.len() => {
                out.extend(&chars[at..at + 2]);
                at += 1;
            }
            '.' => out.push_str("\\."),
            '*' => {
                out.push_str("(.*)");
                number(&mut names);
            }
            '(' if chars.get(at + 1) != Some(&'?') && at > 0 && chars[at - 1] == '/' => out.push_str("(?:"),
            '(' if chars.get(at + 1) != Some(&'?') => {
                out.push('(');
                number(&mut names);
            }
            other => out.push(other),
        }
        at += 1;
    }
    out.push_str(if out.ends_with('/') { "?$" } else { "/?$" });
    (out, names)
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_value::Value;
    use proptest::prelude::*;

    fn params(pattern: &str, path: &str) -> Option<String> {
        let params = Pattern::compile(pattern).unwrap().matches(path)?.unwrap();
        flotilla_value::stringify(&Value::from(params)).unwrap()
    }

    #[test]
    fn paths_match_as_in_express() {
        for (pattern, path, expected) in [
            ("/a/b", "/A/b/", Some("{}")),
            ("/a/b", "/a/b/c", None),
            ("/u/:id", "/u/a%20b", Some(r#"{"id":"a b"}"#)),
            ("/u/:id", "/u/", None),
            ("/u/:id?", "/u", Some("{}")),
            ("/u/:id(\\d+)", "/u/12", Some(r#"{"id":"12"}"#)),
            ("/u/:id(\\d+)", "/u/x", None),
            ("/f/*", "/f/a/b", Some(r#"{"0":"a/b"}"#)),
            ("/:a-:b", "/1-2", Some(r#"{"a":"1","b":"2"}"#)),
            ("/x.:ext", "/x.json", Some(r#"{"ext":"json"}"#)),
            ("/ab?cd", "/acd", Some("{}")),
        ] {
            assert_eq!(params(pattern, path).as_deref(), expected, "{pattern} {path}");
        }
        assert!(Pattern::compile("/u/:id").unwrap().matches("/u/%ff").unwrap().is_err());
        let evil = format!("/u/{}b", "a".repeat(60));
        assert!(Pattern::compile("/u/:id((a+)+)c").unwrap().matches(&evil).unwrap().is_err());
    }

    type Shown = Option<Result<String, BadParameter>>;

    fn shown(found: Option<Result<Object, BadParameter>>) -> Shown {
        let json = |params: Object| flotilla_value::stringify(&Value::from(params)).unwrap().unwrap_or_default();
        found.map(|found| found.map(json))
    }

    #[test]
    fn usual_paths_need_no_regex() {
        for usual in ["/hello/:name", "/a/:b/c.d/:e_1/", "/:a"] {
            assert!(matches!(Pattern::compile(usual), Ok(Pattern::Segments(_))), "{usual}");
        }
        for other in ["/a/:b?", "/a/:b(x)", "/:a-:b", "/x.:ext", "/a/:b*", "/a//:b", "a/:b", "/a$/:b", "/\u{e4}/:b"] {
            assert!(!matches!(Pattern::compile(other), Ok(Pattern::Segments(_))), "{other}");
        }
    }

    /// A segment of a pattern, one of a path, and whether the path has the pattern's own in the other case instead.
    fn pairs() -> impl Strategy<Value = Vec<(String, String, bool)>> {
        let pair = ("a|:x|b\\.c|:y_1|%|a-b", "[aA]|b.C|%20|%ff|z{0,3}|%C3%A4|\\.|:x", any::<bool>());
        prop::collection::vec(pair, 1..5)
    }

    proptest! {
        /// Whichever way a path is compared, the answer is the same.
        #[test]
        fn segments_match_as_their_regex(
            parts in pairs(),
            slash in any::<bool>(),
            end in "/{0,2}|/a|/",
        ) {
            let mut pattern = parts.iter().map(|(part, _, _)| format!("/{part}")).collect::<Vec<_>>().concat();
            let path = parts
                .iter()
                .map(|(part, other, own)| {
                    if *own && !part.starts_with(':') { format!("/{}", part.to_uppercase()) } else { format!("/{other}") }
                })
                .collect::<Vec<_>>()
                .concat()
                + &end;
            if slash && parts.iter().any(|(part, _, _)| part.starts_with(':')) {
                pattern.push('/');
            }
            let by_hand = match_segments(&segments(&pattern).unwrap(), &path);
            let by_regex = Pattern::by_regex(&pattern).unwrap().matches(&path);
            prop_assert_eq!(shown(by_hand), shown(by_regex), "{} {}", pattern, path);
        }
    }
}
