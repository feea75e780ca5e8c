//! The client as others see it: what it is told, what it tells.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use flotilla_codec::client::ConnAck;
use flotilla_codec::{Connect, Version};
use futures::future::BoxFuture;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use flotilla_engine::Health;
use flotilla_engine::message::{Delivery, Failure};

use super::guard::{Guard, Parting};
use super::inbox::Inbox;
use super::kept::Policy;
use super::message::Publish;
use super::outbox::{Outbox, Outgoing, Receipt};
use super::session;
use super::subscriptions::{SubRef, SubscribeFilter, Subscriptions, Target};
use super::ticket::{Rerun, Ticket};
use super::transport::Address;

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It only receives: it stops reading when too much is open.
    Consume,
    /// It only publishes.
    Publish,
    /// Both over one connection. It stops reading when too much is open and it waits for no answer; while it waits for one,
    /// reading goes on, and what is beyond the bound at QoS 0 is dropped.
    Both,
    /// It finishes what the session of a dead replica holds, then ends that session. It stops reading when too much is open.
    Adopt,
}

/// Where a client is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// Not running.
    Idle,
    /// On its way to a connection.
    Connecting,
    /// Connected and subscribed.
    Connected,
}

/// How to connect.
#[derive(Clone, Debug)]
pub struct ClientOptions {
    /// Where to.
    pub address: Address,
    /// What to say. `clean_start` is for the first connection of this client.
    pub connect: Connect,
    /// Later connections go on with the session.
    pub resume: bool,
    /// The version to fall back to when the server does not speak `connect.version`.
    pub fallback: Option<Version>,
    /// The longest wait between attempts.
    pub reconnect: Duration,
    /// The session is ours: it is ended when we leave and it holds nothing.
    pub end_session: bool,
    /// Deliveries that are open at most.
    pub max_in_flight: usize,
    /// The name for log lines: `clientid@url`.
    pub label: String,
}

/// Hears what a client does. Called on its worker.
pub trait ClientEvents: Send + Sync {
    /// A message came. The ticket ends it; what may be run again shares the message.
    fn message(&self, client: &Arc<Client>, publish: Arc<Publish>, ticket: Ticket);
    /// A message failed for good: it is to be dead-lettered, then acknowledged.
    fn dead_letter(&self, client: &Arc<Client>, publish: &Publish, failure: Failure, ticket: Ticket);
    /// What was published has ended.
    fn published(&self, receipt: Receipt, result: Result<(), super::outbox::PublishError>);
    /// The server has accepted the connection at this version; subscriptions are sent when the future is through. False:
    /// this process must not use the session any more.
    fn accepted(&self, client: &Arc<Client>, ack: &ConnAck, version: Version) -> BoxFuture<'static, bool>;
    /// The client's state changed; why, if it lost its connection or did not get one.
    fn changed(&self, client: &Arc<Client>, state: State, why: Option<String>);
    /// The server refused a subscription.
    fn refused(&self, client: &Arc<Client>, filter: &str, code: u8);
    /// True when publishing may go on: nothing waits for a SUBACK elsewhere.
    fn may_publish(&self) -> bool {
        true
    }
    /// What was published over this connection is superseded: its broker has given the messages behind it to others.
    fn superseded(&self, client: &Arc<Client>) {
        let _ = client;
    }
    /// A message at QoS 0 was dropped because too much is open ([`Role::Both`]).
    fn overflow(&self, client: &Arc<Client>);
    /// A SUBACK came, or reading waits: [`ClientEvents::may_publish`] may have changed for other clients.
    fn progress(&self, client: &Arc<Client>);
    /// The health of the replica: it keeps connections alive while their worker is busy, and decides what becomes of
    /// messages that fail while a revision is on probation.
    fn health(&self) -> Option<Arc<Health>> {
        None
    }
    /// What is done with messages whose delivery fails.
    fn policy(&self) -> Policy;
}

