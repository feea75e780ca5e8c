//! The right to end one received message.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use flotilla_codec::QoS;
use flotilla_engine::message::{Failure, Outcome};
use flotilla_engine::trail::Trail;
use flotilla_value::{Str, Value};

use super::inbox::Inbox;
use super::kept::Kept;
use super::message::Publish;
use super::window::EntryState;

/// How a received message ended.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// Acknowledge it.
    Ack,
    /// Never acknowledge it: it was not finished here.
    Never,
    /// Its delivery failed.
    Failed(Failure),
}

/// The right to end one received message.
#[derive(Debug)]
pub struct Ticket {
    pub(super) inbox: Arc<Inbox>,
    pub(super) seq: Option<u64>,
    pub(super) kept: Option<Kept>,
    pub(super) gone: Option<Arc<AtomicBool>>,
    pub(super) trail: Option<Arc<Trail>>,
    /// It was to be a dead letter before.
    pub(super) given_up: bool,
    pub(super) late: Option<Late>,
}

type LayAside = dyn FnOnce(&Publish, Failure, Ticket) + Send + Sync;

/// Lays a message aside when nobody else is left to do so: see [`Ticket::lay_aside_by`].
pub(super) struct Late(Box<LayAside>);

impl fmt::Debug for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Late")
    }
}

/// A message to run again, or to dead-letter because of the failure.
#[derive(Debug)]
pub(super) struct Rerun {
    pub(super) due: Instant,
    pub(super) publish: Arc<Publish>,
    pub(super) failure: Option<Failure>,
    pub(super) ticket: Ticket,
}

impl Ticket {
    /// Becomes true when the message is sent again, to this client or to another.
    pub fn gone(&self) -> Option<Arc<AtomicBool>> {
        self.gone.clone()
    }

    /// True when nobody sends its message again: it came at QoS 2, and the server has forgotten the session that it belongs to. This
    /// process has the only copy.
    pub fn is_forgotten(&self) -> bool {
        let once = self.kept.as_ref().is_some_and(|kept| kept.qos() == QoS::ExactlyOnce);
        once && self.seq.is_some_and(|seq| seq < self.inbox.window.lock().forgotten)
    }

    /// How often its message was tried, with the last time.
    pub fn attempts(&self) -> u32 {
        self.kept.as_ref().map_or(1, Kept::attempts)
    }

    /// Where its last delivery went, if that is recorded.
    pub fn trail(&self) -> Option<&Arc<Trail>> {
        self.trail.as_ref()
    }

    /// The trail of its delivery: it hears when the message is acknowledged.
    pub fn set_trail(&mut self, trail: Option<&Arc<Trail>>) {
        self.trail = trail.cloned();
    }

    /// Who lays its message aside when the session's task has ended before the flow was done with it, and nobody sends it again:
    /// at QoS 2, when the server has forgotten the session.
    pub fn lay_aside_by(&mut self, late: impl FnOnce(&Publish, Failure, Ticket) + Send + Sync + 'static) {
        if self.kept.as_ref().is_some_and(|kept| kept.qos() == QoS::ExactlyOnce) {
            self.late = Some(Late(Box::new(late)));
        }
    }

    /// The delivery ended.
    pub fn end(self, outcome: Outcome) {
        self.settle(match outcome {
            Outcome::Completed => Verdict::Ack,
            Outcome::Abandoned => Verdict::Never,
            Outcome::Failed(failure) => Verdict::Failed(failure),
        });
    }

    /// Ends the message, or has it run again. What fails while a revision is on probation waits for the end of that.
    pub fn settle(self, verdict: Verdict) {
        let fails = matches!(verdict, Verdict::Failed(_)) && self.seq.is_some();
        let canary = self.inbox.canary.get().filter(|_| fails).cloned();
        match (verdict, canary) {
            (Verdict::Failed(failure), Some(canary)) => canary.decide(move |passed| {
                self.settle_now(if passed { Verdict::Failed(failure) } else { Verdict::Never });
            }),
            (verdict, _) => self.settle_now(verdict),
        }
    }

