//! URLs for people.

/// A URL without user and password, for errors, logs, statuses and answers. It may be none: what is wrong with it is often its
/// password, with a `/` or `@` in it that is not percent-encoded. So everything up to the last `@` goes, unless the URL is one
/// of the web whose host ends before that `@`. What is a host there and what a password cannot always be told:
/// `https://me:1234/secret@h` is a URL with a port and a path.
///
/// ```
/// use flotilla_flows::shown_url;
///
/// assert_eq!(shown_url("mqtts://me:p@ss@plant:8883"), "mqtts://plant:8883");
/// assert_eq!(shown_url("https://plant/users/me@plant"), "https://plant/users/me@plant");
/// ```
pub fn shown_url(url: &str) -> String {
    let is_scheme = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
        _ => (None, url),
    };
    let Some(at) = rest.rfind('@') else { return url.to_owned() };
    let web = ["http", "https", "ws", "wss"];
    let is_web = scheme.is_some_and(|scheme| web.iter().any(|name| scheme.eq_ignore_ascii_case(name)));
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    if is_web && end < at && is_place(&rest[..end]) {
        return url.to_owned();
    }
    let shown = &rest[at + 1..];
    scheme.map_or_else(|| shown.to_owned(), |scheme| format!("{scheme}://{shown}"))
}

/// True for `HOST` and `HOST:PORT`.
fn is_place(authority: &str) -> bool {
    if authority.contains('@') {
        return false;
    }
    match authority.rsplit_once(':') {
        None => true,
        // IPv6 addresses are in brackets.
        Some((host, port)) => {
            let in_brackets = authority.starts_with('[');
            let is_port = port.chars().all(|c| c.is_ascii_digit()) && port.parse::<u16>().is_ok();
            (in_brackets && port.ends_with(']')) || (is_port && (in_brackets || !host.contains(':')))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_part_of_user_or_password_is_shown_of_bad_urls_either() {
        let mut tried = 0;
        for scheme in
            ["", "mqtt://", "MQTTS://", "redis://", "http://", "https://", "wss://", "bogus://", "a b://", "://"]
        {
            for who in [
                "me:hunter2",
                "hunter2:me",
                ":hunter2",
                "me:hunter2/hunter2",
                "me:123456/hunter2",
                "me:hunter2?hunter2",
                "me:hunter2#hunter2",
                "me:hunter2@hunter2",
                "me:hunter2@hunter2/hunter2",
                "me:hunter2://hunter2",
                "me:%zz hunter2",
                "me:[hunter2",
            ] {
                for place in ["h", "h:1883", "h:x", "", "[::1]:1883", "h/path?query=1#fragment"] {
                    let url = format!("{scheme}{who}@{place}");
                    let shown = shown_url(&url);
                    assert!(!shown.contains("hunter2") && shown.ends_with(place), "{url} is shown as {shown}");
                    tried += 1;
                }
            }
        }
        assert_eq!(tried, 10 * 12 * 6);
    }

    #[test]
    fn what_has_no_user_is_shown_whole() {
        for url in [
            "mqtt://plant:1883",
            "http://[::1]:80/a@b",
            "https://plant/me@plant?to=a@b",
            "sqlite:/var/lib/store.db",
            "/srv/a.git",
            "",
            "://",
        ] {
            assert_eq!(shown_url(url), url);
        }
        assert_eq!(shown_url("git@plant:a/b.git"), "plant:a/b.git");
    }
}
