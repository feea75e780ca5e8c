//! Which alerts last, which ended, what is still to be sent. Pure.

use flotilla_api::alert::{Alert, AlertKind, AlertRules, Alerts, Unsent};

use super::picture::Cause;

/// Alerts that ended and are remembered.
const ENDED: usize = 100;
/// Alerts and ends that wait for the webhook.
const UNSENT: usize = 200;
/// The first wait after a failure; it doubles each time.
const FIRST_MS: u64 = 1_000;
/// The longest.
const LONGEST_MS: u64 = 60_000;
/// After so many tries an alert is given up.
const TRIES: u32 = 100;

/// The alerts of a group, as the store keeps them.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Book(pub Alerts);

impl Book {
    /// Takes note of what is wrong now: raises what is new, ends what is over. True when something changed.
    pub fn note(
        &mut self,
        group: &str,
        causes: &[Cause],
        now_ms: u64,
        rules: &AlertRules,
        id: &dyn Fn() -> String,
    ) -> bool {
        let before = self.0.active.len() + self.0.ended.len();
        let is = |alert: &Alert, cause: &Cause| alert.kind == cause.kind && alert.cause == cause.cause;
        let (lasting, over): (Vec<_>, Vec<_>) = std::mem::take(&mut self.0.active)
            .into_iter()
            .partition(|alert| causes.iter().any(|cause| is(alert, cause)));
        self.0.active = lasting;
        let mut changed = !over.is_empty();
        for mut alert in over {
            alert.ended_ms = Some(now_ms);
            // Nobody was told that it began.
            let untold = self.0.untold.iter().position(|id| *id == alert.id);
            match untold {
                Some(at) => drop(self.0.untold.remove(at)),
                None => self.send(alert.clone(), now_ms, rules),
            }
            self.0.ended.insert(0, alert);
        }
        self.0.ended.truncate(ENDED);
        changed |= self.tell_untold(now_ms, rules);
        for cause in causes {
            if self.0.active.iter().any(|alert| is(alert, cause)) {
                continue;
            }
            let Cause { kind, cause, text, ready_before } = cause.clone();
            let alert = Alert {
                id: id(),
                group: group.to_owned(),
                kind,
                cause,
                text,
                ready_before,
                since_ms: now_ms,
                ended_ms: None,
                test: false,
            };
            if rules.webhook.is_empty() {
                self.0.untold.push(alert.id.clone());
            }
            self.send(alert.clone(), now_ms, rules);
            self.0.active.push(alert);
            changed = true;
        }
        changed || before != self.0.active.len() + self.0.ended.len()
    }

    /// There is a webhook: it hears of what lasts and was raised without one.
    fn tell_untold(&mut self, now_ms: u64, rules: &AlertRules) -> bool {
        if rules.webhook.is_empty() || self.0.untold.is_empty() {
            return false;
        }
        let untold = std::mem::take(&mut self.0.untold);
        let lasting: Vec<Alert> = self.0.active.iter().filter(|alert| untold.contains(&alert.id)).cloned().collect();
        for alert in lasting {
            self.send(alert, now_ms, rules);
        }
        true
    }

    /// Another gateway goes on with what the store has. That the store was away it does not have: this ends here, by whom it was
    /// raised.
    pub fn hand_over(&mut self, now_ms: u64, rules: &AlertRules) {
        let is_away = |alert: &Alert| alert.kind == AlertKind::StoreAway;
        self.0.unsent.retain(|unsent| is_away(&unsent.alert));
        for mut alert in std::mem::take(&mut self.0.active).into_iter().filter(is_away) {
            alert.ended_ms = Some(now_ms);
            self.send(alert, now_ms, rules);
        }
    }

    /// Goes on with what the store has; what is still to be sent stays first.
    pub fn take_over(&mut self, mut kept: Book) {
        let mut unsent = std::mem::take(&mut self.0.unsent);
        unsent.retain(|own| !kept.0.unsent.iter().any(|one| is_same(&one.alert, &own.alert)));
        unsent.append(&mut kept.0.unsent);
        kept.0.unsent = unsent;
        *self = kept;
    }

    fn send(&mut self, alert: Alert, now_ms: u64, rules: &AlertRules) {
        if rules.webhook.is_empty() {
            return;
        }
        self.0.unsent.push(Unsent { alert, tries: 0, next_ms: now_ms, error: String::new() });
        let more = self.0.unsent.len().saturating_sub(UNSENT);
        self.0.unsent.drain(..more);
    }

    /// What is to be sent next, when that is due. An alert goes before its end, so one that waits holds up those behind it.
    pub fn due(&self, now_ms: u64) -> Option<&Alert> {
        self.0.unsent.first().filter(|unsent| unsent.next_ms <= now_ms).map(|unsent| &unsent.alert)
    }

