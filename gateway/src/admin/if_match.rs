//! The header `If-Match` (RFC 9110, section 13.1.1).

use axum::http::HeaderMap;
use axum::http::header::IF_MATCH;
use flotilla_api::Problem;

use super::parameters::shown;

/// What it looks like, in the regular expressions of JSON Schema: `*`, or ETags in quotes with commas between them.
pub(super) const PATTERN: &str = "^(\\*|(W/)?\"[!#-~]*\"([ \\t]*,[ \\t]*(W/)?\"[!#-~]*\")*)$";

/// The versions that a request is for, in quotes; `None`: any. A weak tag (`W/"..."`) is left out: it is never the same as another
/// one (section 8.8.3.2, strong comparison), so that a list of weak tags alone fits nothing.
///
/// `*` is as no header: what is not there is refused by its handler.
///
/// # Errors
/// 400 for what is no list of tags: a tag without its quotes would never fit, and a client would look for who changed the thing.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Option<Vec<String>>, Problem> {
    let mut lines = headers.get_all(IF_MATCH).iter().peekable();
    if lines.peek().is_none() {
        return Ok(None);
    }
    // Several lines are one list (section 5.3).
    let lines: Vec<_> = lines.map(|line| String::from_utf8_lossy(line.as_bytes())).collect();
    let given = lines.join(", ");
    if given.trim() == "*" {
        return Ok(None);
    }
    match tags(&given) {
        Some(tags) => Ok(Some(tags)),
        None => {
            let detail = format!(
                "If-Match is {}: send the ETag of a GET as it is, with its quotes (If-Match: \"12\"), several with commas \
                 between them, or * for any version",
                shown(&given)
            );
            Err(Problem::new(400, "bad_if_match", detail).of_field("If-Match"))
        }
    }
}

/// The strong tags of a list; `None` for what is no list of tags. A comma may be part of a tag, and a list may have empty parts
/// (section 5.6.1.2).
fn tags(list: &str) -> Option<Vec<String>> {
    let mut rest = list.trim();
    let (mut strong, mut any) = (Vec::new(), false);
    loop {
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return any.then_some(strong);
        }
        let weak = rest.strip_prefix("W/");
        let text = weak.unwrap_or(rest).strip_prefix('"')?;
        let (tag, behind) = text.split_once('"')?;
        if tag.contains(|letter: char| letter <= ' ' || letter == '\x7f') {
            return None;
        }
        any = true;
        if weak.is_none() {
            strong.push(format!("\"{tag}\""));
        }
        rest = behind.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn read(lines: &[&str]) -> Result<Option<Vec<String>>, Problem> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(IF_MATCH, HeaderValue::from_str(line).unwrap());
        }
        if_match(&headers)
    }

    #[test]
    fn a_list_of_tags_is_read_as_rfc_9110_has_it() {
        let all = |tags: &[&str]| Some(tags.iter().map(|tag| (*tag).to_owned()).collect::<Vec<_>>());
        for (lines, wanted) in [
            (&[][..], None),
            (&["*"], None),
            (&[" * "], None),
            (&["\"1\""], all(&["\"1\""])),
            (&["\"1\",\"2\" ,\t\"3.a\""], all(&["\"1\"", "\"2\"", "\"3.a\""])),
            (&["\"1\"", "\"2\""], all(&["\"1\"", "\"2\""])),
            (&[", \"1\",, \"2\","], all(&["\"1\"", "\"2\""])),
            (&["\"a,b\""], all(&["\"a,b\""])),
            (&["\"\""], all(&["\"\""])),
            // A weak one fits nothing.
            (&["W/\"1\""], all(&[])),
            (&["W/\"1\", \"2\""], all(&["\"2\""])),
        ] {
            assert_eq!(read(lines).unwrap(), wanted, "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_tag_is_refused_with_what_to_do() {
        for line in
            ["1", "\"1", "1\"", "'1'", "", ",", "w/\"1\"", "W/1", "\"1\" \"2\"", "\"1\", 2", "*, \"1\"", "\"a b\""]
        {
            let problem = read(&[line]).unwrap_err();
            assert_eq!(
                (problem.status, &*problem.code, problem.field.as_deref()),
                (400, "bad_if_match", Some("If-Match"))
            );
            assert!(problem.detail.starts_with(&format!("If-Match is {line:?}: send the ETag")), "{}", problem.detail);
        }
    }
}
