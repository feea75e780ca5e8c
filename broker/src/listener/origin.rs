//! Which web pages may connect over WebSocket.
//!
//! Browsers let any page open a WebSocket to any address, this machine's included, and say in `Origin` where the page is
//! from. Clients that are no browsers send none, and are not concerned.

use std::net::IpAddr;

use tokio_tungstenite::tungstenite::http::{HeaderMap, header};

/// Why the page may not connect, or nothing. `allowed` are origins as browsers send them, or `*` for any.
pub(super) fn refusal(headers: &HeaderMap, allowed: &[String]) -> Option<String> {
    let origin = headers.get(header::ORIGIN)?;
    let said = origin.to_str().unwrap_or_default();
    if allowed.iter().any(|allowed| allowed == "*" || allowed.eq_ignore_ascii_case(said)) {
        return None;
    }
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).map(name);
    let page = said.split_once("://").map(|(_, rest)| name(rest));
    // A page from the same machine. By address only: any page's name may be made to point here.
    let same = page.is_some_and(|page| Some(page) == host && is_address(page));
    (!same).then(|| format!("pages from {said:?} may not connect: allow them with ws_origins (--ws-origin)\n"))
}

/// Without the port.
fn name(authority: &str) -> &str {
    match authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((address, _)) => address,
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn is_address(name: &str) -> bool {
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_from_elsewhere_are_refused() {
        let allowed = ["https://plant.example".to_owned()];
        let asks = |origin: Option<&'static str>, host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, host.parse().unwrap());
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, origin.parse().unwrap());
            }
            refusal(&headers, &allowed).is_none()
        };
        assert!(asks(None, "anything"), "no browser");
        assert!(asks(Some("https://plant.example"), "broker:9001"));
        assert!(asks(Some("http://localhost:1880"), "localhost:9001"));
        assert!(asks(Some("http://127.0.0.1:1880"), "127.0.0.1:9001"));
        assert!(asks(Some("http://[::1]:1880"), "[::1]:9001"));
        for (origin, host) in [
            ("https://evil.example", "localhost:9001"),
            ("https://evil.example", "127.0.0.1:9001"),
            // Its name was made to point here.
            ("http://evil.example:9001", "evil.example:9001"),
            ("http://plant.example", "plant.example:9001"),
            ("http://localhost.evil.example", "localhost"),
            ("null", "localhost:9001"),
            ("", "localhost:9001"),
        ] {
            assert!(!asks(Some(origin), host), "{origin} to {host}");
        }
    }
}
