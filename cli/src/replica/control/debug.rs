//! What the debug nodes of this replica show.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use flotilla_api::debug::{DebugMessage, DebugPage};
use flotilla_engine::Shared;
use flotilla_engine::observe::{DebugFeed, Debugged};
use flotilla_gateway::admin::{Failure, Query};
use futures::stream::{self, Stream};
use serde::Deserialize;

use super::gate::Control;

/// Messages in one answer.
const MOST: usize = 1000;
/// Messages that a stream takes out at once: what a reader that is slow keeps in memory.
const AT_ONCE: usize = 16;
/// A stream has a sign of life this often.
const ALIVE: Duration = Duration::from_millis(500);

/// Which messages.
#[derive(Deserialize)]
pub(super) struct Which {
    /// The first position that is wanted; 0: the oldest that is kept.
    #[serde(default)]
    from: u64,
    /// As a stream.
    #[serde(default)]
    follow: bool,
    /// Those of this node, by id or name; empty: all.
    #[serde(default)]
    node: String,
}

/// `GET /control/v1/debug?from=&follow=&node=`.
pub(super) async fn debug(State(control): State<Control>, Query(which): Query<Which>) -> Result<Response, Failure> {
    let opened = control.opened()?;
    let teller = Teller { id: opened.id.clone(), shared: opened.shared.clone(), feed: opened.debug.clone(), which };
    if teller.which.follow {
        return Ok(Sse::new(teller.follow()).keep_alive(KeepAlive::new().interval(ALIVE)).into_response());
    }
    let (messages, next) = teller.page(teller.which.from, MOST);
    Ok(Json(DebugPage { messages, next, left_out: opened.debug.left_out() }).into_response())
}

struct Teller {
    id: String,
    shared: Arc<Shared>,
    feed: Arc<DebugFeed>,
    which: Which,
}

impl Teller {
    fn page(&self, from: u64, most: usize) -> (Vec<DebugMessage>, u64) {
        let page = self.feed.from(from, most);
        let messages = page.entries.iter().map(|(position, shown)| self.message(*position, shown));
        let node = &self.which.node;
        let wanted = |message: &DebugMessage| node.is_empty() || message.node == *node || message.name == *node;
        (messages.filter(wanted).collect(), page.next)
    }

    fn message(&self, position: u64, shown: &Debugged) -> DebugMessage {
        let json: serde_json::Value = serde_json::from_str(&shown.json).unwrap_or_default();
        let text = |name: &str| json[name].as_str().unwrap_or_default().to_owned();
        let node = text("id");
        let view = self.shared.node(&node);
        DebugMessage {
            time_ms: shown.time_ms as u64,
            replica: self.id.clone(),
            position,
            name: text("name"),
            tab: view.as_ref().map(|view| view.tab.to_string()).unwrap_or_default(),
            tab_label: view.map(|view| view.tab_label.clone()).unwrap_or_default(),
            path: text("path"),
            topic: json["topic"].clone(),
            property: text("property"),
            format: text("format"),
            msg: json["msg"].clone(),
            left_out: shown.left_out,
            node,
        }
    }

    fn follow(self) -> impl Stream<Item = Result<Event, Infallible>> {
        let (next, from) = (self.feed.watch(), self.which.from);
        let state = (self, next, from, std::collections::VecDeque::new());
        stream::unfold(state, |(teller, mut next, mut from, mut ready)| async move {
            loop {
                if let Some(message) = ready.pop_front() {
                    let message: DebugMessage = message;
                    let event = Event::default().event("debug").id(message.position.to_string());
                    let event = event.json_data(&message).unwrap_or_default();
                    return Some((Ok(event), (teller, next, from, ready)));
                }
                let known = *next.borrow_and_update();
                let (messages, behind) = teller.page(from, AT_ONCE);
                ready.extend(messages);
                from = behind;
                if ready.is_empty() && from >= known && next.changed().await.is_err() {
                    return None;
                }
            }
        })
    }
}
