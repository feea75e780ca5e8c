//! Who may call which paths of a group's flows.

use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flotilla_group::GroupError;
use flotilla_group::accounts::Accounts;
use flotilla_group::rights::{Right, Target};
use hyper::header::{AUTHORIZATION, HeaderName, HeaderValue};
use hyper::{HeaderMap, Method, StatusCode};
use parking_lot::Mutex;
use percent_encoding::percent_decode_str;
use sha2::{Digest, Sha256};

/// A token that was checked is not asked for again for so long: a revoked one is good for that time at most.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// So many tokens are remembered; beyond that all are asked for anew.
const MOST: usize = 10_000;
/// To the flow: who called. What clients send under this name is taken away.
const USER: HeaderName = HeaderName::from_static("x-flotilla-user");

/// Which paths ask for a credential.
#[derive(Clone, Debug, Default)]
pub struct Protection {
    /// Paths that ask for one: a path, or with `*` at its end all that begin so.
    pub protect: Vec<String>,
    /// Paths among them that do not.
    pub open: Vec<String>,
}

/// Asks callers for their credential.
pub struct Callers {
    protection: Protection,
    accounts: Accounts,
    group: String,
    known: Mutex<HashMap<[u8; 32], Known>>,
}

#[derive(Clone)]
struct Known {
    user: Arc<str>,
    since: Instant,
}

/// Why a caller is turned away.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TurnedAway {
    pub(super) status: StatusCode,
    pub(super) why: String,
}

impl Protection {
    /// Whether a path asks for a credential. A path is protected however it is written (case, escapes, slashes at its end),
    /// as a flow's routes take it in several ways; it is open only as it stands in the rule.
    fn covers(&self, path: &str) -> bool {
        if self.protect.is_empty() || self.open.iter().any(|rule| fits(rule, path) && is_plain(path)) {
            return false;
        }
        let Ok(plain) = percent_decode_str(path).decode_utf8() else { return true };
        let plain = plain.to_lowercase().replace('\\', "/");
        if plain.split('/').any(|part| part == ".." || part == ".") {
            return true;
        }
        let parts: Vec<&str> = plain.split('/').filter(|part| !part.is_empty()).collect();
        let mut plain = String::new();
        for part in parts {
            let _ = write!(plain, "/{part}");
        }
        let plain = if plain.is_empty() { "/" } else { &plain };
        self.protect.iter().any(|rule| {
            let rule = rule.to_lowercase();
            let folder = rule.strip_suffix("/*");
            fits(&rule, plain) || folder.is_some_and(|folder| plain == folder) || rule.trim_end_matches('/') == plain
        })
    }
}

/// Without anything that could mean another path.
fn is_plain(path: &str) -> bool {
    !path.contains(['%', '\\']) && path.split('/').all(|part| part != ".." && part != ".")
}

fn fits(rule: &str, path: &str) -> bool {
    match rule.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => rule == path,
    }
}

impl fmt::Debug for Callers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callers").field("protection", &self.protection).finish_non_exhaustive()
    }
}

impl Callers {
    /// The callers of a group's flows.
    pub fn new(protection: Protection, accounts: Accounts, group: &str) -> Callers {
        Callers { protection, accounts, group: group.to_owned(), known: Mutex::default() }
    }

    /// Lets a request in: with the name of who sends it, and without the credential.
    pub(super) async fn admit(&self, method: &Method, path: &str, headers: &mut HeaderMap) -> Result<(), TurnedAway> {
        headers.remove(USER);
        // A preflight shows no credential (Fetch, section 3.2.5).
        if method == Method::OPTIONS || !self.protection.covers(path) {
            return Ok(());
        }
        let token = shown(headers).ok_or_else(|| TurnedAway {
            status: StatusCode::UNAUTHORIZED,
            why: "this path asks for a token: send Authorization: Bearer TOKEN".to_owned(),
        })?;
        let user = self.user(&token).await?;
        headers.remove(AUTHORIZATION);
        if let Ok(name) = HeaderValue::from_str(&user) {
            headers.insert(USER, name);
        }
        Ok(())
    }

    async fn user(&self, token: &str) -> Result<Arc<str>, TurnedAway> {
        let digest: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let known = self.known.lock().get(&digest).filter(|known| known.since.elapsed() < GOOD_FOR).cloned();
        if let Some(known) = known {
            return Ok(known.user);
        }
        let away = |error: GroupError| TurnedAway { status: StatusCode::SERVICE_UNAVAILABLE, why: error.to_string() };
        let Some(found) = self.accounts.by_token(token).await.map_err(away)? else {
            let why = "this token is not known: it was revoked, it expired, or its user is gone".to_owned();
            return Err(TurnedAway { status: StatusCode::UNAUTHORIZED, why });
        };
        let target = Target { group: Some(&self.group), ..Target::default() };
        found
            .principal
            .may(Right::CallFlows, target)
            .map_err(|refused| TurnedAway { status: StatusCode::FORBIDDEN, why: refused.to_string() })?;
        let user: Arc<str> = found.principal.name.into();
        let mut known = self.known.lock();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(digest, Known { user: user.clone(), since: Instant::now() });
        Ok(user)
    }
}

/// The token of `Authorization: Bearer TOKEN`, or the password of `Basic`, where a client knows nothing else.
fn shown(headers: &HeaderMap) -> Option<String> {
    let (kind, value) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if kind.eq_ignore_ascii_case("bearer") {
        return Some(value.trim().to_owned());
    }
    if !kind.eq_ignore_ascii_case("basic") {
        return None;
    }
    let plain = String::from_utf8(STANDARD.decode(value.trim()).ok()?).ok()?;
    plain.split_once(':').map(|(_, password)| password.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_protected_however_it_is_written() {
        let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
        let some = Protection { protect: texts(&["/orders/*", "/admin"]), open: texts(&["/orders/health"]) };
        for path in [
            "/orders/1",
            "/ORDERS/1",
            "/orders",
            "/orders/",
            "/%6frders/1",
            "//orders//1",
            "/admin",
            "/Admin/",
            "/orders/HEALTH",
            "/orders/%68ealth",
            "/x/../orders/1",
            "/%ff",
            "/orders/health/",
            "\\orders\\1",
        ] {
            assert!(some.covers(path), "{path}");
        }
        for path in ["/", "/order", "/admins", "/orders/health", "/other/orders/1"] {
            assert!(!some.covers(path), "{path}");
        }
        let all = Protection { protect: texts(&["/*"]), open: texts(&["/public/*"]) };
        assert!(all.covers("/") && all.covers("/a") && !all.covers("/public/a") && all.covers("/public%2fa"));
        assert!(all.covers("/public/../a"), "an open folder is no way out of it");
        assert!(!Protection::default().covers("/a"));
    }

    #[test]
    fn a_token_is_shown_as_bearer_or_as_a_password() {
        let ask = |value: &str| shown(&HeaderMap::from_iter([(AUTHORIZATION, value.parse().unwrap())]));
        assert_eq!(ask("Bearer t").as_deref(), Some("t"));
        assert_eq!(ask(&format!("Basic {}", STANDARD.encode("any:t"))).as_deref(), Some("t"));
        assert_eq!((ask("Digest x"), ask("Basic !"), ask("Bearer")), (None, None, None));
    }
}
