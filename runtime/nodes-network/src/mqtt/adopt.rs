//! Finishing what the session of a dead replica holds.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use flotilla_engine::Shared;

use super::broker::MqttBroker;
use super::keeper::{Keeper, KeptSession};
use super::options::ADOPTED_EXPIRY;
use flotilla_mqtt::wire::Version;
use flotilla_mqtt::{Client, ClientOptions, Role};

/// What became of an adopted session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// Messages that it held and that were run here.
    pub messages: u64,
    /// False when it was cut short: the engine was stopped.
    pub finished: bool,
}

/// Connects with the session's ClientID, unsubscribes, runs what it holds through this replica's flow, acknowledges it as
/// the deliveries end, and ends the session. Only one replica may do so: the caller holds a fenced lease on the ClientID.
/// It tries until the broker answers; the caller bounds it. Dropping the future does not end it, stopping the engine does.
///
/// # Errors
/// When the flow has no such mqtt-broker node, or it cannot be reached by its settings.
pub async fn adopt(shared: &Arc<Shared>, session: &KeptSession) -> Result<Adopted, String> {
    let broker = shared.config_node::<MqttBroker>(&session.broker).ok_or_else(|| {
        format!("the flow has no mqtt-broker node \"{}\" for the session \"{}\"", session.broker, session.client_id)
    })?;
    let mut options: ClientOptions = broker.client_options(Role::Adopt)?;
    options.connect.client_id.clone_from(&session.client_id);
    options.connect.clean = false;
    options.connect.session_expiry = ADOPTED_EXPIRY;
    options.connect.will = None;
    options.end_session = options.connect.version == Version::V5;
    let client = Client::new(Role::Adopt, options);
    client.expect(&session.filters);
    broker.run(client.clone());
    client.until_ended().await;
    let finished = client.has_drained();
    if finished && let Some(keeper) = shared.extensions.get::<Keeper>() {
        keeper.0.forget(session.client_id.clone()).await;
    }
    Ok(Adopted { messages: client.received.load(Ordering::Relaxed), finished })
}
