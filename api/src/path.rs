//! Names as parts of a URL.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// All but what may stand in any part of a URL (RFC 3986, section 2.3).
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as one part of a path, or as a value in a query.
pub fn part(name: &str) -> String {
    utf8_percent_encode(name, RESERVED).to_string()
}

/// A path below a group.
pub(crate) fn of_group(group: &str, rest: &str) -> String {
    let slash = if rest.is_empty() { "" } else { "/" };
    format!("/api/v1/groups/{}{slash}{rest}", part(group))
}
