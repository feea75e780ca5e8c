//! The session's task: one connection after the other until it is closed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flotilla_tasks::Task;

use super::backoff::Backoff;
use super::client::{Client, ClientEvents, State};
use super::end::End;
use super::handshake;
use super::ticket::unfinished;

/// Longest wait for a connection and its CONNACK; mqtt.js' `connectTimeout`.
const CONNECT_LIMIT: Duration = Duration::from_secs(30);
/// A connection that lived this long was good.
const GOOD: Duration = Duration::from_secs(5);

/// A connection under supervision: the session outlives a panic in it.
fn task(label: &str) -> Task {
    Task {
        name: "mqtt connection",
        owner: label.into(),
        ends: "it is lost or closed",
        failure: "the session connects again; what the panic held fails",
    }
}

pub(super) async fn run(client: &Arc<Client>, events: &Arc<dyn ClientEvents>) {
    if let Some(health) = events.health() {
        client.inbox.decide_by(health.canary.clone());
    }
    client.inbox.open_again();
    let mut backoff = Backoff::new(client.options().reconnect);
    let mut version = client.options().connect.version;
    // A client that was closed with its session kept goes on with that.
    let mut clean = client.options().connect.clean_start && !client.is_left();
    let (mut taken, mut short) = (false, false);
    client.set_state(events, State::Connecting, None);
    while !client.closing() {
        if client.is_holding() {
            // What is in work here cannot be acknowledged any more: the session has it still.
            client.drained();
            break;
        }
        if let Some(guard) = client.guard().filter(|guard| !clean || guard.comes_back()) {
            tokio::select! {
                may = guard.may_connect(std::mem::take(&mut taken)) => if !may { break },
                () = closed(client) => break,
            }
        }
        // A connection that is made anew has nothing open.
        client.takes_again();
        let options = client.options();
        let mut packet = options.connect.clone();
        (packet.version, packet.clean_start) = (version, clean);
        if short && !(1..=handshake::SHORT_KEEP_ALIVE).contains(&packet.keep_alive) {
            packet.keep_alive = handshake::SHORT_KEEP_ALIVE;
        }
        let opened = {
            let handshake = task(&options.label).supervise(handshake::open(client, events, &options, &packet));
            let opening = tokio::time::timeout(CONNECT_LIMIT, handshake);
            tokio::select! {
                opened = opening => match opened {
                    Ok(Ok(opened)) => opened,
                    Ok(Err(panicked)) => Err(End::lost(panicked)),
                    Err(_) => Err(End::lost("no answer within 30 s")),
                },
                () = closed(client) => break,
            }
        };
        let began = Instant::now();
        let end = match opened {
            Ok(connection) => {
                clean = clean && !options.resume;
                let persistent = connection.persistent;
                let end = task(&options.label).supervise(connection.run()).await;
                let end = end.unwrap_or_else(End::lost);
                client.inbox.lost(persistent);
                client.outbox.lost();
                client.subscriptions.lost();
                if began.elapsed() >= GOOD {
                    backoff.reset();
                }
                end
            }
            Err(end) => end,
        };
        match end {
            End::Yielded if client.guard().is_some_and(|guard| guard.comes_back()) => {
                taken = true;
                client.set_state(events, State::Connecting, None);
            }
            End::Closed | End::Yielded => break,
            End::Taken => {
                taken = true;
                client.set_state(events, State::Connecting, Some("another client uses this ClientID".into()));
                pause(client, backoff.next()).await;
            }
            End::Short => short = true,
            End::Recycle => client.set_state(events, State::Connecting, None),
            End::Version => match options.fallback {
                Some(older) if older != version => version = older,
                _ => {
                    client.set_state(
                        events,
                        State::Connecting,
                        Some("the broker does not speak this MQTT version".into()),
                    );
                    pause(client, backoff.next()).await;
                }
            },
            End::Lost(why) => {
                client.set_state(events, State::Connecting, Some(why));
                pause(client, backoff.next()).await;
            }
        }
    }
    // Nothing runs them here any more, and nobody else gets them.
    for rerun in client.inbox.end() {
        let failure = rerun.failure.unwrap_or_else(unfinished);
        events.dead_letter(client, &rerun.publish, failure, rerun.ticket);
    }
    if client.is_holding() {
        // It waited for its turn, or for the server: there is nothing to finish, and no drain waits for it.
        client.drained();
    }
}

async fn closed(client: &Client) {
    while !client.closing() && !client.is_holding() {
        client.wake.notified().await;
    }
}

async fn pause(client: &Client, wait: Duration) {
    let _ = tokio::time::timeout(wait, closed(client)).await;
}
