//! The nodes of a group's flow: what they do, what debug nodes show, the buttons of inject nodes.

use std::collections::{HashMap, HashSet};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use flotilla_api::debug::{DebugMessages, DebugPage};
use flotilla_api::node::{GroupNodes, Inject, Injected, ReplicaNode, Unanswered};
use flotilla_api::path::part;
use flotilla_api::timer::{GroupTimers, ReplicaTimer};
use flotilla_api::{Client, Problem};
use futures::FutureExt as _;
use futures::stream::{self, Stream};
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;

use super::api::Api;
use super::body::Body;
use super::caller::Caller;
use super::parameters::{Path, Query};
use super::problem::Failure;
use crate::replicas::{Control, Following, Heard, Replies, follow};

/// A stream has a comment this often.
pub(super) const ALIVE: Duration = Duration::from_secs(5);

/// Which debug messages.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Which {
    /// Those of this node, by id or name; empty: all.
    #[serde(default)]
    node: String,
    /// As server-sent events, as they come.
    #[serde(default)]
    follow: bool,
}

/// `GET /api/v1/groups/{group}/nodes`.
pub(super) async fn nodes(State(api): State<Api>, Path(group): Path<String>) -> Result<Json<GroupNodes>, Failure> {
    api.specs().get(&group).await?;
    let ask = |client: Client| async move { client.get::<Vec<ReplicaNode>>("/control/v1/nodes").await }.boxed();
    let Replies { answers, unanswered } = Control::new(api.store.clone(), &group).ask(|_| true, ask).await?;
    Ok(Json(GroupNodes::merge(answers, unanswered)))
}

/// `GET /api/v1/groups/{group}/timers`.
pub(super) async fn timers(State(api): State<Api>, Path(group): Path<String>) -> Result<Json<GroupTimers>, Failure> {
    api.specs().get(&group).await?;
    let ask = |client: Client| async move { client.get::<Vec<ReplicaTimer>>("/control/v1/timers").await }.boxed();
    let Replies { answers, unanswered } = Control::new(api.store.clone(), &group).ask(|_| true, ask).await?;
    Ok(Json(GroupTimers::merge(answers, unanswered)))
}

/// `POST /api/v1/groups/{group}/nodes/{node}/inject`: `node` is an id or a name.
pub(super) async fn inject(
    State(api): State<Api>,
    Path((group, node)): Path<(String, String)>,
    caller: Caller,
    Body(inject): Body<Inject>,
) -> Result<Json<Injected>, Failure> {
    api.specs().get(&group).await?;
    let control = Control::new(api.store.clone(), &group);
    let only = match &*inject.replica {
        "each" => None,
        "" => match control.any().await? {
            Some(replica) => Some(replica),
            None => {
                let detail = format!("group \"{group}\" has no replica that runs");
                return Err(Problem::new(409, "no_replicas", detail).into());
            }
        },
        replica => Some(replica.to_owned()),
    };
    let (path, body) = (format!("/control/v1/nodes/{}/inject", part(&node)), inject.clone());
    let ask = move |client: Client| {
        let (path, body) = (path.clone(), body.clone());
        // A refusal of the flow is an answer, too.
        async move {
            match client.post::<Injected>(&path, &body).await {
                Err(flotilla_api::ClientError::Refused(problem)) => Ok(Err(problem)),
                other => other.map(Ok),
            }
        }
        .boxed()
    };
    let asked = control.ask(|replica| only.as_ref().is_none_or(|only| *only == replica.id), ask).await?;
    let Replies { answers, unanswered } = asked;
    if let (Some(only), [], []) = (&only, answers.as_slice(), unanswered.as_slice()) {
        let detail = format!("group \"{group}\" has no replica \"{only}\": see `flotilla status`");
        return Err(Problem::new(404, "no_such_replica", detail).of_field("replica").into());
    }
    let mut done = Injected { unanswered, ..Injected::default() };
    let mut refused = None;
    for (replica, answer) in answers {
        match answer {
            Ok(injected) => {
                done.node = injected.node;
                done.replicas.push(replica);
            }
            Err(problem) => {
                done.unanswered.push(Unanswered { replica, reason: problem.detail.clone() });
                refused = Some(problem);
            }
        }
    }
    match (done.replicas.is_empty(), refused, done.unanswered.first()) {
        (true, Some(problem), _) => return Err(problem.into()),
        (true, None, Some(Unanswered { replica, reason })) => {
            let detail = format!("replica {replica} did not answer: {reason}");
            return Err(Problem::new(504, "replica_unreachable", detail).into());
        }
        _ => {}
    }
    let what = format!("node {} on {}", done.node, done.replicas.join(", "));
    api.audit(&group)?.write(caller.entry("inject", what)).await?;
    Ok(Json(done))
}

