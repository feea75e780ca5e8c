//! One try of a request at one replica.

use std::sync::Arc;
use std::time::Duration;

use flotilla_framing::Alarm;
use hyper::{Request, Response, StatusCode};

use super::answer_body::{Lease, Tracked};
use super::backend::Backend;
use super::client_body::ClientBody;
use super::door::Client;
use super::request_body::{Progress, Upload};
use super::sender::Sender;

/// How a try ended.
#[allow(
    clippy::large_enum_variant,
    reason = "the usual end is the large one, and a box would be an allocation a request"
)]
pub(super) enum Attempt {
    /// With the replica's answer.
    Answered(Response<ClientBody>),
    /// Nothing was sent.
    NotSent(Box<Request<Upload>>),
    /// It was sent, wholly or in part, and there is no answer.
    Lost(Lost),
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum Lost {
    /// The registry does not have the replica any more.
    Gone,
    /// The answer deadline is over.
    TimedOut,
    /// The connection ended.
    Broken(hyper::Error),
}

/// How long a try may take.
pub(super) struct Limits {
    pub(super) connect: Duration,
    pub(super) answer: Duration,
    pub(super) stall: Duration,
}

impl Lost {
    /// For metrics.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Lost::Gone => "gone",
            Lost::TimedOut => "timeout",
            Lost::Broken(_) => "broken",
        }
    }
}

impl std::fmt::Display for Lost {
    fn fmt(&self, to: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Lost::Gone => to.write_str("it gave no sign of life any more"),
            Lost::TimedOut => to.write_str("the deadline is over"),
            Lost::Broken(error) => write!(to, "{error}"),
        }
    }
}

/// Sends a request to a replica and waits for the head of its answer. `progress` is that of a streamed body.
pub(super) async fn attempt(
    backend: &Arc<Backend>,
    client: &Client,
    mut request: Request<Upload>,
    progress: Option<&Progress>,
    limits: &Limits,
) -> Attempt {
    let (count, thread) = (backend.enter(), client.from.thread);
    loop {
        let (mut sender, reused) = match backend.reuse(thread).await {
            Some(sender) => (sender, true),
            None => match Box::pin(connect(backend, limits.connect)).await {
                Some(sender) => (sender, false),
                None => return Attempt::NotSent(Box::new(request)),
            },
        };
        let answer = tokio::select! {
            biased;
            answer = sender.send(request) => answer,
            () = backend.gone_on(thread).cancelled() => return Attempt::Lost(Lost::Gone),
            () = late(&client.alarm, progress, limits.answer) => {
                backend.timed_out();
                return Attempt::Lost(Lost::TimedOut);
            }
        };
        match answer {
            Ok(response) => {
                backend.was_answered();
                let (parts, body) = response.into_parts();
                let body = if parts.status == StatusCode::SWITCHING_PROTOCOLS {
                    ClientBody::empty()
                } else {
                    let lease = Lease { sender, thread, count };
                    ClientBody::Replica(Tracked::new(body, lease, limits.stall))
                };
                return Attempt::Answered(Response::from_parts(parts, body));
            }
            Err(mut error) => match error.take_message() {
                // The idle connection had been closed meanwhile: a fresh one tells whether the replica is there.
                Some(unsent) if reused => request = unsent,
                Some(unsent) => {
                    backend.mark_down();
                    return Attempt::NotSent(Box::new(unsent));
                }
                None => return Attempt::Lost(Lost::Broken(error.into_error())),
            },
        }
    }
}

async fn connect(backend: &Arc<Backend>, deadline: Duration) -> Option<Sender> {
    let connected = tokio::select! {
        connected = backend.connect(deadline) => connected,
        () = backend.gone().cancelled() => Err(std::io::ErrorKind::NotFound.into()),
    };
    connected
        .inspect_err(|error| {
            tracing::debug!(%error, replica = backend.id, "cannot connect");
            backend.mark_down();
        })
        .ok()
}

/// Ends when the answer is late. The deadline begins when the request's body is with the replica; how long that may take is
/// bounded by the body's own pace.
async fn late(alarm: &Alarm, progress: Option<&Progress>, deadline: Duration) {
    let Some(progress) = progress else { return alarm.after(deadline).await };
    loop {
        let left = progress.over().map_or(deadline, |since| deadline.saturating_sub(since.elapsed()));
        if left.is_zero() {
            return;
        }
        alarm.after(left).await;
    }
}
