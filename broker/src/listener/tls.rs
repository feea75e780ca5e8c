//! TLS for the listener: certificate chain and key.

use std::{path::Path, sync::Arc};

use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

use crate::start_error::TlsError;

/// Reads a certificate chain and its key.
pub fn acceptor(cert: Option<&Path>, key: Option<&Path>) -> Result<TlsAcceptor, TlsError> {
    let (Some(cert), Some(key)) = (cert, key) else { return Err(TlsError::Incomplete) };
    let file = |path: &Path, what: String| TlsError::File { path: path.display().to_string(), what };
    let chain = CertificateDer::pem_file_iter(cert)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| file(cert, error.to_string()))?;
    if chain.is_empty() {
        return Err(file(cert, "no certificate in it".to_owned()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|error| file(key, error.to_string()))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, private)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use std::{fs, net::SocketAddr, time::Duration};

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };
    use tokio_rustls::{
        TlsConnector,
        rustls::{ClientConfig, RootCertStore, pki_types::ServerName},
    };

    use super::*;
    use crate::{Broker, Config};

    /// A client that trusts the certificate connects, subscribes, and gets 1 MB back through its own subscription.
    #[tokio::test]
    async fn mqtt_over_tls() {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let (chain, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
        fs::write(&chain, cert.pem()).unwrap();
        fs::write(&key, signing_key.serialize_pem()).unwrap();
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        let (tls_cert, tls_key) = (Some(chain), Some(key));
        let config =
            Config { listen: any, tls_listen: Some(any), tls_cert, tls_key, max_packet: 2 << 20, ..Config::default() };
        let broker = Broker::start(config).await.unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(cert.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let tcp = TcpStream::connect(broker.tls_addr().unwrap()).await.unwrap();
        let name = ServerName::try_from("localhost").unwrap();
        let mut stream = TlsConnector::from(Arc::new(config)).connect(name, tcp).await.unwrap();
        stream.write_all(&[0x10, 14, 0, 4, b'M', b'Q', b'T', b'T', 4, 2, 0, 0, 0, 2, b'i', b'd']).await.unwrap();
        stream.write_all(&[0x82, 6, 0, 1, 0, 1, b't', 0]).await.unwrap();
        let mut publish = vec![0x30, 0x83, 0x80, 0x40, 0, 1, b't'];
        publish.extend(vec![b'x'; 1 << 20]);
        stream.write_all(&publish).await.unwrap();
        stream.flush().await.unwrap();
        let mut expected = vec![0x20, 2, 0, 0, 0x90, 3, 0, 1, 0];
        expected.extend(&publish);
        let mut got = vec![0; expected.len()];
        tokio::time::timeout(Duration::from_secs(20), stream.read_exact(&mut got)).await.unwrap().unwrap();
        assert!(got == expected);
        broker.shutdown(Duration::from_secs(5)).await;
    }
}
