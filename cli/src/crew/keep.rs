//! Keeps one place filled.

use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use flotilla_engine::message::generate_id;
use flotilla_tasks::Handle;
use tokio_util::sync::CancellationToken;

use super::backoff::{Backoff, Verdict};
use super::child::Child;
use super::command::ReplicaCommand;
use super::living::Living;
use super::printer::Printer;
use super::slot::{Held, Slot};
use crate::machine;

/// How long the last lines of a replica that ended are printed.
const LAST_LINES: Duration = Duration::from_secs(1);

/// A replica that runs.
struct Running {
    child: Child,
    id: String,
    /// The text that is its own; none of a process that the image before started.
    text: Option<String>,
    /// For how long it had run when this process learned of it.
    before: Duration,
    printing: Option<Handle<()>>,
}

/// Keeps one place filled. Ends when the supervisor stops and the process has drained. What the slot holds already is gone on
/// with.
pub async fn keep_running(
    command: ReplicaCommand,
    mut living: Living,
    printer: Printer,
    place: u64,
    slot: Slot,
    stop: CancellationToken,
) {
    let mut backoff = Backoff::default();
    let mut taken = adopt(&slot, printer, place);
    loop {
        let born = Instant::now();
        let started = match taken.take() {
            Some(running) => Ok(running),
            None => start(&command, printer, place, &slot),
        };
        let wait = match started {
            Ok(Running { mut child, id, text, before, printing }) => {
                let pid = child.id();
                tokio::select! {
                    how = child.wait() => tracing::warn!(place, pid, "replica died: {how}"),
                    () = living.lost(&id, pid) => {
                        // It holds connections, and messages that nobody else gets until they are shut.
                        tracing::warn!(place, pid, id, "replica lost its lease and is not dead: it is killed and replaced");
                        child.kill().await;
                    }
                    () = stop.cancelled() => {
                        // Closing its standard input asks it to drain.
                        drop(slot.lock().held.take());
                        if tokio::time::timeout(command.patience, child.wait()).await.is_err() {
                            tracing::warn!(place, pid, id, "did not drain in time and is killed");
                            child.kill().await;
                        }
                        if let Some(text) = &text {
                            command.ended.has(text);
                        }
                        // What it wrote last is in the pipe. A process that it left behind may hold that open.
                        if let Some(printing) = printing {
                            let _ = tokio::time::timeout(LAST_LINES, printing).await;
                        }
                        return;
                    }
                }
                if let Some(text) = text {
                    command.ended.has(&text);
                }
                drop(slot.lock().held.take());
                backoff.died(Instant::now(), before + born.elapsed())
            }
            Err(error) => {
                tracing::error!(place, %error, "cannot start a replica");
                backoff.died(Instant::now(), Duration::ZERO)
            }
        };
        let wait = match wait {
            Verdict::Restart(wait) => wait,
            Verdict::HoldDown(wait) => {
                tracing::error!(
                    place,
                    "replica {place} crash-loops: it is held down for {} s; its log lines above say why it dies",
                    wait.as_secs()
                );
                wait
            }
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Starts the next replica of a place.
fn start(command: &ReplicaCommand, printer: Printer, place: u64, slot: &Slot) -> std::io::Result<Running> {
    let mut content = slot.lock();
    let id = command.id(place, content.generation);
    content.generation += 1;
    let text = format!("{}{}", generate_id(), generate_id());
    let mut child = command.spawn(&id, &text)?;
    // Held in the slot, as waiting for a child closes its standard input first.
    let stdin = child.stdin.take().map(tokio::process::ChildStdin::into_owned_fd).transpose()?;
    let stderr = child.stderr.as_ref().and_then(|output| output.as_fd().try_clone_to_owned().ok());
    let printing = child.stderr.take().map(|output| printer.follow(&id, output));
    content.held = child.id().zip(stdin).map(|(pid, stdin)| Held {
        id: id.clone(),
        pid,
        born_ms: machine::now_ms(),
        stdin,
        stderr,
    });
    Ok(Running { child: Child::Own(child), id, text: Some(text), before: Duration::ZERO, printing })
}

/// Goes on with the process that the image before started, if it still runs.
fn adopt(slot: &Slot, printer: Printer, place: u64) -> Option<Running> {
    let mut content = slot.lock();
    let held = content.held.as_ref()?;
    let child = match Child::adopt(held.pid) {
        Ok(child) => child,
        Err(error) => {
            tracing::warn!(place, pid = held.pid, %error, "this process cannot keep the replica, which ended or drains; another one is started");
            content.held = None;
            return None;
        }
    };
    let output = held.stderr.as_ref().and_then(|output| output.try_clone().ok());
    let output = output.and_then(|output| tokio::net::unix::pipe::Receiver::from_owned_fd(output).ok());
    let before = Duration::from_millis(machine::now_ms().saturating_sub(held.born_ms));
    Some(Running {
        child,
        id: held.id.clone(),
        text: None,
        before,
        printing: output.map(|output| printer.follow(&held.id, output)),
    })
}
