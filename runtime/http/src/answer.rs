//! The one answer of a request, whoever gives it: the flow, the end of its delivery, or nobody in time.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{HeaderValue, StatusCode, header};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{Either, Full};
use parking_lot::Mutex;
use tokio::sync::oneshot;

use flotilla_engine::message::Outcome;
use flotilla_engine::trail::Trail;

use super::stream::Stream;

/// What is sent back: bytes that are there, or what comes while it is sent, from a file or the flow.
pub(super) type Answer = http::Response<Body>;

/// The body of an answer.
pub(super) type Body = Either<Full<Bytes>, UnsyncBoxBody<Bytes, std::io::Error>>;

/// A body that is there as a whole.
pub(super) fn whole(bytes: Bytes) -> Body {
    Either::Left(Full::new(bytes))
}

/// Where the one answer of a request goes.
///
/// A flow may keep `msg.res` (in context, in a closure) and answer after the delivery has ended; so silence is known only
/// when the delivery has ended and nobody holds `msg.res` any more. An error or an abandoned delivery answers at once.
pub(super) struct Exchange {
    state: Mutex<State>,
    /// Where the delivery went, once that is recorded.
    trail: OnceLock<Arc<Trail>>,
    /// The client is on this machine: it is told which node failed, and how.
    local: bool,
}

/// The answer that was given.
#[derive(Clone, Copy)]
struct Given {
    status: StatusCode,
    when: Instant,
    /// In place of the flow, which was too late.
    too_late: bool,
}

impl Given {
    fn note(self, trail: &Trail) {
        trail.answered(self.status.as_u16(), self.when, self.too_late);
    }
}

struct State {
    answered: bool,
    /// The answer, on its way to who waits for it.
    ready: Option<Answer>,
    reader: Option<Waker>,
    /// Nobody waits for the answer any more.
    away: bool,
    given: Option<Given>,
    /// The answer, when it is sent while it is written.
    stream: Option<Arc<Stream>>,
    completed: bool,
    let_go: bool,
    /// Who waits for the answer and for the rest of it.
    present: usize,
    /// The answer was given or nobody waits for it any more.
    over: bool,
    waiting: Vec<oneshot::Sender<()>>,
}

/// The answer, when it is given. One for each exchange.
pub(super) struct Answered(Arc<Exchange>);

