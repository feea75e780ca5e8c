//! The body of a response to the client.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};

use super::answer_body::Tracked;

/// The body of a response to the client.
#[allow(clippy::large_enum_variant, reason = "nearly all are of the large one")]
pub(super) enum ClientBody {
    /// Of the gateway's own answer; empty where there is none.
    Own(Full<Bytes>),
    /// Of a replica's.
    Replica(Tracked),
}

impl ClientBody {
    /// No body.
    pub(super) fn empty() -> ClientBody {
        ClientBody::Own(Full::new(Bytes::new()))
    }
}

impl Body for ClientBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        match self.get_mut() {
            ClientBody::Own(body) => Pin::new(body).poll_frame(cx).map_err(|never| match never {}),
            ClientBody::Replica(body) => Pin::new(body).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            ClientBody::Own(body) => body.is_end_stream(),
            ClientBody::Replica(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            ClientBody::Own(body) => body.size_hint(),
            ClientBody::Replica(body) => body.size_hint(),
        }
    }
}
