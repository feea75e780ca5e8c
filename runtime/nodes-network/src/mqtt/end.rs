//! Ending the session of a group that is gone: nobody is to go on with it.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use flotilla_codec::Version;
use flotilla_codec::client::ConnAck;
use flotilla_engine::Shared;
use flotilla_engine::message::Failure;
use flotilla_engine::settings::OnFailure;
use flotilla_flows::NodeConfig;
use flotilla_mqtt::{Client, ClientEvents, Policy, Publish, PublishError, Receipt, Role, State, Ticket, Verdict};
use futures::future::BoxFuture;
use serde_json::{Value as Json, json};
use tokio::sync::watch;

use super::broker::MqttBroker;
use super::keeper::KeptSession;
use super::options::{BrokerOptions, Kind};
use super::{tls, url};

/// How long [`end`] waits for the server to close the connection, beyond its limit.
pub const CLOSING: Duration = Duration::from_secs(2);

/// Ends a session at its broker: connects with its ClientID and a clean start, and leaves with session expiry 0 (MQTT 5,
/// section 3.1.2.4; on 3.1.1 a clean session, section 3.1.2.4 there). What the session holds is gone with it.
///
/// Credentials and TLS are those of the mqtt-broker node that the engine has; where it has none, `otherwise` is the URL to
/// connect to, with user and password.
///
/// `may` is asked each time before the connection goes on. Once it says no, nothing more is sent: the caller may have stood still until
/// somebody else has the session.
///
/// # Errors
/// Why the broker could not be reached within `limit`, or did not accept the connection. It takes [`CLOSING`] longer at most.
pub async fn end(
    shared: &Arc<Shared>,
    session: &KeptSession,
    otherwise: Option<&str>,
    limit: Duration,
    may: impl Fn() -> bool + Send,
) -> Result<(), String> {
    let settings = shared.settings();
    let options = match (shared.config_node::<MqttBroker>(&session.broker), otherwise) {
        (Some(broker), _) => {
            let mut options = broker.options.lock().clone();
            go_to(&mut options, &session.url);
            options
        }
        (None, Some(url)) => BrokerOptions::new(&at(&session.broker, url), None, None, &settings.replica),
        (None, None) => return Err(format!("the flow has no mqtt-broker node \"{}\" any more", session.broker)),
    };
    let mut options =
        options.client(Kind::Adopt, &session.broker, &settings, false, || tls::config(shared, &options))?;
    options.connect.client_id.clone_from(&session.client_id);
    (options.connect.clean_start, options.connect.session_expiry, options.connect.will) = (true, 0, None);
    (options.resume, options.end_session) = (false, options.connect.version == Version::V5);
    let client = Client::new(Role::Consume, options);
    let (told, mut heard) = watch::channel(None);
    let running = client.begin();
    let run = while_allowed(client.clone().run(Arc::new(Ending(told))), may);
    let ended = async {
        let first = async { heard.wait_for(Option::is_some).await.ok().and_then(|told| told.clone()) };
        let answer = match tokio::time::timeout(limit, first).await {
            Ok(Some(answer)) => answer,
            Ok(None) => Err("the connection ended before it was accepted".to_owned()),
            Err(_) => Err(format!("no answer within {} s", limit.as_secs())),
        };
        let _ = tokio::time::timeout(CLOSING, client.close()).await;
        answer
    };
    // A broker that leaves the connection open holds up nobody: it is dropped then, which ends the session as well.
    let (_, answer) = tokio::join!(tokio::time::timeout(limit + CLOSING, run), ended);
    drop(running);
    answer
}

/// Goes on with work as long as it may. `None` when it may not any more.
async fn while_allowed<T>(work: impl Future<Output = T>, may: impl Fn() -> bool) -> Option<T> {
    let mut work = pin!(work);
    poll_fn(move |cx| if may() { work.as_mut().poll(cx).map(Some) } else { Poll::Ready(None) }).await
}