pub(super) const RUN: u8 = 0;
pub(super) const DRAIN: u8 = 1;
pub(super) const CLOSE: u8 = 2;
/// As a drain, and nothing is unsubscribed.
pub(super) const HOLD: u8 = 3;

/// An MQTT client with its session.
///
/// Its task connects, subscribes, reads and writes on one worker, and connects again until it is closed; any thread may call
/// the methods, which only change queues and wake the task. What comes is given out as deliveries: each is acknowledged when
/// its [`Ticket`] ends, never before, so that a server redelivers what this process did not finish. What is published waits in
/// the outbox through lost connections, in order, up to its bound; QoS 0 is dropped while there is no connection, and counted
/// by whoever published it. A client that drains takes no more messages and ends when those that it has are finished. A server
/// that forgets its session, and a second process under the same ClientID (see [`Guard`]), break this: the first means
/// redelivery to nobody, the second that the two throw each other out.
pub struct Client {
    /// What it is for.
    pub role: Role,
    pub(super) options: Mutex<Arc<ClientOptions>>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) outbox: Outbox,
    pub(super) subscriptions: Subscriptions,
    pub(super) wake: Arc<Notify>,
    pub(super) state: watch::Sender<State>,
    pub(super) want: AtomicU8,
    pub(super) drained: AtomicBool,
    /// The server was not to be had at the last attempt.
    pub(super) away: AtomicBool,
    /// Which of its tasks runs, counted from 1; 0 when none does.
    running: AtomicU64,
    tasks: AtomicU64,
    /// Its task has run, or never will.
    ended: watch::Sender<bool>,
    /// Messages received, QoS 1 and 2 once each.
    pub received: AtomicU64,
    /// Asked before its ClientID is used again.
    guard: Mutex<Option<Arc<dyn Guard>>>,
    pub(super) parting: Mutex<Parting>,
    /// The connection is to be made anew, and what is open is gone.
    anew: AtomicBool,
    /// The session is at the server since the last connection, and is gone on with by the next.
    pub(super) left: AtomicBool,
    /// Open while it drains, so that the engine waits for what the server still sends.
    pub(super) draining: Mutex<Option<Arc<Delivery>>>,
}

/// A client's task, from before it starts until it has ended or was dropped.
pub struct Running {
    client: Arc<Client>,
    task: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        let dropped = self.client.running.compare_exchange(self.task, 0, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if dropped {
            // Its task did not come to its end: what waits to be run again waits for nobody.
            self.client.inbox.end().into_iter().for_each(Rerun::comes_too_late);
        }
        self.client.ended.send_replace(true);
    }
}

impl Client {
    /// A client that does not run yet.
    pub fn new(role: Role, options: ClientOptions) -> Arc<Client> {
        let wake = Arc::new(Notify::new());
        Arc::new(Client {
            role,
            inbox: Arc::new(Inbox::new(wake.clone(), options.max_in_flight)),
            outbox: Outbox::new(wake.clone()),
            subscriptions: Subscriptions::new(wake.clone()),
            options: Mutex::new(Arc::new(options)),
            state: watch::Sender::new(State::Idle),
            want: AtomicU8::new(if role == Role::Adopt { DRAIN } else { RUN }),
            drained: AtomicBool::new(false),
            away: AtomicBool::new(false),
            running: AtomicU64::new(0),
            tasks: AtomicU64::new(0),
            ended: watch::Sender::new(false),
            received: AtomicU64::new(0),
            wake,
            guard: Mutex::default(),
            parting: Mutex::default(),
            anew: AtomicBool::new(false),
            left: AtomicBool::new(false),
            draining: Mutex::default(),
        })
    }

    /// The session's task: connects, and connects again, until it is closed.
    pub async fn run(self: Arc<Self>, events: Arc<dyn ClientEvents>) {
        session::run(&self, &events).await;
        self.running.store(0, Ordering::Release);
        self.set_state(&events, State::Idle, None);
    }

    /// How it connects from the next time on.
    pub fn set_options(&self, options: ClientOptions) {
        self.inbox.set_limit(options.max_in_flight);
        *self.options.lock() = Arc::new(options);
    }