    fn settle_now(mut self, verdict: Verdict) {
        let inbox = self.inbox.clone();
        let rerun = match &verdict {
            // It is not another's: it becomes a dead letter.
            Verdict::Never if !self.given_up && self.is_forgotten() => {
                self.kept.as_ref().map(|kept| (Instant::now(), kept.publish(), Some(unfinished())))
            }
            Verdict::Ack | Verdict::Never => None,
            Verdict::Failed(failure) => self.kept.as_mut().and_then(|kept| kept.after(failure.clone())),
        };
        if let Some((due, publish, failure)) = rerun {
            self.given_up |= failure.is_some();
            if let Some(rerun) = inbox.run_again(Rerun { due, publish, failure, ticket: self }) {
                rerun.comes_too_late();
            }
            return;
        }
        let state = if matches!(verdict, Verdict::Never) { EntryState::Never } else { EntryState::Ack };
        inbox.finish(self.seq, state, self.trail);
    }
}

impl Rerun {
    /// The session's task has ended: nobody would run it.
    pub(super) fn comes_too_late(self) {
        let Rerun { publish, failure, mut ticket, .. } = self;
        if ticket.is_forgotten() {
            if let Some(Late(lay_aside)) = ticket.late.take() {
                ticket.given_up = true;
                return lay_aside(&publish, failure.unwrap_or_else(unfinished), ticket);
            }
            tracing::error!(
                "a message at QoS 2 is lost: its broker has forgotten it, and its connection ended before the flow did"
            );
        }
        let inbox = ticket.inbox.clone();
        inbox.finish(ticket.seq, EntryState::Never, ticket.trail);
    }
}

