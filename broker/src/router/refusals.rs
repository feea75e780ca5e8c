//! Refusals, and the reason strings that explain them.

use super::Router;
use crate::{
    persist::{Refused, ReplyKind},
    session::SessionKey,
    topic::Filter,
};
use flotilla_codec::{AckKind, Publish, QoS, Reason};

/// Bytes of a topic or filter that a reason string repeats.
const REPEATED: usize = 100;

/// What a person should know: `text` and which topic or filter it is about, cut off where it is long.
pub(super) fn about(text: &str, name: &str) -> String {
    let cut = &name[..name.floor_char_boundary(REPEATED)];
    let rest = if cut.len() < name.len() { "..." } else { "" };
    format!("{text}: {cut}{rest}")
}

impl Router {
    /// Answers a publish at QoS 1 or 2 that is not taken.
    pub(super) fn refuse_publish(
        &mut self,
        session: SessionKey,
        publish: &Publish,
        reason: Reason,
        detail: impl FnOnce(&Self) -> String,
    ) {
        let kind = if publish.qos == QoS::ExactlyOnce { AckKind::PubRec } else { AckKind::PubAck };
        self.promise_refusal(session, ReplyKind::Ack(kind, publish.pkid, reason), reason, detail);
    }

    /// Answers SUBSCRIBE or UNSUBSCRIBE. There is one reason string for all filters: it is about the first of which
    /// `refused` says why it is.
    pub(super) fn promise_codes(&mut self, session: SessionKey, answer: ReplyKind, refused: Option<(Reason, &str)>) {
        match refused {
            Some((reason, filter)) => {
                self.promise_refusal(session, answer, reason, |router| router.why_not(session, reason, filter));
            }
            None => self.promise(session, answer),
        }
    }

    /// Answers, and explains it to who wants explanations.
    pub(super) fn promise_refusal(
        &mut self,
        session: SessionKey,
        answer: ReplyKind,
        reason: Reason,
        detail: impl FnOnce(&Self) -> String,
    ) {
        let client = self.sessions.get(session).and_then(|session| session.client.as_ref());
        let answer = if client.is_some_and(|client| client.reason_room > 0) {
            ReplyKind::Refused(Box::new(Refused { answer, reason, detail: detail(self) }))
        } else {
            answer
        };
        self.promise(session, answer);
    }

    fn why_not(&self, session: SessionKey, reason: Reason, filter: &str) -> String {
        match reason {
            Reason::Unspecified => about("the broker's settings refuse this subscription (deny-subscribe)", filter),
            Reason::QuotaExceeded => {
                let full = Filter::parse(filter).and_then(|parsed| self.full_for(session, &parsed, filter));
                match full {
                    Some((what, setting)) => about(&format!("{what} ({setting})"), filter),
                    // There is room again.
                    None => about(reason.text(), filter),
                }
            }
            _ => about(reason.text(), filter),
        }
    }

    /// Which bound a publish met that share groups did not take.
    pub(super) fn what_is_full(&self) -> String {
        let config = &self.config;
        let (what, setting) = if self.is_laden() {
            (format!("the broker holds {} bytes of messages", config.max_held_bytes), "max-held-bytes")
        } else if self.hits.groups.iter().any(|group| self.groups[*group].waiting() >= config.group_queue) {
            (format!("{} messages wait in a share group of this topic", config.group_queue), "group-queue")
        } else {
            let bytes = config.group_queue_bytes;
            (format!("{bytes} bytes of messages wait in a share group of this topic"), "group-queue-bytes")
        };
        format!("{what}, all that may ({setting}): publish again when there is room")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_names_are_cut_between_characters() {
        assert_eq!(about("no", "a/b"), "no: a/b");
        let long = format!("{}\u{20ac}{}", "x".repeat(REPEATED - 1), "y".repeat(60_000));
        assert_eq!(about("no", &long), format!("no: {}...", "x".repeat(REPEATED - 1)));
    }
}
