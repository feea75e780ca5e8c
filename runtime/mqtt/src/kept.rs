//! Messages that may have to run again, and when.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_codec::QoS;
use flotilla_engine::message::Failure;
use flotilla_engine::settings::OnFailure;

use super::message::Publish;

/// What is done with a message whose delivery failed.
#[derive(Clone, Copy, Debug)]
pub struct Policy {
    /// Acknowledge, run again or dead-letter.
    pub on_failure: OnFailure,
    /// How often it is run again.
    pub max_retries: u32,
    /// How long the first retry waits.
    pub retry_delay: Duration,
}

/// A message that may have to run again.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    publish: Arc<Publish>,
    policy: Policy,
    attempts: u32,
    /// How often it was run again because the store was away.
    blind: u32,
}

/// A retry waits no longer than this.
const LONGEST: Duration = Duration::from_secs(60);
/// How long a message waits that failed because the store was away; twice as long each time, up to [`LONGEST_BLIND`].
const BLIND: Duration = Duration::from_millis(250);
const LONGEST_BLIND: Duration = Duration::from_secs(10);

/// `first`, doubled `times` times, and no longer than `longest`.
fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(1 << times.min(20)).min(longest)
}

impl Kept {
    pub(super) fn new(publish: &Arc<Publish>, policy: Policy) -> Kept {
        Kept { publish: publish.clone(), policy, attempts: 0, blind: 0 }
    }

    /// The message.
    pub(super) fn publish(&self) -> Arc<Publish> {
        self.publish.clone()
    }

    /// At which QoS it came.
    pub(super) fn qos(&self) -> QoS {
        self.publish.qos
    }

    /// How often it was tried, with the last time.
    pub(super) fn attempts(&self) -> u32 {
        self.attempts
    }

    /// When it is run again or dead-lettered after this failure; `None` when it is to be acknowledged.
    pub(super) fn after(&mut self, failure: Failure) -> Option<(Instant, Arc<Publish>, Option<Failure>)> {
        let (now, publish) = (Instant::now(), self.publish.clone());
        if failure.is_store_away() {
            let wait = doubled(BLIND, self.blind, LONGEST_BLIND);
            self.blind += 1;
            return Some((now + wait, publish, None));
        }
        let Policy { on_failure, max_retries, retry_delay } = self.policy;
        let again = match on_failure {
            OnFailure::Ack => return None,
            OnFailure::Retry => self.attempts < max_retries,
            OnFailure::DeadLetter => false,
        };
        self.attempts += 1;
        let wait = if again { doubled(retry_delay, self.attempts - 1, LONGEST) } else { Duration::ZERO };
        Some((now + wait, publish, (!again).then_some(failure)))
    }
}

#[cfg(test)]
mod tests {
    use flotilla_value::{ErrorValue, Value};

    use super::*;

    fn failure(error: Value) -> Failure {
        Failure { node: "n".into(), error, message: Value::Undefined }
    }

    #[test]
    fn retries_wait_longer_each_time_and_a_store_that_is_away_costs_none_of_them() {
        let policy = Policy { on_failure: OnFailure::Retry, max_retries: 2, retry_delay: Duration::from_millis(100) };
        let mut kept = Kept::new(&Arc::default(), policy);
        let now = Instant::now();
        let mut wait = |error: Value| {
            let (due, _, given_up) = kept.after(failure(error)).unwrap();
            ((due - now).as_millis() / 50 * 50, given_up.is_some())
        };
        let away = || ErrorValue::with_code("away", flotilla_engine::message::STORE_AWAY).into_value();
        assert_eq!(wait(Value::from("x")), (100, false));
        assert_eq!(wait(away()), (250, false));
        assert_eq!(wait(Value::from("x")), (200, false));
        assert_eq!(wait(away()), (500, false));
        assert_eq!(wait(Value::from("x")), (0, true));
        let ack = Policy { on_failure: OnFailure::Ack, ..policy };
        let mut kept = Kept::new(&Arc::default(), ack);
        assert!(kept.after(failure(away())).is_some(), "whatever the policy");
        assert!(kept.after(failure(Value::from("x"))).is_none());
    }
}
