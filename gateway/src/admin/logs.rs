//! Log lines of a group.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use flotilla_api::Problem;
use flotilla_api::log::{LogCursor, LogFilter, LogLevel, LogLine, LogPage};
use flotilla_api::node::Unanswered;
use flotilla_tasks::Task;
use futures::stream::{self, Stream};
use schemars::JsonSchema;
use serde::Deserialize;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::api::Api;
use super::nodes::ALIVE;
use super::parameters::{Path, Query as Asked};
use super::problem::Failure;
use crate::logs::{Follower, LogFiles, Query, Snapshot, Sources, page, page_of};

/// Lines in an answer, unless it is said how many.
const LINES: usize = 200;
/// The most.
const MOST: usize = 10_000;
/// Bytes of texts in an answer at most: there is more behind its cursor.
const ASKED: usize = 8 << 20;
/// And of what waits for one that follows: with the number of those, a bound of all together.
const FOLLOWED: usize = 1 << 20;
/// What is appended within this time is merged by time.
const GATHER: Duration = Duration::from_millis(100);
/// How often it is looked which replicas answer, while nothing else happens.
const LOOK: Duration = Duration::from_secs(1);

/// What this gateway collects.
#[derive(Clone)]
pub struct Logs {
    /// The lines.
    pub files: Arc<LogFiles>,
    /// Which replicas answer.
    pub sources: Arc<Sources>,
}

/// Which lines.
#[derive(Deserialize, JsonSchema)]
pub(super) struct Which {
    #[serde(default)]
    replica: String,
    #[serde(default)]
    node: String,
    #[serde(default)]
    tab: String,
    #[serde(default)]
    level: String,
    since: Option<u64>,
    until: Option<u64>,
    #[serde(default)]
    grep: String,
    after: Option<String>,
    limit: Option<usize>,
    #[serde(default)]
    follow: bool,
}

impl Which {
    fn query(self, group: &str) -> Result<Query, Failure> {
        let bad = |field, detail| Failure(Problem::new(400, "bad_query", detail).of_field(field));
        let level: Option<LogLevel> = Some(self.level.as_str())
            .filter(|level| !level.is_empty())
            .map(str::parse)
            .transpose()
            .map_err(|error| bad("level", error))?;
        let after: Option<LogCursor> =
            self.after.as_deref().map(str::parse).transpose().map_err(|error| bad("after", error))?;
        let limit = self.limit.unwrap_or(LINES);
        if !(1..=MOST).contains(&limit) {
            return Err(bad("limit", format!("limit={limit}: use 1 to {MOST}, and `after` for what comes behind")));
        }
        let bytes = Some(if self.follow { FOLLOWED } else { ASKED });
        let Which { replica, node, tab, since, until, grep, .. } = self;
        let filter = LogFilter { replica, node, tab, level, since, until, grep };
        Ok(Query { group: group.to_owned(), filter, after, limit, bytes })
    }
}

/// `GET /api/v1/groups/{group}/logs`: the newest lines, or with `after` those behind a cursor. With `follow=true` as
/// server-sent events: `log` with a line, once `cursor` with where what is new begins, `unanswered` and `answers` with a replica.
pub(super) async fn logs(
    State(api): State<Api>,
    Path(group): Path<String>,
    Asked(which): Asked<Which>,
) -> Result<Response, Failure> {
    api.specs().get(&group).await?;
    let Logs { files, sources } = api.logs.clone().ok_or_else(|| {
        Problem::new(409, "no_logs", "this gateway collects no log lines: its own log has the reason; see --logs")
    })?;
    let follow = which.follow;
    let query = which.query(&group)?;
    if follow {
        let stream = api.stream()?;
        let snapshot = files.snapshot();
        let follower = Follower::behind(files.clone(), &snapshot);
        let tail = Tail {
            grown: files.watch(),
            files,
            sources,
            query,
            snapshot: Some(snapshot),
            follower: Some(follower),
            behind: false,
            silent: Vec::new(),
            ready: VecDeque::new(),
            _stream: stream,
        };
        return Ok(Sse::new(tail.stream()).keep_alive(KeepAlive::new().interval(ALIVE)).into_response());
    }
    let found = blocking(move || page(&files, &query)).await?;
    Ok(Json(LogPage {
        lines: found.lines,
        cursor: found.cursor.to_string(),
        more: found.more,
        unanswered: sources.unanswered(&group),
    })
    .into_response())
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> std::io::Result<T> + Send + 'static) -> Result<T, Failure> {
    let task = Task {
        name: "reading of log files",
        owner: "gateway".into(),
        ends: "the lines are found",
        failure: "the request fails",
    };
    let read =
        task.spawn_blocking(work).await.map_err(|_| Problem::new(500, "logs_failed", "log files cannot be read"))?;
    read.map_err(|error| Problem::new(500, "logs_failed", format!("log files cannot be read: {error}")).into())
}

