//! The one timer of a connection.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

/// A wait that is longer ends as if it were this long.
const LONGEST: Duration = Duration::from_hours(24 * 365);

/// One timer for all waits of a connection that are bounded: for the next head, and for an answer.
///
/// Most waits end long before their deadline. A timer for each of them would be made, entered among the runtime's and taken out again
/// with every request. This one stays where it is: it goes off at the earliest of the deadlines since it last went off, and only then
/// is it set to the deadline of the wait that goes on. A wait ends at its deadline, never before.
///
/// All waits of an alarm are waited for by one task; of several tasks only the last would be woken.
#[derive(Clone, Default)]
pub struct Alarm(Arc<Mutex<Armed>>);

#[derive(Default)]
struct Armed {
    timer: Option<Pin<Box<Sleep>>>,
    /// Whom it wakes when it goes off.
    wakes: Option<Waker>,
}

/// Ends at a deadline; see [`Alarm::until`].
pub struct Due {
    alarm: Alarm,
    deadline: Instant,
}

impl Alarm {
    /// Ends at a deadline.
    pub fn until(&self, deadline: Instant) -> Due {
        Due { alarm: self.clone(), deadline }
    }

    /// Ends after so long.
    pub fn after(&self, wait: Duration) -> Due {
        self.until(Instant::now() + wait.min(LONGEST))
    }

    /// What a future gives; `None` when it has not ended after so long.
    pub async fn within<F: Future>(&self, wait: Duration, future: F) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        let mut due = self.after(wait);
        std::future::poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Pin::new(&mut due).poll(cx).map(|()| None),
        })
        .await
    }

    fn poll(&self, deadline: Instant, cx: &mut Context<'_>) -> Poll<()> {
        let mut armed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Armed { timer, wakes } = &mut *armed;
        let timer = timer.get_or_insert_with(|| Box::pin(sleep_until(deadline)));
        if timer.deadline() > deadline {
            timer.as_mut().reset(deadline);
        } else if !timer.is_elapsed() && wakes.as_ref().is_some_and(|wakes| wakes.will_wake(cx.waker())) {
            // It runs, and wakes this task in time.
            return Poll::Pending;
        }
        loop {
            // Whatever else the task did: a timer that is not polled wakes nobody.
            if Pin::new(&mut tokio::task::unconstrained(timer.as_mut())).poll(cx).is_pending() {
                *wakes = Some(cx.waker().clone());
                return Poll::Pending;
            }
            *wakes = None;
            if timer.deadline() >= deadline {
                // A later wait of this task has no timer now, until it is polled again.
                cx.waker().wake_by_ref();
                return Poll::Ready(());
            }
            timer.as_mut().reset(deadline);
        }
    }
}

impl Future for Due {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.alarm.poll(self.deadline, cx)
    }
}

impl hyper::rt::Sleep for Due {}

impl hyper::rt::Timer for Alarm {
    fn sleep(&self, wait: Duration) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(self.after(wait))
    }

    fn sleep_until(&self, deadline: std::time::Instant) -> Pin<Box<dyn hyper::rt::Sleep>> {
        Box::pin(self.until(deadline.into()))
    }

    fn now(&self) -> std::time::Instant {
        Instant::now().into_std()
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_wait_ends_at_its_own_deadline() {
        let alarm = Alarm::default();
        // Later than the one before, earlier, and the same again: as heads and answers take turns.
        for seconds in [30, 120, 30, 1, 1, 120, 5] {
            let begun = Instant::now();
            alarm.after(Duration::from_secs(seconds)).await;
            let waited = begun.elapsed();
            assert!(waited >= Duration::from_secs(seconds), "{seconds} s: {waited:?}");
            assert!(waited < Duration::from_secs(seconds) + Duration::from_millis(5), "{seconds} s: {waited:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_that_were_given_up_end_none_that_follow() {
        let alarm = Alarm::default();
        for _ in 0..100 {
            // A head comes after a second, its answer after two.
            let head = alarm.within(Duration::from_secs(30), tokio::time::sleep(Duration::from_secs(1))).await;
            let answer = alarm.within(Duration::from_secs(120), tokio::time::sleep(Duration::from_secs(2))).await;
            assert_eq!((head, answer), (Some(()), Some(())));
        }
        let begun = Instant::now();
        assert_eq!(alarm.within(Duration::from_secs(120), std::future::pending::<()>()).await, None);
        let waited = begun.elapsed().as_secs_f64();
        assert!((120.0..120.1).contains(&waited), "{waited}");
    }

    #[tokio::test(start_paused = true)]
    async fn two_waits_of_a_task_at_once_end_at_their_deadlines() {
        let alarm = Alarm::default();
        let begun = Instant::now();
        let (mut late, mut early) = (alarm.after(Duration::from_secs(20)), alarm.after(Duration::from_secs(10)));
        assert!((&mut late).now_or_never().is_none());
        tokio::select! {
            () = &mut late => panic!("the later one ended first"),
            () = &mut early => {}
        }
        assert!(begun.elapsed() >= Duration::from_secs(10) && begun.elapsed() < Duration::from_secs(11));
        late.await;
        assert!(begun.elapsed() >= Duration::from_secs(20) && begun.elapsed() < Duration::from_secs(21));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wait_that_another_task_takes_over_wakes_that_one() {
        let alarm = Alarm::default();
        let mut due = alarm.after(Duration::from_secs(10));
        assert!((&mut due).now_or_never().is_none());
        let begun = Instant::now();
        #[allow(clippy::disallowed_methods, reason = "a panic shows in what the test waits for")]
        let other = tokio::spawn(due);
        assert!(other.await.is_ok());
        assert!(begun.elapsed() >= Duration::from_secs(9), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn the_longest_wait_of_a_flow_is_no_overflow() {
        assert_eq!(Alarm::default().within(Duration::MAX, std::future::ready(7)).await, Some(7));
    }
}
