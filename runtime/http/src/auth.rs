//! Node-RED's `httpNodeAuth`: one user and password for everything that flows serve.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flotilla_tasks::Task;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use parking_lot::Mutex;
use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;

use super::answer::{Answer, plain};

/// Passwords that are checked at once: each takes tens of milliseconds of a core, on purpose.
const CHECKS: usize = 2;

/// Checks requests against the setting. A password that was right is remembered as a digest, together with the hash that it
/// fits, so that only the first request of a client waits for bcrypt.
pub(super) struct Auth {
    right: Mutex<Option<[u8; 32]>>,
    checks: Arc<Semaphore>,
}

impl Default for Auth {
    fn default() -> Auth {
        Auth { right: Mutex::new(None), checks: Arc::new(Semaphore::new(CHECKS)) }
    }
}

impl Auth {
    /// The answer to a request that does not show the user and password of `setting`; `None` when it may go on. A setting
    /// that cannot be checked lets nobody in.
    pub(super) async fn refuse(&self, setting: Option<&Json>, request: &HeaderMap) -> Option<Answer> {
        let setting = setting.filter(|setting| !setting.is_null() && **setting != Json::Bool(false))?;
        let text = |field: &str| setting.get(field).and_then(Json::as_str).filter(|text| !text.is_empty());
        let (Some(user), Some(hash)) = (text("user"), text("pass")) else {
            let why = "httpNodeAuth must be an object with \"user\" and \"pass\", a bcrypt hash".to_owned();
            return Some(plain(StatusCode::INTERNAL_SERVER_ERROR, why));
        };
        match shown(request) {
            Some((name, password)) if name == user && self.fits(&password, hash).await => None,
            _ => Some(challenge()),
        }
    }

    async fn fits(&self, password: &str, hash: &str) -> bool {
        let digest: [u8; 32] =
            Sha256::new().chain_update(hash).chain_update([0]).chain_update(password).finalize().into();
        if *self.right.lock() == Some(digest) {
            return true;
        }
        let Ok(_check) = self.checks.acquire().await else { return false };
        let (password, hash) = (password.to_owned(), hash.to_owned());
        let task = Task {
            name: "password check",
            owner: "http".into(),
            ends: "the hash is computed",
            failure: "the request is refused as with a wrong password",
        };
        let checked = task.spawn_blocking(move || bcrypt::verify(password, &hash).unwrap_or(false));
        let fits = checked.await.unwrap_or(false);
        if fits {
            *self.right.lock() = Some(digest);
        }
        fits
    }
}

/// User and password that a request shows (RFC 7617).
fn shown(request: &HeaderMap) -> Option<(String, String)> {
    let (scheme, rest) = request.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let decoded = STANDARD.decode(rest.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let text = String::from_utf8(decoded).ok()?;
    text.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

fn challenge() -> Answer {
    let mut answer = plain(StatusCode::UNAUTHORIZED, "Unauthorized".to_owned());
    let realm = HeaderValue::from_static("Basic realm=\"Authorization Required\"");
    answer.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    /// bcrypt of "test".
    const HASH: &str = "$2b$08$.jttE7jg9F.2KR0HvI4oaeyHUOggIekZyexxrU2xG8IQX9XylmDvK";

    fn request(pair: Option<&str>) -> HeaderMap {
        let value = |pair: &str| HeaderValue::try_from(format!("Basic {}", STANDARD.encode(pair))).unwrap();
        pair.map(|pair| (header::AUTHORIZATION, value(pair))).into_iter().collect()
    }

    #[tokio::test]
    async fn only_the_user_with_the_password_passes() {
        let auth = Auth::default();
        let setting = serde_json::json!({"user": "user", "pass": HASH});
        let status = async |setting: Option<&Json>, pair: Option<&str>| {
            auth.refuse(setting, &request(pair)).await.map(|answer| answer.status().as_u16())
        };
        assert_eq!(status(None, None).await, None, "nothing is asked for");
        for _ in 0..2 {
            assert_eq!(status(Some(&setting), Some("user:test")).await, None);
            for wrong in [None, Some("user:tesu"), Some("other:test"), Some("user"), Some("user:")] {
                assert_eq!(status(Some(&setting), wrong).await, Some(401), "{wrong:?}");
            }
        }
        let other = serde_json::json!({"user": "user", "pass": HASH.replace("XylmDvK", "XylmDvL")});
        assert_eq!(
            status(Some(&other), Some("user:test")).await,
            Some(401),
            "what was right is not remembered too long"
        );
        let broken = serde_json::json!({"user": "user"});
        assert_eq!(status(Some(&broken), Some("user:test")).await, Some(500), "it lets nobody in");
    }
}