/// `GET /api/v1/groups/{group}/debug?node=&follow=`.
pub(super) async fn debug(
    State(api): State<Api>,
    Path(group): Path<String>,
    Query(which): Query<Which>,
) -> Result<Response, Failure> {
    api.specs().get(&group).await?;
    let control = Control::new(api.store.clone(), &group);
    let node = part(&which.node);
    if which.follow {
        let permit = api.stream()?;
        // Replicas that join later are heard from their first message on; those of today from now on.
        let next = Arc::new(Mutex::new(positions(&control).await?));
        let heard = next.clone();
        let begins = move |replica: &str| {
            let from = next.lock().get(replica).copied().unwrap_or(0);
            format!("/control/v1/debug?follow=true&node={node}&from={from}")
        };
        let stream = events(follow(control, Arc::new(begins)), heard, permit);
        return Ok(Sse::new(stream).keep_alive(KeepAlive::new().interval(ALIVE)).into_response());
    }
    let path = format!("/control/v1/debug?node={node}");
    let ask = move |client: Client| {
        let path = path.clone();
        async move { client.get::<DebugPage>(&path).await }.boxed()
    };
    let Replies { answers, unanswered } = control.ask(|_| true, ask).await?;
    let mut all = DebugMessages { unanswered, ..DebugMessages::default() };
    for (_, page) in answers {
        all.left_out += page.left_out;
        all.messages.extend(page.messages);
    }
    all.messages.sort_by(|a, b| (a.time_ms, &a.replica, a.position).cmp(&(b.time_ms, &b.replica, b.position)));
    Ok(Json(all).into_response())
}

/// The position of each replica's next message.
async fn positions(control: &Control) -> Result<HashMap<String, u64>, Failure> {
    let ask = |client: Client| async move { client.get::<DebugPage>("/control/v1/debug").await }.boxed();
    let replies = control.ask(|_| true, ask).await?;
    Ok(replies.answers.into_iter().map(|(replica, page)| (replica, page.next)).collect())
}

/// What is heard, as events. The place among those that follow is held until the stream ends. `next` is where the stream of each
/// replica goes on when it was lost: behind what is handed out.
fn events(
    heard: Following,
    next: Arc<Mutex<HashMap<String, u64>>>,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    // A replica that does not answer is named once, until it answers again.
    let silent: HashSet<String> = HashSet::new();
    stream::unfold((heard, silent, next, permit), |(mut heard, mut silent, next, permit)| async move {
        loop {
            let one = heard.recv().await?;
            let event = match one {
                Heard::Event(replica, event) => {
                    let position = event.id.parse::<u64>().ok();
                    let known = next.lock().get(&replica).copied().unwrap_or(0);
                    // What waited here when the stream was lost comes a second time.
                    if position.is_some_and(|position| position < known) {
                        continue;
                    }
                    next.lock().extend(position.map(|position| (replica, position + 1)));
                    Event::default().event("debug").data(event.data)
                }
                Heard::Silent(unanswered) if silent.insert(unanswered.replica.clone()) => {
                    Event::default().event("unanswered").json_data(&unanswered).unwrap_or_default()
                }
                Heard::Answers(replica) | Heard::Gone(replica) => {
                    silent.remove(&replica);
                    continue;
                }
                Heard::Silent(_) => continue,
            };
            return Some((Ok(event), (heard, silent, next, permit)));
        }
    })
}
