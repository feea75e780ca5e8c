//! Collects: each replica of each group is followed, and what it writes is appended.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use flotilla_api::Event;
use flotilla_api::log::{LogLevel, LogLine};
use flotilla_group::spec::Specs;
use flotilla_store::Store;
use flotilla_tasks::Task;
use tokio_util::sync::CancellationToken;

use super::files::LogFiles;
use super::sources::Sources;
use crate::replicas::{Control, Heard, follow};

/// How often it is looked which groups there are.
const LOOK: Duration = Duration::from_secs(2);
/// Lines that are written at once at most.
const BATCH: usize = 1000;

/// Collects the lines of all groups of a store, until the token is cancelled.
pub fn collect(store: &Arc<dyn Store>, files: &Arc<LogFiles>, sources: &Arc<Sources>, stop: &CancellationToken) {
    let task = Task {
        name: "log collector",
        owner: "gateway".into(),
        ends: "the gateway stops",
        failure: "this gateway collects no log lines any more",
    };
    drop(task.spawn(every_group(store.clone(), files.clone(), sources.clone(), stop.clone())));
}

async fn every_group(store: Arc<dyn Store>, files: Arc<LogFiles>, sources: Arc<Sources>, stop: CancellationToken) {
    let mut known = HashSet::new();
    loop {
        // While the store is away the groups that are known are followed.
        for spec in Specs::new(store.clone()).list().await.unwrap_or_default() {
            if known.insert(spec.name.clone()) {
                let task = Task {
                    name: "log collector of a group",
                    owner: spec.name.as_str().into(),
                    ends: "the gateway stops",
                    failure: "this gateway collects no log lines of this group any more",
                };
                let control = Control::new(store.clone(), &spec.name);
                drop(task.spawn(one_group(spec.name, control, files.clone(), sources.clone(), stop.clone())));
            }
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => return,
        }
    }
}

async fn one_group(
    group: String,
    control: Control,
    files: Arc<LogFiles>,
    sources: Arc<Sources>,
    stop: CancellationToken,
) {
    let known = files.clone();
    let behind = move |replica: &str| format!("/control/v1/logs?from={}", known.next_position(replica));
    let mut heard = follow(control, Arc::new(behind));
    let mut failing = false;
    loop {
        let first = tokio::select! {
            first = heard.recv() => first,
            () = stop.cancelled() => return,
        };
        let Some(first) = first else { return };
        let mut lines = Vec::new();
        let mut next = Some(first);
        while let Some(one) = next {
            match one {
                Heard::Event(replica, event) => lines.extend(line(&group, &replica, &event, &files, &sources)),
                Heard::Answers(replica) => sources.answers(&group, &replica),
                Heard::Silent(unanswered) => sources.silent(&group, &unanswered.replica, unanswered.reason),
                Heard::Gone(replica) => sources.gone(&replica),
            }
            next = if lines.len() < BATCH { heard.try_recv() } else { None };
        }
        // A write to the page cache: short, and nothing else waits for this task.
        match files.append(&lines) {
            Ok(()) => failing = false,
            Err(error) if !std::mem::replace(&mut failing, true) => {
                tracing::error!(%error, "cannot write log lines of replicas: see the disk, and --logs");
            }
            Err(_) => {}
        }
    }
}

/// The line of an event, if it has one.
fn line(group: &str, replica: &str, event: &Event, files: &LogFiles, sources: &Sources) -> Option<LogLine> {
    let number = |name: &str| {
        let data = serde_json::from_str::<serde_json::Value>(&event.data).unwrap_or_default();
        data[name].as_u64().unwrap_or(0)
    };
    match &*event.name {
        "log" => {
            let line: LogLine = serde_json::from_str(&event.data).ok()?;
            // Its lines are its own, whatever they say.
            Some(LogLine { replica: replica.to_owned(), group: group.to_owned(), ..line })
        }
        "begin" => {
            if number("next") < files.next_position(replica) {
                files.begins_anew(replica);
            }
            None
        }
        "lost" => Some(LogLine {
            time_ms: number("time_ms"),
            // That of the last line that was lost.
            position: number("before").checked_sub(1)?,
            group: group.to_owned(),
            replica: replica.to_owned(),
            level: LogLevel::Warn,
            message: format!("{} lines of this replica were lost: it keeps its newest only", number("lost")),
            ..LogLine::default()
        }),
        "left" => {
            sources.left(group, replica);
            None
        }
        _ => None,
    }
}
