//! One connection to a web server, and one request at a time over it.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use url::Url;

use crate::mqtt::{ConnectionError, open};

/// The most of a body that is read.
const LARGEST: usize = 64 << 20;
/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// No connection.
    #[error("cannot connect: {0}")]
    Connect(#[from] ConnectionError),
    /// The server broke off, or its answer is not HTTP.
    #[error("{0}")]
    Http(#[from] hyper::Error),
    /// The connection ended before the answer.
    #[error("the connection ended before the answer")]
    Ended,
    /// A body of more than 64 MiB.
    #[error("the answer's body is larger than 64 MiB")]
    TooLarge,
}

/// What a URL says of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Host.
    pub host: String,
    /// Port.
    pub port: u16,
    /// TLS.
    pub secure: bool,
}

impl Origin {
    /// Of a URL that was checked.
    pub fn of(url: &Url) -> Origin {
        Origin {
            host: url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned(),
            port: url.port_or_known_default().unwrap_or(80),
            secure: url.scheme() == "https",
        }
    }
}

/// A connection; hyper's side of it is driven along with each request, so that no task outlives it.
pub struct Exchange {
    sender: SendRequest<Full<Bytes>>,
    driver: Pin<Box<dyn Future<Output = Result<(), hyper::Error>>>>,
    ended: bool,
}

/// An answer.
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Body.
    pub body: Vec<u8>,
}

impl Exchange {
    /// Connects.
    ///
    /// # Errors
    /// When nothing is there, TLS fails, or it takes longer than 10 s.
    pub async fn open(origin: &Origin, tls: &Arc<rustls::ClientConfig>) -> Result<Exchange, ExchangeError> {
        let socket = open(&origin.host, origin.port, origin.secure.then_some(tls));
        let (reader, writer) = tokio::time::timeout(CONNECT, socket).await.map_err(|_| ConnectionError::Silent)??;
        let (sender, driver) = http1::handshake(TokioIo::new(tokio::io::join(reader, writer))).await?;
        Ok(Exchange { sender, driver: Box::pin(driver), ended: false })
    }

    /// False when a request would fail for sure.
    pub fn usable(&self) -> bool {
        !self.ended && !self.sender.is_closed()
    }

    /// Lets the server's close be seen between requests.
    pub async fn idle(&mut self) {
        if self.ended {
            std::future::pending::<()>().await;
        }
        let _ = (&mut self.driver).await;
        self.ended = true;
    }

    /// Sends a request and reads the whole answer into `body`.
    ///
    /// # Errors
    /// When the connection ends first, or the answer is not HTTP.
    pub async fn ask(&mut self, request: Request<Full<Bytes>>, mut body: Vec<u8>) -> Result<Answer, ExchangeError> {
        body.clear();
        let answer = async {
            let response = self.sender.send_request(request).await?;
            let status = response.status();
            let mut stream = response.into_body();
            while let Some(frame) = stream.frame().await {
                if let Ok(data) = frame?.into_data() {
                    if body.len() + data.len() > LARGEST {
                        return Err(ExchangeError::TooLarge);
                    }
                    body.extend_from_slice(&data);
                }
            }
            Ok(Answer { status, body })
        };
        tokio::pin!(answer);
        if !self.ended {
            tokio::select! {
                biased;
                answer = &mut answer => return answer,
                _ = &mut self.driver => self.ended = true,
            }
        }
        // The driver has ended: what it read before is still handed over.
        tokio::select! {
            biased;
            answer = &mut answer => answer,
            () = std::future::ready(()) => Err(ExchangeError::Ended),
        }
    }
}
