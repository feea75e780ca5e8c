//! `flotilla pipeline hook`: webhooks of GitHub and GitLab start runs. It listens where they can reach it, so that the admin
//! API need not.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use flotilla_api::Client;
use flotilla_api::pipeline::NewRun;
use hmac::{Hmac, Mac};
use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use crate::process::Shutdown;

/// The largest webhook: GitHub sends 25 MB at most.
const LARGEST: usize = 25 << 20;
/// Webhooks that are read at once.
const AT_ONCE: usize = 4;
/// How long a body may take.
const ARRIVES: Duration = Duration::from_secs(30);
/// How long open requests get when the hook stops.
const ENDS: Duration = Duration::from_secs(5);

/// What a hook works with.
struct Hook {
    client: Client,
    pipeline: String,
    secret: String,
    branch: Option<String>,
    places: Semaphore,
}

/// Serves `POST /` until a signal.
pub(super) async fn serve(
    client: Client,
    pipeline: String,
    secret: String,
    branch: Option<String>,
    listen: SocketAddr,
) -> anyhow::Result<ExitCode> {
    let mut signals = Shutdown::listen()?;
    // A name that no pipeline has would be noticed with the first push only.
    client.pipeline(&pipeline).await?;
    let listener =
        tokio::net::TcpListener::bind(listen).await.with_context(|| format!("cannot listen on --listen {listen}"))?;
    tracing::info!(address = %listener.local_addr()?, pipeline, "webhooks are answered");
    let hook = Arc::new(Hook { client, pipeline, secret, branch, places: Semaphore::new(AT_ONCE) });
    let app = Router::new().route("/", post(in_time)).with_state(hook);
    let stop = CancellationToken::new();
    let stopped = stop.clone();
    let served = axum::serve(listener, app).with_graceful_shutdown(async move { stopped.cancelled().await });
    let signalled = async {
        signals.next().await;
        stop.cancel();
        // Half a request holds nobody up.
        tokio::time::sleep(ENDS).await;
    };
    tokio::select! {
        served = served.into_future() => served?,
        () = signalled => {}
    }
    Ok(ExitCode::SUCCESS)
}

/// A webhook that is not here in time is refused, and few are read at once: nobody has shown the secret yet.
async fn in_time(State(hook): State<Arc<Hook>>, request: Request) -> (StatusCode, String) {
    let Ok(_place) = hook.places.acquire().await else {
        return (StatusCode::SERVICE_UNAVAILABLE, "the hook stops\n".to_owned());
    };
    let (head, body) = request.into_parts();
    let read = axum::body::to_bytes(body, LARGEST);
    match tokio::time::timeout(ARRIVES, read).await {
        Ok(Ok(body)) => receive(&hook, &head.headers, &body).await,
        Ok(Err(error)) => (StatusCode::BAD_REQUEST, format!("the body cannot be read: {error}\n")),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, format!("the body was not here within {} s\n", ARRIVES.as_secs())),
    }
}

async fn receive(hook: &Hook, headers: &HeaderMap, body: &[u8]) -> (StatusCode, String) {
    if !is_signed(&hook.secret, headers, body) {
        tracing::warn!("a webhook without a signature, or with a wrong one, was refused");
        return (StatusCode::UNAUTHORIZED, "the signature is missing or wrong\n".to_owned());
    }
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let event = [text("x-github-event"), text("x-gitlab-event")].join("");
    if event == "ping" {
        return (StatusCode::OK, "pong\n".to_owned());
    }
    if !matches!(&*event, "push" | "Push Hook") {
        return (StatusCode::ACCEPTED, format!("a \"{event}\" starts nothing; a push does\n"));
    }
    let push: Value = match serde_json::from_slice(body) {
        Ok(push) => push,
        Err(error) => return (StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}\n")),
    };
    let field = |path: &str| push.pointer(path).and_then(Value::as_str).unwrap_or_default().to_owned();
    let pushed = field("/ref");
    let pushed = pushed.strip_prefix("refs/heads/").unwrap_or_default();
    if pushed.is_empty() || hook.branch.as_ref().is_some_and(|branch| branch != pushed) {
        return (StatusCode::ACCEPTED, format!("a push to \"{pushed}\" starts nothing\n"));
    }
    let gone = field("/after").chars().all(|digit| digit == '0');
    if gone {
        return (StatusCode::ACCEPTED, "a deleted branch starts no run\n".to_owned());
    }
    let who = [field("/pusher/name"), field("/user_username"), "somebody".to_owned()];
    let who = who.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let commit: String = field("/after").chars().take(12).collect();
    // Whoever repeats a webhook, a network or somebody who overheard it, starts nothing new. It goes by what is signed: the id in
    // the headers is not.
    let once = Sha256::digest(body).iter().map(|byte| format!("{byte:02x}")).collect();
    let message = format!("push of {commit} to {pushed} by {who}");
    let new = NewRun { message, once: Some(once), ..NewRun::default() };
    match hook.client.begin_run(&hook.pipeline, &new).await {
        Ok(run) => (StatusCode::ACCEPTED, format!("run {} has begun\n", run.number)),
        Err(error) => {
            tracing::warn!(%error, "a webhook could not start a run");
            (StatusCode::BAD_GATEWAY, "the run could not be started; see the log\n".to_owned())
        }
    }
}

/// GitHub signs the body (`X-Hub-Signature-256: sha256=HEX`, HMAC); GitLab shows the secret itself (`X-Gitlab-Token`).
fn is_signed(secret: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(signature) = text("x-hub-signature-256") {
        let hex = signature.strip_prefix("sha256=").unwrap_or_default();
        let byte = |at: usize| hex.get(at..at + 2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let bytes: Option<Vec<u8>> = (0..hex.len()).step_by(2).map(byte).collect();
        let (Some(bytes), Ok(mut mac)) = (bytes, Hmac::<Sha256>::new_from_slice(secret.as_bytes())) else {
            return false;
        };
        mac.update(body);
        return mac.verify_slice(&bytes).is_ok();
    }
    // Digests are compared, so that the time it takes tells nothing of the secret.
    text("x-gitlab-token").is_some_and(|token| Sha256::digest(token) == Sha256::digest(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(axum::http::HeaderName::from_static(name), value.parse().unwrap())])
    }

    #[test]
    fn only_what_is_signed_with_the_secret_is_taken() {
        // From GitHub's documentation of webhooks.
        let (secret, body) = ("It's a Secret to Everybody", b"Hello, World!");
        let good = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert!(is_signed(secret, &headers("x-hub-signature-256", good), body));
        assert!(!is_signed(secret, &headers("x-hub-signature-256", good), b"Hello, World?"));
        assert!(!is_signed("other", &headers("x-hub-signature-256", good), body));
        for bad in ["sha256=", "sha256=7571", "sha1=757107ea", "sha256=\u{e9}"] {
            let Ok(value) = bad.parse::<axum::http::HeaderValue>() else { continue };
            let headers = HeaderMap::from_iter([(axum::http::HeaderName::from_static("x-hub-signature-256"), value)]);
            assert!(!is_signed(secret, &headers, body), "{bad}");
        }
        assert!(is_signed(secret, &headers("x-gitlab-token", secret), body));
        assert!(!is_signed(secret, &headers("x-gitlab-token", "It's"), body));
        assert!(!is_signed(secret, &HeaderMap::new(), body));
    }
}
