//! The log lines of this replica.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use flotilla_gateway::admin::{Failure, Query};
use futures::stream::{self, Stream};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::watch;

use super::gate::{Control, Ending, Open};
use crate::logging::kept;

/// Lines that are looked up at once: what a reader that is slow keeps in memory.
const MOST: usize = 64;
/// A stream has a sign of life this often.
const ALIVE: Duration = Duration::from_millis(500);

/// Which lines.
#[derive(Deserialize)]
pub(super) struct Which {
    /// The first position that is wanted; 0: the oldest that is kept.
    #[serde(default)]
    from: u64,
}

/// `GET /control/v1/logs?from=`: events `begin` with the next position, `log` with a line, `lost` with how many lines are kept
/// no more, `left` before the process ends.
pub(super) async fn logs(
    State(control): State<Control>,
    Query(which): Query<Which>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Failure> {
    control.opened()?;
    let next = kept().next();
    let begin = Event::default().event("begin").data(json!({"next": next}).to_string());
    let ending = control.ending();
    let tail =
        Tail { from: which.from, next: kept().watch(), ready: VecDeque::from([begin]), _open: ending.open(), ending };
    Ok(Sse::new(tail.stream()).keep_alive(KeepAlive::new().interval(ALIVE)))
}

struct Tail {
    from: u64,
    next: watch::Receiver<u64>,
    ready: VecDeque<Event>,
    ending: Ending,
    _open: Open,
}

impl Tail {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(Some(self), |tail| async move {
            let mut tail = tail?;
            loop {
                if let Some(event) = tail.ready.pop_front() {
                    return Some((Ok(event), Some(tail)));
                }
                let ends = tail.ending.begun.is_cancelled();
                tail.next.mark_unchanged();
                tail.take();
                if !tail.ready.is_empty() {
                    continue;
                }
                if ends {
                    // All was said: the stream ends behind this.
                    return Some((Ok(Event::default().event("left").data("{}")), None));
                }
                tokio::select! {
                    changed = tail.next.changed() => changed.ok()?,
                    () = tail.ending.begun.cancelled() => {}
                }
            }
        })
    }

    fn take(&mut self) {
        let page = kept().from(self.from, MOST);
        // What nobody asked for yet is not lost.
        if page.lost > 0 && self.from > 0 {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
            let before = page.next - page.entries.len() as u64;
            let lost = json!({"lost": page.lost, "before": before, "time_ms": now});
            self.ready.push_back(Event::default().event("lost").data(lost.to_string()));
        }
        let event = |(_, line): (u64, Arc<str>)| Event::default().event("log").data(&*line);
        self.ready.extend(page.entries.into_iter().map(event));
        self.from = page.next;
    }
}