struct Tail {
    files: Arc<LogFiles>,
    sources: Arc<Sources>,
    grown: watch::Receiver<u64>,
    query: Query,
    /// What is shown before what comes; `None` when it was.
    snapshot: Option<Snapshot>,
    follower: Option<Follower>,
    /// There is more to read at once.
    behind: bool,
    silent: Vec<Unanswered>,
    ready: VecDeque<Event>,
    _stream: OwnedSemaphorePermit,
}

impl Tail {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        stream::unfold(self, |mut tail| async move {
            loop {
                if let Some(event) = tail.ready.pop_front() {
                    return Some((Ok(event), tail));
                }
                match tail.more().await {
                    Ok(()) => {}
                    Err(Failure(problem)) => {
                        // Whoever follows begins anew with its cursor.
                        tracing::warn!("a stream of log lines ends: {}", problem.detail);
                        return None;
                    }
                }
            }
        })
    }

    async fn more(&mut self) -> Result<(), Failure> {
        self.look();
        if let Some(snapshot) = self.snapshot.take() {
            let query = self.query.clone();
            let (snapshot, found) =
                blocking(move || Ok((page_of(&snapshot, &query)?, snapshot)).map(|(f, s)| (s, f))).await?;
            self.show(&found.lines);
            if found.more {
                self.query.after = Some(found.cursor);
                self.snapshot = Some(snapshot);
            } else {
                self.ready.push_back(Event::default().event("cursor").data(found.cursor.to_string()));
            }
            return Ok(());
        }
        if !self.behind {
            self.wait().await;
        }
        let files = self.files.clone();
        let mut follower = self.follower.take().unwrap_or_else(|| Follower::behind(files.clone(), &files.snapshot()));
        let (follower, (lines, more)) = blocking(move || follower.read().map(|read| (follower, read))).await?;
        (self.follower, self.behind) = (Some(follower), more);
        let wanted: Vec<_> = lines.into_iter().filter(|line| self.wants(line)).collect();
        self.show(&wanted);
        Ok(())
    }

    /// Waits until lines were appended, and a little, so that what comes at the same time is merged.
    async fn wait(&mut self) {
        tokio::select! {
            changed = self.grown.changed() => if changed.is_ok() { tokio::time::sleep(GATHER).await },
            () = tokio::time::sleep(LOOK) => {}
        }
        self.grown.mark_unchanged();
    }

    fn wants(&self, line: &LogLine) -> bool {
        self.query.wants(line) && self.query.after.as_ref().is_none_or(|after| after.is_before(line))
    }

    fn show(&mut self, lines: &[LogLine]) {
        let event = |line: &LogLine| {
            let id = format!("{}:{}", line.replica, line.position);
            Event::default().event("log").id(id).json_data(line).unwrap_or_default()
        };
        self.ready.extend(lines.iter().map(event));
    }

    /// Names replicas that do not answer any more, and those that do again.
    fn look(&mut self) {
        let now = self.sources.unanswered(&self.query.group);
        let event = |name: &str, which: &Unanswered| Event::default().event(name).json_data(which).unwrap_or_default();
        let has = |list: &[Unanswered], which: &Unanswered| list.iter().any(|one| one.replica == which.replica);
        self.ready.extend(now.iter().filter(|one| !has(&self.silent, one)).map(|one| event("unanswered", one)));
        self.ready.extend(self.silent.iter().filter(|one| !has(&now, one)).map(|one| event("answers", one)));
        self.silent = now;
    }
}
