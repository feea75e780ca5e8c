//! TLS of the gateway's addresses: certificate and key, read anew when their files change.

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
    /// The certificate chain.
    pub cert: Pem,
    /// Its key.
    pub key: Pem,
    /// Authorities whose certificates clients have to show; `None`: they show none.
    pub client_ca: Option<Pem>,
}

/// Certificates or a key in PEM form.
#[derive(Clone, PartialEq, Eq)]
pub enum Pem {
    /// In a file, which is read anew when it changes.
    File(PathBuf),
    /// As they stood in a setting of this name.
    Text {
        /// The setting.
        name: String,
        /// The content.
        text: String,
    },
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
            owner: self.files.cert.to_string().into(),
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
                        tracing::info!(cert = %tls.files.cert, "a new certificate is used from now on");
                    }
                    // It may be half written: certificate and key are two files. It is tried again.
                    Err(error) => tracing::warn!("the old certificate stays: {error}"),
                }
            }
        }));
    }

    /// A client's connection, after its handshake.
    ///
    /// # Errors
    /// When it fails, or the client does not end its part within 10 s.
    pub async fn accept(&self, stream: TcpStream) -> std::io::Result<TlsStream<TcpStream>> {
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
        let key =
            PrivateKeyDer::from_pem_slice(&self.key.read()?).map_err(|error| bad(&self.key, error.to_string()))?;
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone()).with_safe_default_protocol_versions()?;
        let config = match &self.client_ca {
            None => config.with_no_client_auth(),
            Some(authorities) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates(authorities)? {
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
        let files = [Some(&self.cert), Some(&self.key), self.client_ca.as_ref()].into_iter().flatten();
        files.filter_map(Pem::file).map(|file| std::fs::metadata(file).and_then(|meta| meta.modified()).ok()).collect()
    }
}

impl Pem {
    fn file(&self) -> Option<&Path> {
        match self {
            Pem::File(file) => Some(file),
            Pem::Text { .. } => None,
        }
    }

    fn read(&self) -> Result<Vec<u8>, TlsError> {
        match self {
            Pem::File(file) => std::fs::read(file).map_err(|error| bad(self, error.to_string())),
            Pem::Text { text, .. } => Ok(text.clone().into_bytes()),
        }
    }
}

impl From<PathBuf> for Pem {
    fn from(file: PathBuf) -> Pem {
        Pem::File(file)
    }
}

impl std::fmt::Display for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Pem::File(file) => write!(f, "{}", file.display()),
            Pem::Text { name, .. } => write!(f, "the setting {name}"),
        }
    }
}

/// A key is never shown.
impl std::fmt::Debug for Pem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let bytes = pem.read()?;
    let read = CertificateDer::pem_slice_iter(&bytes).collect::<Result<Vec<_>, _>>();
    match read.map_err(|error| bad(pem, error.to_string()))? {
        found if found.is_empty() => Err(bad(pem, "it has no certificate".to_owned())),
        found => Ok(found),
    }
}

fn bad(pem: &Pem, what: String) -> TlsError {
    TlsError::File { path: pem.to_string(), what }
}