/// Why a message becomes a dead letter that was not run to its end, and that nobody sends again.
pub(super) fn unfinished() -> Failure {
    let error = "the broker has forgotten the session of this message, and this replica stopped before the flow was done with it";
    Failure { node: Str::default(), error: Value::from(error), message: Value::Undefined }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use bytes::BytesMut;
    use flotilla_engine::settings::OnFailure;
    use tokio::sync::Notify;

    use super::*;
    use crate::kept::Policy;

    fn arrive(inbox: &Arc<Inbox>, qos: QoS, id: u16) -> Ticket {
        let policy = Policy { on_failure: OnFailure::Retry, max_retries: 1, retry_delay: Duration::from_secs(60) };
        inbox.arrive(&Arc::new(Publish { qos, id, ..Publish::default() }), policy).unwrap().unwrap()
    }

    fn failed() -> Verdict {
        Verdict::Failed(Failure { node: "n".into(), error: Value::from("x"), message: Value::Undefined })
    }

    #[test]
    fn what_the_server_has_forgotten_is_run_again_here_or_is_a_dead_letter() {
        let inbox = Arc::new(Inbox::new(Arc::new(Notify::new()), 10));
        inbox.begin(false, false);
        let tickets = [(QoS::ExactlyOnce, 1), (QoS::ExactlyOnce, 2), (QoS::AtLeastOnce, 3)];
        let [fails, abandoned, once] = tickets.map(|(qos, id)| arrive(&inbox, qos, id));
        assert!(!fails.is_forgotten(), "the session is there");
        inbox.lost(true);
        inbox.begin(true, false);
        assert!(!fails.is_forgotten(), "it is still there");
        inbox.lost(true);
        inbox.begin(false, false);
        assert!(fails.is_forgotten() && abandoned.is_forgotten());
        assert!(!once.is_forgotten(), "at QoS 1 it was another's when the connection ended");
        fails.settle(failed());
        once.settle(failed());
        assert_eq!(inbox.take_waiting(false).len(), 1, "a drain leaves to others what they get");
        let [rerun] = inbox.take_waiting(true).try_into().unwrap();
        assert!(rerun.failure.is_none(), "it is run again");
        abandoned.settle(Verdict::Never);
        let [letter] = inbox.take_waiting(true).try_into().unwrap();
        assert!(letter.failure.is_some());
        assert_eq!(inbox.open(), 3, "a drain waits for what is here alone");
        letter.ticket.settle(Verdict::Never);
        rerun.ticket.settle(Verdict::Ack);
        assert!(inbox.take_waiting(true).is_empty(), "what could not be laid aside is not tried without end");
        // What came with the new session is the server's again.
        let new = arrive(&inbox, QoS::ExactlyOnce, 1);
        assert!(!new.is_forgotten());
        new.settle(Verdict::Ack);
        let mut out = BytesMut::new();
        inbox.write_acks(&mut out);
        assert_eq!(&out[..], [0x50, 2, 0, 1], "the old ones are acknowledged to nobody");
    }

    #[test]
    fn what_fails_after_the_session_s_task_has_ended_waits_for_nobody() {
        let inbox = Arc::new(Inbox::new(Arc::new(Notify::new()), 10));
        inbox.begin(false, false);
        let late = arrive(&inbox, QoS::AtLeastOnce, 1);
        assert!(inbox.end().is_empty());
        late.settle(failed());
        assert!(inbox.take_waiting(false).is_empty() && inbox.open() == 0, "nobody would run it again");
        inbox.open_again();
        arrive(&inbox, QoS::AtLeastOnce, 2).settle(failed());
        assert_eq!(inbox.take_waiting(false).len(), 1);
    }

    #[test]
    fn what_the_server_has_forgotten_is_laid_aside_after_the_session_s_task_has_ended() {
        let inbox = Arc::new(Inbox::new(Arc::new(Notify::new()), 10));
        inbox.begin(false, false);
        let laid_aside = Arc::new(AtomicUsize::new(0));
        let arrives = |qos: QoS, id: u16| {
            let (mut ticket, laid_aside) = (arrive(&inbox, qos, id), laid_aside.clone());
            ticket.lay_aside_by(move |publish, _, ticket| {
                laid_aside.fetch_add(usize::from(publish.id), Ordering::AcqRel);
                // It could not be kept: that is tried once here.
                ticket.settle(Verdict::Never);
            });
            ticket
        };
        let [fails, abandoned] = [1, 10].map(|id| arrives(QoS::ExactlyOnce, id));
        inbox.lost(true);
        inbox.begin(false, false);
        let [once, known] = [(QoS::AtLeastOnce, 100), (QoS::ExactlyOnce, 1000)].map(|(qos, id)| arrives(qos, id));
        assert!(inbox.end().is_empty(), "they run");
        fails.settle(failed());
        abandoned.settle(Verdict::Never);
        assert_eq!(laid_aside.load(Ordering::Acquire), 11);
        once.settle(failed());
        known.settle(failed());
        assert_eq!(laid_aside.load(Ordering::Acquire), 11, "the server sends these again");
        assert_eq!(inbox.open(), 0);
    }

    #[test]
    fn what_waits_when_the_session_s_task_ends_keeps_no_memory() {
        let inbox = Arc::new(Inbox::new(Arc::new(Notify::new()), 10));
        inbox.begin(false, false);
        let [once, forgotten] = [(QoS::AtLeastOnce, 1), (QoS::ExactlyOnce, 2)].map(|(qos, id)| arrive(&inbox, qos, id));
        inbox.lost(true);
        inbox.begin(false, false);
        once.settle(failed());
        forgotten.settle(failed());
        let [letter] = inbox.end().try_into().unwrap();
        assert_eq!((letter.publish.id, inbox.open()), (2, 1), "the other one is another's");
        letter.ticket.settle(Verdict::Never);
        let gone = Arc::downgrade(&inbox);
        drop(inbox);
        assert!(gone.upgrade().is_none());
    }
}