impl Future for Answered {
    type Output = Answer;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Answer> {
        let mut state = self.0.state.lock();
        if let Some(answer) = state.ready.take() {
            return Poll::Ready(answer);
        }
        if !state.reader.as_ref().is_some_and(|reader| reader.will_wake(cx.waker())) {
            state.reader = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

impl Drop for Answered {
    fn drop(&mut self) {
        let left = {
            let mut state = self.0.state.lock();
            state.away = true;
            (state.ready.take(), state.reader.take())
        };
        // Not under the lock: the body of an answer may lead back here.
        drop(left);
    }
}

/// The client waits for the answer. Dropped when it has it, or has gone away.
pub(super) struct Present(Arc<Exchange>);

impl Drop for Present {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Exchange {
    pub(super) fn new(local: bool) -> (Arc<Exchange>, Answered) {
        let state = State {
            answered: false,
            ready: None,
            reader: None,
            away: false,
            stream: None,
            given: None,
            completed: false,
            let_go: false,
            present: 0,
            over: false,
            waiting: Vec::new(),
        };
        let exchange = Arc::new(Exchange { state: Mutex::new(state), trail: OnceLock::new(), local });
        (exchange.clone(), Answered(exchange))
    }

    /// The delivery is recorded: its trail gets to know of the answer.
    pub(super) fn is_recorded(&self, trail: &Arc<Trail>) {
        // Who answers notes it before it looks for the trail: one of the two sees the other.
        let _ = self.trail.set(trail.clone());
        let given = self.state.lock().given;
        if let Some(given) = given {
            given.note(trail);
        }
    }

    /// It was answered 504 in place of the flow.
    pub(super) fn was_too_late(&self) {
        let given = Given { status: StatusCode::GATEWAY_TIMEOUT, when: Instant::now(), too_late: true };
        let given = *self.state.lock().given.get_or_insert(given);
        if let Some(trail) = self.trail.get() {
            given.note(trail);
        }
    }

    /// True once an answer was given.
    pub(super) fn is_answered(&self) -> bool {
        self.state.lock().answered
    }

    /// Gives the answer. False when there was one already.
    pub(super) fn answer(&self, answer: Answer) -> bool {
        let given = {
            let mut state = self.state.lock();
            if std::mem::replace(&mut state.answered, true) {
                return false;
            }
            let given = Given { status: answer.status(), when: Instant::now(), too_late: false };
            *state.given.get_or_insert(given)
        };
        if let Some(trail) = self.trail.get() {
            given.note(trail);
        }
        let reader = {
            let mut state = self.state.lock();
            if state.away {
                // A client that went away hears nothing; the flow did its part.
                drop(state);
                return true;
            }
            state.ready = Some(answer);
            state.reader.take()
        };
        if let Some(reader) = reader {
            reader.wake();
        }
        true
    }

    /// Gives an answer whose body is this stream. False when there was an answer already.
    pub(super) fn answer_streaming(&self, answer: Answer, stream: &Arc<Stream>) -> bool {
        self.state.lock().stream = Some(stream.clone());
        self.answer(answer)
    }

    /// Marks that the client waits for the answer, or for the rest of it.
    pub(super) fn present(self: &Arc<Exchange>) -> Present {
        self.state.lock().present += 1;
        Present(self.clone())
    }

    /// Ends when the client has the answer (true) or has gone away (false).
    pub(super) fn over(self: &Arc<Exchange>) -> BoxFuture<'static, bool> {
        let (sender, over) = oneshot::channel();
        {
            let mut state = self.state.lock();
            if !state.over {
                state.waiting.push(sender);
            }
        }
        let own = self.clone();
        Box::pin(async move {
            let _ = over.await;
            let stream = own.state.lock().stream.clone();
            own.is_answered() && stream.is_none_or(|stream| stream.is_sent())
        })
    }

    fn leave(&self) {
        let mut state = self.state.lock();
        state.present -= 1;
        if state.present > 0 {
            return;
        }
        state.over = true;
        // Dropping them wakes those who wait.
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        drop(waiting);
    }

    /// The delivery ended.
    pub(super) fn ended(&self, outcome: Outcome) {
        match outcome {
            Outcome::Completed => {
                let silent = {
                    let mut state = self.state.lock();
                    state.completed = true;
                    state.let_go
                };
                if silent {
                    self.silence();
                }
            }
            Outcome::Failed(failure) => {
                let text = if self.local {
                    format!("The flow failed at node {}: {}", failure.node, failure.error.to_text())
                } else {
                    "The flow failed; its log says where".to_owned()
                };
                self.answer_or_cut(plain(StatusCode::BAD_GATEWAY, text));
            }
            Outcome::Abandoned => {
                self.answer_or_cut(unavailable("The flow was stopped before it answered"));
            }
        }
    }

    /// Nobody holds the response any more.
    pub(super) fn let_go(&self) {
        let silent = {
            let mut state = self.state.lock();
            state.let_go = true;
            state.completed
        };
        if silent {
            self.silence();
        }
    }

    /// One that is written already is cut off, so that the client does not take a part of it for the whole.
    fn answer_or_cut(&self, answer: Answer) {
        if !self.answer(answer)
            && let Some(stream) = &self.state.lock().stream
        {
            stream.cut();
        }
    }

    fn silence(&self) {
        self.answer_or_cut(plain(StatusCode::BAD_GATEWAY, "The flow ended without an http response".to_owned()));
    }
}

/// A text answer.
pub(super) fn plain(status: StatusCode, text: String) -> Answer {
    let mut answer = Answer::new(whole(Bytes::from(text)));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    answer
}

/// What was no request of HTTP; nothing is read behind it.
pub(super) fn refused(status: StatusCode, why: &str) -> Answer {
    let mut answer = plain(status, why.to_owned());
    let headers = answer.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    if status == StatusCode::UPGRADE_REQUIRED {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close, upgrade"));
        headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(header::SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    }
    answer
}

/// 503: try again soon.
pub(super) fn unavailable(text: &str) -> Answer {
    let mut answer = plain(StatusCode::SERVICE_UNAVAILABLE, text.to_owned());
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    answer
}

/// Express's page for a path that nobody answers.
pub(super) fn not_found(method: &str, path: &str) -> Answer {
    let escaped = path.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let page = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>Error</title>\n</head>\n<body>\n\
         <pre>Cannot {method} {escaped}</pre>\n</body>\n</html>\n"
    );
    let mut answer = plain(StatusCode::NOT_FOUND, page);
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use flotilla_engine::message::Failure;
    use flotilla_value::Value;
    use futures::FutureExt;

    #[test]
    fn silence_is_a_502_once_the_delivery_and_the_response_are_gone() {
        let (exchange, mut answer) = Exchange::new(true);
        exchange.ended(Outcome::Completed);
        assert!(!exchange.is_answered(), "the flow may have kept msg.res");
        exchange.let_go();
        assert_eq!((&mut answer).now_or_never().unwrap().status(), StatusCode::BAD_GATEWAY);
        assert!(!exchange.answer(plain(StatusCode::OK, String::new())));
    }

    #[test]
    fn a_failure_answers_at_once() {
        let (exchange, mut answer) = Exchange::new(true);
        exchange.ended(Outcome::Failed(Failure {
            node: "n1".into(),
            error: Value::from("boom"),
            message: Value::Undefined,
        }));
        assert_eq!((&mut answer).now_or_never().unwrap().status(), StatusCode::BAD_GATEWAY);
    }

    #[tokio::test]
    async fn who_waits_for_the_answer_is_woken_by_it() {
        let (exchange, answer) = Exchange::new(true);
        let giving = async {
            tokio::task::yield_now().await;
            assert!(exchange.answer(plain(StatusCode::ACCEPTED, String::new())));
            assert!(!exchange.answer(plain(StatusCode::OK, String::new())));
        };
        let answered = tokio::time::timeout(std::time::Duration::from_secs(5), answer);
        let (answered, ()) = tokio::join!(answered, giving);
        assert_eq!(answered.unwrap().status(), StatusCode::ACCEPTED);
    }

    #[test]
    fn an_answer_that_nobody_waits_for_keeps_nothing_alive() {
        for before in [true, false] {
            let (exchange, answer) = Exchange::new(true);
            let waiting = (!before).then_some(answer);
            let stream = Arc::<Stream>::default();
            let body = stream.body(exchange.present(), false, None);
            let streamed = Answer::new(Either::Right(UnsyncBoxBody::new(body)));
            assert!(exchange.answer_streaming(streamed, &stream));
            drop(waiting);
            assert_eq!(Arc::strong_count(&exchange), 1);
        }
    }

    #[tokio::test]
    async fn only_clients_on_this_machine_hear_which_node_failed() {
        for local in [true, false] {
            let (exchange, mut answer) = Exchange::new(local);
            exchange.ended(Outcome::Failed(Failure {
                node: "n1".into(),
                error: Value::from("boom"),
                message: Value::Undefined,
            }));
            let body = (&mut answer).now_or_never().unwrap().into_body();
            let body = http_body_util::Limited::new(body, 1 << 16);
            #[allow(clippy::disallowed_methods, reason = "bounded by Limited")]
            let text = http_body_util::BodyExt::collect(body).await.unwrap().to_bytes();
            assert_eq!(String::from_utf8_lossy(&text).contains("n1"), local);
        }
    }
}