/// The sessions that the group itself has through an mqtt-broker node, whoever carries them: `single` when nodes are
/// consumed by one replica at a time, and the connection of its announcements.
///
/// An error: why one cannot be connected to.
pub fn group_sessions(shared: &Arc<Shared>, broker: &str, single: bool) -> Vec<Result<KeptSession, String>> {
    let Some(node) = shared.config_node::<MqttBroker>(broker) else { return Vec::new() };
    let options = node.options.lock();
    let settings = shared.settings();
    let kinds = [(Kind::Single, single), (Kind::Herald, options.announces_as_one())];
    let wanted = kinds.into_iter().filter(|(_, wanted)| *wanted);
    wanted
        .map(|(kind, _)| {
            let made = options.client(kind, broker, &settings, false, || tls::config(shared, &options))?;
            Ok(KeptSession {
                broker: broker.to_owned(),
                url: url::recorded(&options.url()),
                client_id: made.connect.client_id,
                filters: Vec::new(),
                replica: settings.group.clone(),
            })
        })
        .collect()
}

/// Goes to where a session was recorded, which an environment variable may have changed since. The record has no password: where the
/// broker node has the same user in its URL, that is taken with its password.
fn go_to(options: &mut BrokerOptions, recorded: &str) {
    let own = options.url();
    if !recorded.is_empty() && url::recorded(recorded) != url::recorded(&own) {
        let url = url::with_password_of(recorded, &own);
        options.change(&[("url".to_owned(), Json::from(url))].into_iter().collect());
    }
}

/// A broker node that is nothing but a URL.
fn at(id: &str, url: &str) -> NodeConfig {
    let props =
        json!({"id": id, "type": "mqtt-broker", "broker": url, "protocolVersion": "5", "verifyservercert": true});
    NodeConfig::from_props(if let Json::Object(props) = props { props } else { serde_json::Map::new() })
}

/// Hears whether the broker accepts the connection. What it sends is not acknowledged.
struct Ending(watch::Sender<Option<Result<(), String>>>);

impl ClientEvents for Ending {
    fn message(&self, _client: &Arc<Client>, _publish: Arc<Publish>, ticket: Ticket) {
        ticket.settle(Verdict::Never);
    }

    fn dead_letter(&self, _client: &Arc<Client>, _publish: &Publish, _failure: Failure, ticket: Ticket) {
        ticket.settle(Verdict::Never);
    }

    fn published(&self, _receipt: Receipt, _result: Result<(), PublishError>) {}

    fn accepted(&self, _client: &Arc<Client>, _ack: &ConnAck, _version: Version) -> BoxFuture<'static, bool> {
        Box::pin(std::future::ready(true))
    }

    fn changed(&self, _client: &Arc<Client>, state: State, why: Option<String>) {
        match (state, why) {
            (State::Connected, _) => drop(self.0.send_replace(Some(Ok(())))),
            (State::Connecting, Some(why)) => drop(self.0.send_replace(Some(Err(why)))),
            _ => {}
        }
    }

    fn refused(&self, _client: &Arc<Client>, _filter: &str, _code: u8) {}

    fn overflow(&self, _client: &Arc<Client>) {}

    fn progress(&self, _client: &Arc<Client>) {}

    fn policy(&self) -> Policy {
        Policy { on_failure: OnFailure::Ack, max_retries: 0, retry_delay: Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn nothing_goes_on_that_may_not_any_more() {
        let (step, allowed) = (Cell::new(0), Cell::new(2));
        let work = async {
            for _ in 0..3 {
                step.set(step.get() + 1);
                tokio::task::yield_now().await;
            }
        };
        let may = || allowed.replace(allowed.get() - 1) > 0;
        assert_eq!(while_allowed(work, may).await, None);
        assert_eq!(step.get(), 2);
        assert_eq!(while_allowed(std::future::ready(1), || true).await, Some(1));
    }

    #[test]
    fn a_session_is_ended_where_it_was_recorded_with_the_password_of_the_flow() {
        let own = "mqtt://me:new@h:1883";
        for (recorded, reached) in [
            ("", own),
            ("mqtt://me@h:1883", own),
            // Of 0.1.0, before the password was changed.
            ("mqtt://me:old@h:1883", own),
            ("mqtt://me@before:1883", "mqtt://me:new@before:1883"),
            ("mqtt://me:old@before:1883", "mqtt://me:old@before:1883"),
            ("mqtt://you@h:1883", "mqtt://you@h:1883"),
        ] {
            let mut options = BrokerOptions::new(&at("b", own), None, None, "r");
            go_to(&mut options, recorded);
            assert_eq!(options.url(), reached, "{recorded}");
        }
    }
}
