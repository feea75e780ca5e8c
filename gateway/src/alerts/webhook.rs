//! One alert, POSTed.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use flotilla_api::alert::Alert;
use flotilla_tasks::Task;
use hmac::{Hmac, Mac};
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use sha2::Sha256;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The header with the signature.
pub const SIGNATURE: &str = "flotilla-signature";
/// How long a receiver may take.
const LIMIT: Duration = Duration::from_secs(5);

/// Where alerts go.
#[derive(Clone, Debug)]
pub struct Webhook {
    uri: Uri,
    secret: Option<Arc<str>>,
}

/// Why an alert could not be sent.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// The address is none.
    #[error("alerts.webhook is not a valid URL: use http://HOST/PATH or https://HOST/PATH, without a user")]
    Address,
    /// Nothing there answers.
    #[error("cannot send an alert to {address}: {reason}")]
    Unreachable {
        /// Where.
        address: String,
        /// What went wrong.
        reason: String,
    },
    /// The answer is no success.
    #[error("{address} answered {status} to an alert")]
    Refused {
        /// Where.
        address: String,
        /// The status.
        status: u16,
    },
}

impl Webhook {
    /// A webhook; with a secret what is sent is signed.
    ///
    /// # Errors
    /// [`WebhookError::Address`].
    pub fn new(address: &str, secret: Option<Arc<str>>) -> Result<Webhook, WebhookError> {
        let bad = || WebhookError::Address;
        let uri: Uri = address.parse().map_err(|_| bad())?;
        let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
        let has_user = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
        if !is_http || has_user || uri.host().is_none_or(str::is_empty) {
            return Err(bad());
        }
        Ok(Webhook { uri, secret })
    }

    /// Sends an alert once; answers the status.
    ///
    /// # Errors
    /// When it was not taken within 5 s.
    pub async fn send(&self, alert: &Alert) -> Result<u16, WebhookError> {
        let unreachable = |reason: String| WebhookError::Unreachable { address: self.shown(), reason };
        let status = tokio::time::timeout(LIMIT, self.post(alert))
            .await
            .map_err(|_| unreachable(format!("no answer within {} s", LIMIT.as_secs())))?
            .map_err(|error| unreachable(error.to_string()))?;
        if (200..300).contains(&status) {
            return Ok(status);
        }
        Err(WebhookError::Refused { address: self.shown(), status })
    }

    /// Its host, for logs: the path of a webhook is often its password.
    fn shown(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or("http");
        format!("{scheme}://{}", self.uri.host().unwrap_or_default())
    }

    async fn post(&self, alert: &Alert) -> Result<u16, Box<dyn std::error::Error + Send + Sync>> {
        let tls = self.uri.scheme_str() == Some("https");
        let host = self.uri.host().unwrap_or_default();
        let port = self.uri.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
        if !tls {
            return self.exchange(stream, alert).await;
        }
        let mut roots = RootCertStore::empty();
        roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned())?;
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        self.exchange(stream, alert).await
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        alert: &Alert,
    ) -> Result<u16, Box<dyn std::error::Error + Send + Sync>> {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let task = Task {
            name: "webhook connection",
            owner: self.uri.host().unwrap_or_default().into(),
            ends: "the sender is dropped",
            failure: "the alert is sent again",
        };
        drop(task.spawn(connection));
        let body = serde_json::to_vec(alert)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let path = self.uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::post(path)
            .header(HOST, authority.rsplit('@').next().unwrap_or_default())
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, concat!("flotilla/", env!("CARGO_PKG_VERSION")));
        if let Some(secret) = &self.secret {
            request = request.header(SIGNATURE, signature(secret, now, &body));
        }
        let response = sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
        Ok(response.status().as_u16())
    }
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 of `SECONDS.BODY` with the secret. The time is signed, too, so that nobody sends an old alert
/// again.
fn signature(secret: &str, now: u64, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else { return String::new() };
    mac.update(now.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let digest: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={now},v1={digest}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_of_time_and_body() {
        // printf '7.{}' | openssl dgst -sha256 -hmac key
        let wanted = "t=7,v1=77bc83bd1f40422311e47918b203449aecf84b02c1568bb1b570ac2a474cc2d8";
        assert_eq!(signature("key", 7, b"{}"), wanted);
        assert_ne!(signature("key", 8, b"{}"), wanted);
    }

    #[test]
    fn an_address_is_one_of_http() {
        for good in ["http://127.0.0.1:9/x", "https://example.com"] {
            assert!(Webhook::new(good, None).is_ok(), "{good}");
        }
        for bad in ["", "example.com", "ftp://a/b", "http://", "/path"] {
            assert!(Webhook::new(bad, None).is_err(), "{bad}");
        }
    }
}