    /// How it connects.
    pub fn options(&self) -> Arc<ClientOptions> {
        self.options.lock().clone()
    }

    /// Where it is now.
    pub fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Publishes, now or when there is a connection. What is refused or dropped comes back with the reason.
    pub fn publish(&self, outgoing: Outgoing) -> Vec<(Receipt, Result<(), super::outbox::PublishError>)> {
        let version = self.options.lock().connect.version;
        self.outbox.push(outgoing, version).unwrap_or_else(|refused| vec![refused])
    }

    /// Adds a node's interest in a filter.
    pub fn subscribe(&self, filter: SubscribeFilter, node: SubRef) {
        self.subscriptions.subscribe(filter, node);
    }

    /// What order goes by, as patterns of [`flotilla_codec::agreed::OrderKey`]: acknowledgements keep to it where the server
    /// takes them in any order.
    pub fn set_order(&self, patterns: &[String]) {
        self.inbox.set_order(patterns);
    }

    /// Ends a node's interest in a filter; `keep` leaves the subscription.
    pub fn unsubscribe(&self, filter: &str, node: &str, keep: bool) {
        self.subscriptions.unsubscribe(filter, node, keep);
    }

    /// Filters that an adopted session holds: it unsubscribes them.
    pub fn expect(&self, filters: &[String]) {
        self.subscriptions.expect(filters);
    }

    /// The nodes that a message goes to.
    pub fn targets(&self, publish: &Publish) -> Arc<[Target]> {
        self.subscriptions.targets(publish)
    }

    /// The filters as they go over the wire.
    pub fn filters(&self) -> Vec<String> {
        self.subscriptions.filters()
    }

    /// True when every SUBSCRIBE has been answered, or the answer cannot be seen because reading waits.
    pub fn subscribed(&self) -> bool {
        self.subscriptions.subscribed() || self.inbox.paused()
    }

    /// True when its task was started, and has not ended.
    pub fn has_begun(&self) -> bool {
        self.running.load(Ordering::Acquire) != 0
    }

    /// Wakes the task to look at its queues again.
    pub fn nudge(&self) {
        self.wake.notify_one();
    }

    /// Others may come to use its ClientID: see [`Guard`].
    pub fn set_guard(&self, guard: Arc<dyn Guard>) {
        *self.guard.lock() = Some(guard);
    }

    pub(super) fn guard(&self) -> Option<Arc<dyn Guard>> {
        self.guard.lock().clone()
    }

    /// Makes the connection anew: what is open is not acknowledged, and what it would still publish is dropped.
    pub fn take_again(&self) {
        self.anew.store(true, Ordering::Release);
        self.wake.notify_one();
    }

    pub(super) fn takes_again(&self) -> bool {
        self.anew.swap(false, Ordering::AcqRel)
    }

    /// Waits until it is connected, or stopped.
    pub async fn until_connected(&self) {
        let mut state = self.state.subscribe();
        let _ = state.wait_for(|state| *state == State::Connected || self.closing()).await;
    }

    /// To be held by its task and by who starts that: see [`Client::until_ended`].
    pub fn begin(self: &Arc<Self>) -> Running {
        self.ended.send_replace(false);
        let task = self.tasks.fetch_add(1, Ordering::AcqRel) + 1;
        self.running.store(task, Ordering::Release);
        Running { client: self.clone(), task }
    }

    /// Waits until its task has ended, however short it ran, or could not be started.
    pub async fn until_ended(&self) {
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    pub(super) fn set_state(self: &Arc<Self>, events: &Arc<dyn ClientEvents>, state: State, why: Option<String>) {
        // A connection that we close ourselves has no reason, and is there again at once.
        let away = state == State::Connecting && why.is_some();
        self.away.store(away, Ordering::Release);
        if away && self.is_ending() {
            drop(self.draining.lock().take());
        }
        self.state.send_replace(state.clone());
        events.changed(self, state, why);
    }
}