    /// What was sent was taken, or not.
    pub fn sent(&mut self, alert: &Alert, result: Result<(), String>, now_ms: u64) {
        let Some(at) = self.0.unsent.iter().position(|unsent| is_same(&unsent.alert, alert)) else { return };
        let first = &mut self.0.unsent[at];
        match result {
            Err(error) if first.tries + 1 < TRIES => {
                first.next_ms = now_ms + (FIRST_MS << first.tries.min(6)).min(LONGEST_MS);
                first.tries += 1;
                first.error = error;
            }
            _ => drop(self.0.unsent.remove(at)),
        }
    }
}

fn is_same(a: &Alert, b: &Alert) -> bool {
    a.id == b.id && a.ended_ms.is_some() == b.ended_ms.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cause(kind: AlertKind) -> Cause {
        Cause { kind, cause: "c".to_owned(), text: "t".to_owned(), ready_before: 0 }
    }

    fn sent(book: &mut Book, result: Result<(), String>, now_ms: u64) {
        let alert = book.0.unsent[0].alert.clone();
        book.sent(&alert, result, now_ms);
    }

    #[test]
    fn one_alert_a_cause_and_its_end_and_what_fails_is_tried_again() {
        let rules = AlertRules { webhook: "http://x".to_owned(), ..AlertRules::default() };
        let cause = cause(AlertKind::Memory);
        let mut book = Book::default();
        let id = || "1".to_owned();
        assert!(book.note("g", std::slice::from_ref(&cause), 5, &rules, &id));
        assert!(!book.note("g", std::slice::from_ref(&cause), 6, &rules, &id));
        assert!(book.note("g", &[], 7, &rules, &id));
        assert!(!book.note("g", &[], 8, &rules, &id));
        assert_eq!((book.0.active.len(), book.0.ended.len(), book.0.unsent.len()), (0, 1, 2));
        assert_eq!(book.due(10).map(|alert| alert.ended_ms), Some(None));
        sent(&mut book, Err("refused".to_owned()), 10);
        assert_eq!(book.due(11), None);
        sent(&mut book, Ok(()), 1_010);
        assert_eq!(book.due(1_010).map(|alert| alert.ended_ms), Some(Some(7)));
        sent(&mut book, Ok(()), 1_020);
        assert!(book.0.unsent.is_empty());
    }

    #[test]
    fn a_webhook_that_is_set_later_hears_of_what_lasts_and_of_no_end_without_its_beginning() {
        let (none, set) =
            (AlertRules::default(), AlertRules { webhook: "http://x".to_owned(), ..AlertRules::default() });
        let next = std::cell::Cell::new(0);
        let id = || next.replace(next.get() + 1).to_string();
        let told = |book: &Book| {
            let unsent = book.0.unsent.iter();
            unsent.map(|unsent| (unsent.alert.kind, unsent.alert.ended_ms)).collect::<Vec<_>>()
        };
        let (memory, backlog) = (cause(AlertKind::Memory), cause(AlertKind::Backlog));
        let mut book = Book::default();
        book.note("g", &[memory.clone(), backlog.clone()], 1, &none, &id);
        book.note("g", std::slice::from_ref(&memory), 2, &none, &id);
        // The one that ended before was never told of; the other is told of before its end.
        book.note("g", std::slice::from_ref(&memory), 3, &set, &id);
        assert_eq!(told(&book), [(AlertKind::Memory, None)]);
        book.note("g", &[], 4, &set, &id);
        assert_eq!(told(&book), [(AlertKind::Memory, None), (AlertKind::Memory, Some(4))]);
        assert!(book.0.untold.is_empty());
        // What ends in the moment in which the webhook is set is over.
        book.note("g", std::slice::from_ref(&backlog), 5, &none, &id);
        book.note("g", &[], 6, &set, &id);
        assert_eq!(told(&book).len(), 2);
    }

    #[test]
    fn who_raised_that_the_store_was_away_says_that_it_is_back_whoever_leads_then() {
        let rules = AlertRules { webhook: "http://x".to_owned(), ..AlertRules::default() };
        let mut book = Book::default();
        let next = std::cell::Cell::new(0);
        let id = || next.replace(next.get() + 1).to_string();
        let saved = [cause(AlertKind::Memory)];
        book.note("g", &saved, 1, &rules, &id);
        sent(&mut book, Ok(()), 1);
        let in_store = book.clone();
        book.note("g", &[saved[0].clone(), cause(AlertKind::StoreAway)], 2, &rules, &id);
        sent(&mut book, Ok(()), 2);
        book.hand_over(9, &rules);
        let told = |book: &Book| {
            let unsent = book.0.unsent.iter();
            unsent.map(|unsent| (unsent.alert.kind, unsent.alert.ended_ms)).collect::<Vec<_>>()
        };
        assert_eq!((book.0.active.len(), told(&book)), (0, vec![(AlertKind::StoreAway, Some(9))]));
        book.take_over(in_store);
        assert_eq!((book.0.active.len(), told(&book)), (1, vec![(AlertKind::StoreAway, Some(9))]));
    }
}
