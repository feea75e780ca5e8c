//! The cookies of pages.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use cookie::{Cookie, SameSite};

/// The session's.
const SESSION: &str = "flotilla_session";
/// The state of a sign-in at a provider: that it was this browser which began it.
const SIGN_IN: &str = "flotilla_sign_in";
/// Where the browser shows that one.
const SIGN_IN_PATH: &str = "/login/oidc";
/// How long it does.
const SIGN_IN_AGE: Duration = Duration::from_secs(600);

/// The session that a request shows.
pub(super) fn session(headers: &HeaderMap) -> Option<String> {
    value(headers, SESSION)
}

/// The sign-in that a browser has begun.
pub(super) fn sign_in(headers: &HeaderMap) -> Option<String> {
    value(headers, SIGN_IN)
}

/// Has the browser show a session. No script reads it, and other sites' pages send it with links only; with TLS it goes
/// nowhere else.
pub(super) fn set_session(secret: &str, longest: Duration, tls: bool) -> String {
    written(SESSION, secret, "/", longest, tls)
}

/// Has the browser forget it.
pub(super) fn end_session(tls: bool) -> String {
    written(SESSION, "", "/", Duration::ZERO, tls)
}

/// Has the browser show the state of its sign-in when it comes back.
pub(super) fn set_sign_in(state: &str, tls: bool) -> String {
    written(SIGN_IN, state, SIGN_IN_PATH, SIGN_IN_AGE, tls)
}

/// Has the browser forget it.
pub(super) fn end_sign_in(tls: bool) -> String {
    written(SIGN_IN, "", SIGN_IN_PATH, Duration::ZERO, tls)
}

fn value(headers: &HeaderMap, name: &str) -> Option<String> {
    let all = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    let mut cookies = all.flat_map(Cookie::split_parse).filter_map(Result::ok);
    cookies.find(|cookie| cookie.name() == name).map(|cookie| cookie.value().to_owned())
}

fn written(name: &str, value: &str, path: &str, age: Duration, tls: bool) -> String {
    let age = cookie::time::Duration::seconds(i64::try_from(age.as_secs()).unwrap_or(i64::MAX));
    let cookie = Cookie::build((name, value)).path(path).http_only(true).same_site(SameSite::Lax).secure(tls);
    cookie.max_age(age).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_found_among_others_and_kept_from_scripts() {
        let mut headers = HeaderMap::new();
        headers.append(COOKIE, "a=b; xflotilla_session=no; flotilla_session=flses_1; z".parse().unwrap());
        assert_eq!(session(&headers).as_deref(), Some("flses_1"));
        assert_eq!(sign_in(&headers), None);
        let set = set_session("flses_1", Duration::from_secs(60), true);
        for part in ["flotilla_session=flses_1", "HttpOnly", "SameSite=Lax", "Secure", "Path=/", "Max-Age=60"] {
            assert!(set.contains(part), "{set}: {part}");
        }
        assert!(!set_session("x", Duration::ZERO, false).contains("Secure"));
    }
}
