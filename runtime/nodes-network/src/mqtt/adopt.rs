//! Finishing what the session of a dead replica holds.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use flotilla_codec::Version;
use flotilla_engine::Shared;
use tokio::sync::mpsc;

use super::broker::MqttBroker;
use super::keeper::{Keeper, KeptSession};
use super::options::ADOPTED_EXPIRY;
use super::suspects::{Careful, Suspects};
use flotilla_mqtt::{Client, ClientOptions, Guard, Role, State};

/// How often it is looked whether this replica consumes itself.
const LOOK: Duration = Duration::from_millis(50);

/// How long a flow may take until it is known that nothing in it consumes through a broker node.
const STARTING: Duration = Duration::from_secs(5);

/// What became of an adopted session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Adopted {
    /// Messages that it held and that were run here.
    pub messages: u64,
    /// False when it was cut short: the engine was stopped, or the session became another's.
    pub finished: bool,
}

/// Connects with the session's ClientID, unsubscribes, runs what it holds through this replica's flow, acknowledges it as
/// the deliveries end, and ends the session, however long that takes. Only one replica may do so: `guard` says whether this
/// is still the one. This replica's own subscriptions are live first, so that somebody is subscribed at each moment.
/// Dropping the future lets go of the session and leaves it as it is.
///
/// With `suspects` whoever finished it before has died: its messages run one at a time, and each is noted before.
///
/// # Errors
/// When the flow has no such mqtt-broker node, or it cannot be reached by its settings.
pub async fn adopt(
    shared: &Arc<Shared>,
    session: &KeptSession,
    guard: Arc<dyn Guard>,
    suspects: Option<Arc<dyn Suspects>>,
) -> Result<Adopted, String> {
    let broker = shared.config_node::<MqttBroker>(&session.broker).ok_or_else(|| {
        format!("the flow has no mqtt-broker node \"{}\" for the session \"{}\"", session.broker, session.client_id)
    })?;
    let began = Instant::now();
    // While a flow starts, its broker node is there before those that consume through it.
    while !broker.consumes() && (broker.has_consumers() || began.elapsed() < STARTING) {
        tokio::time::sleep(LOOK).await;
    }
    let mut options: ClientOptions = broker.client_options(Role::Adopt)?;
    options.connect.client_id.clone_from(&session.client_id);
    options.connect.clean_start = false;
    options.connect.session_expiry = ADOPTED_EXPIRY;
    options.connect.will = None;
    options.end_session = options.connect.version == Version::V5;
    if suspects.is_some() {
        // One is open at a time: the socket is not read meanwhile, whatever the broker sends (QoS 0, MQTT 3.1.1). A broker that
        // speaks MQTT 5 also keeps the next one at QoS 1 and 2 until this one is acknowledged (section 3.1.2.11.3).
        (options.max_in_flight, options.connect.receive_maximum) = (1, 1);
    }
    let client = Client::new(Role::Adopt, options);
    client.set_guard(guard);
    client.expect(&session.filters);
    let letting_go = LetGo { client: client.clone(), broker: broker.clone() };
    match suspects {
        None => {
            broker.run(client.clone());
            client.until_ended().await;
        }
        Some(suspects) => {
            let (turns, waiting) = mpsc::channel(1);
            broker.state.lock().careful.push(Careful { client: client.clone(), turns });
            broker.run(client.clone());
            tokio::select! {
                () = client.until_ended() => {}
                () = broker.one_at_a_time(&client, waiting, suspects) => {}
            }
        }
    }
    drop(letting_go);
    let finished = client.has_drained();
    if finished && let Some(keeper) = shared.extensions().get::<Keeper>() {
        keeper.0.forget(session.client_id.clone()).await;
    }
    Ok(Adopted { messages: client.received.load(Ordering::Relaxed), finished })
}

/// Ends a client whose adopter gave up, without ending the session.
struct LetGo {
    client: Arc<Client>,
    broker: Arc<MqttBroker>,
}

impl Drop for LetGo {
    fn drop(&mut self) {
        self.broker.state.lock().careful.retain(|careful| !Arc::ptr_eq(&careful.client, &self.client));
        self.client.let_go();
    }
}

impl MqttBroker {
    fn has_consumers(&self) -> bool {
        self.state.lock().users.iter().any(|user| user.consumes)
    }

    /// True when this replica's own consuming connections are subscribed.
    fn consumes(&self) -> bool {
        let consumers = self.state.lock().consumers();
        !consumers.is_empty() && consumers.iter().all(|client| client.state() == State::Connected)
    }
}

/// How many sessions this replica has at brokers that outlive their connection.
pub fn sessions(shared: &Arc<Shared>) -> usize {
    let order = shared.config_order();
    let nodes = order.iter().filter_map(|id| shared.config_node::<MqttBroker>(id));
    nodes.map(|node| node.state.lock().consumers().iter().filter(|client| client.is_left()).count()).sum()
}
