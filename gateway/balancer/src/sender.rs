//! A connection to a replica, for one request at a time.

use flotilla_framing::Answers;
use hyper::body::Incoming;
use hyper::client::conn::TrySendError;
use hyper::client::conn::http1::SendRequest;
use hyper::{Request, Response};

use super::request_body::Upload;

/// A connection to a replica, for one request at a time.
pub(super) struct Sender {
    requests: SendRequest<Upload>,
    /// The other end of the connection's stream.
    answers: Answers,
}

impl Sender {
    pub(super) fn new(requests: SendRequest<Upload>, answers: Answers) -> Sender {
        Sender { requests, answers }
    }

    /// True when the replica closed it.
    pub(super) fn is_closed(&self) -> bool {
        self.requests.is_closed()
    }

    /// Waits until it takes a request. False when it is closed.
    pub(super) async fn is_ready(&mut self) -> bool {
        self.requests.ready().await.is_ok()
    }

    /// Sends a request, and gives the head of its answer with all its headers.
    #[allow(clippy::result_large_err, reason = "it gives the request back")]
    pub(super) async fn send(
        &mut self,
        request: Request<Upload>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Upload>>> {
        self.answers.expect();
        let mut response = self.requests.try_send_request(request).await?;
        self.answers.complete(response.headers_mut());
        Ok(response)
    }
}
