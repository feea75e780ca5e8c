//! Certificate and key, read anew when their files change.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use flotilla_tasks::Task;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{self, RootCertStore, ServerConfig};
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

/// A client has so long for its part of the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// The files are looked at so often.
const LOOK: Duration = Duration::from_secs(2);

/// Where certificate and key are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsFiles {
    /// The certificate chain, PEM.
    pub cert: PathBuf,
    /// Its key, PEM.
    pub key: PathBuf,
    /// Authorities whose certificates clients have to show, PEM; `None`: they show none.
    pub client_ca: Option<PathBuf>,
}

/// Why TLS cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be used.
    #[error("{path}: {what}; it must be in PEM form")]
    File {
        /// The file.
        path: String,
        /// What is wrong.
        what: String,
    },
    /// Certificate and key do not fit.
    #[error("the certificate cannot be used: {0}")]
    Certificate(#[from] rustls::Error),
    /// The authorities cannot be used.
    #[error("the authorities of client certificates cannot be used: {0}")]
    Authorities(#[from] VerifierBuilderError),
}

/// TLS of an address. Connections that are open keep what they began with.
pub struct Tls {
    files: TlsFiles,
    config: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads the files.
    pub fn load(files: TlsFiles) -> Result<Arc<Tls>, TlsError> {
        let config = ArcSwap::from_pointee(files.config()?);
        Ok(Arc::new(Tls { files, config }))
    }

    /// Reads them anew whenever they change, until the token is cancelled. While what is there cannot be used, the old
    /// certificate stays.
    pub fn follow(self: &Arc<Tls>, stop: CancellationToken) {
        let tls = self.clone();
        let task = Task {
            name: "certificates",
            owner: self.files.cert.display().to_string().into(),
            ends: "the gateway stops",
            failure: "a new certificate is not taken before a restart",
        };
        drop(task.spawn(async move {
            let mut seen = tls.files.stamps();
            loop {
                tokio::select! {
                    () = tokio::time::sleep(LOOK) => {}
                    () = stop.cancelled() => return,
                }
                let now = tls.files.stamps();
                if now == seen {
                    continue;
                }
                match tls.files.config() {
                    Ok(config) => {
                        tls.config.store(Arc::new(config));
                        seen = now;
                        tracing::info!(cert = %tls.files.cert.display(), "a new certificate is used from now on");
                    }
                    // It may be half written: certificate and key are two files. It is tried again.
                    Err(error) => tracing::warn!("the old certificate stays: {error}"),
                }
            }
        }));
    }

    /// A client's connection.
    pub(crate) async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
        let acceptor = TlsAcceptor::from(self.config.load_full());
        tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await?
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("files", &self.files).finish_non_exhaustive()
    }
}

impl TlsFiles {
    fn config(&self) -> Result<ServerConfig, TlsError> {
        let key = PrivateKeyDer::from_pem_file(&self.key).map_err(|error| bad(&self.key, error.to_string()))?;
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let config = match &self.client_ca {
            None => config.with_no_client_auth(),
            Some(file) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(file)? {
                    roots.add(certificate)?;
                }
                config.with_client_cert_verifier(
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?,
                )
            }
        };
        let mut config = config.with_single_cert(certificates(&self.cert)?, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// When they were changed.
    fn stamps(&self) -> Vec<Option<SystemTime>> {
        let files = [Some(&self.cert), Some(&self.key), self.client_ca.as_ref()];
        files.into_iter().flatten().map(|file| std::fs::metadata(file).and_then(|meta| meta.modified()).ok()).collect()
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read.map_err(|error| bad(file, error.to_string()))? {
        found if found.is_empty() => Err(bad(file, "it has no certificate".to_owned())),
        found => Ok(found),
    }
}

fn bad(file: &Path, what: String) -> TlsError {
    TlsError::File { path: file.display().to_string(), what }
}
