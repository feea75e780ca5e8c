//! Requests to the provider: a connection each, bounded in time and size.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flotilla_flows::shown_url;
use flotilla_tasks::Task;
use http::header::HOST;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_util::rt::TokioIo;
use openidconnect::{HttpRequest, HttpResponse};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use url::Url;

use crate::error::OidcError;

/// How long a provider may take for an answer.
const LIMIT: Duration = Duration::from_secs(10);
/// The largest answer, in bytes: key sets of large providers have tens of keys.
const LARGEST: usize = 1 << 20;

/// Why a provider did not answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    #[error("{0} is no address")]
    Address(String),
    #[error("it does not answer within {} s", LIMIT.as_secs())]
    TimedOut,
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error(transparent)]
    Http(#[from] hyper::Error),
    #[error("{0}")]
    Body(String),
}

/// Sends requests to a provider.
#[derive(Clone)]
pub(crate) struct Transport {
    tls: TlsConnector,
}

impl Transport {
    /// With the authority of the provider's certificate, or the public ones.
    ///
    /// # Errors
    /// [`OidcError::BadFile`].
    pub(crate) fn new(ca: Option<&Path>) -> Result<Transport, OidcError> {
        let mut roots = RootCertStore::empty();
        match ca {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(file) => {
                let bad = |reason: String| OidcError::BadFile { file: file.display().to_string(), reason };
                let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
                for certificate in read.map_err(|error| bad(error.to_string()))? {
                    roots.add(certificate).map_err(|error| bad(error.to_string()))?;
                }
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config
            .with_safe_default_protocol_versions()
            .map_err(|error| OidcError::BadFile { file: "TLS".to_owned(), reason: error.to_string() })?;
        let config = config.with_root_certificates(roots).with_no_client_auth();
        Ok(Transport { tls: TlsConnector::from(Arc::new(config)) })
    }

    /// One request. Redirects are not followed: an answer from elsewhere is not the provider's.
    pub(crate) async fn send(self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        tokio::time::timeout(LIMIT, self.exchange(request)).await.unwrap_or(Err(TransportError::TimedOut))
    }

    async fn exchange(self, request: HttpRequest) -> Result<HttpResponse, TransportError> {
        let url = Url::parse(&request.uri().to_string())
            .map_err(|_| TransportError::Address(shown_url(&request.uri().to_string())))?;
        let no_address = || TransportError::Address(shown_url(url.as_str()));
        let host = url.host_str().ok_or_else(no_address)?;
        let port = url.port_or_known_default().ok_or_else(no_address)?;
        let (mut parts, body) = request.into_parts();
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        let authority = &url[url::Position::BeforeHost..url::Position::AfterPort];
        parts.headers.insert(HOST, HeaderValue::from_str(authority).map_err(|_| no_address())?);
        parts.uri = path.parse().map_err(|_| no_address())?;
        let request = Request::from_parts(parts, Full::new(Bytes::from(body)));
        let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
        if url.scheme() != "https" {
            return talk(stream, request).await;
        }
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_owned()).map_err(|_| no_address())?;
        talk(self.tls.connect(name, stream).await?, request).await
    }
}

async fn talk<S>(stream: S, request: Request<Full<Bytes>>) -> Result<HttpResponse, TransportError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    let task = Task {
        name: "connection to the OpenID provider",
        owner: "sign-in".into(),
        ends: "the sender is dropped",
        failure: "the sign-in fails",
    };
    task.spawn(connection);
    let (parts, body) = sender.send_request(request).await?.into_parts();
    #[allow(clippy::disallowed_methods, reason = "bounded by Limited")]
    let body = Limited::new(body, LARGEST).collect().await.map_err(|error| TransportError::Body(error.to_string()))?;
    Ok(Response::from_parts(parts, body.to_bytes().to_vec()))
}
