//! What a connection is subscribed to, and which nodes a message goes to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::BytesMut;
use flotilla_codec::client::{self as codec, Answer};
use flotilla_codec::{QoS, RetainHandling, SubRequest, Subscribe, Unsubscribe, Version};
use parking_lot::Mutex;
use rustc_hash::FxHashMap;
use tokio::sync::Notify;

use flotilla_value::Str;

use super::message::Publish;
use super::outbox::MAX_ID;
use super::wanted::{Wanted, WantedFilters};
use crate::topic;

/// SUBSCRIBE and UNSUBSCRIBE packets without an answer at most: there are 5,536 identifiers for them.
const MAX_UNANSWERED: usize = 1000;
/// Topics whose targets are remembered.
const CACHE: usize = 4096;

/// What becomes of a payload: Node-RED's `datatype`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataType {
    /// As it is.
    Buffer,
    /// Base64 text.
    Base64,
    /// Text.
    #[default]
    Utf8,
    /// Parsed JSON; an error when it is not JSON.
    Json,
    /// Text when it is UTF-8 (Node-RED 2's `auto`).
    Auto,
    /// Parsed JSON, text or bytes, whatever it is.
    AutoDetect,
}

impl DataType {
    /// From the node's `datatype`; unset is text.
    pub fn named(name: &str) -> DataType {
        match name {
            "buffer" => DataType::Buffer,
            "base64" => DataType::Base64,
            "json" => DataType::Json,
            "" | "utf8" => DataType::Utf8,
            "auto-detect" => DataType::AutoDetect,
            _ => DataType::Auto,
        }
    }
}

/// A filter that a client subscribes to, and how.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SubscribeFilter {
    /// As it goes over the wire, with `$share/...`.
    pub filter: Str,
    /// The highest QoS wanted.
    pub qos: QoS,
    /// MQTT 5: not what this client published.
    pub no_local: bool,
    /// MQTT 5: keep the retain flag.
    pub retain_as_published: bool,
    /// MQTT 5: when retained messages are wanted.
    pub retain_handling: RetainHandling,
    /// MQTT 5: the subscription's identifier, if the server allows them.
    pub id: Option<u32>,
    /// MQTT 5: user properties.
    pub user: Vec<(Str, Str)>,
}

impl SubscribeFilter {
    fn packet(&self, pkid: u16, ids: bool) -> Subscribe {
        let request = SubRequest {
            filter: self.filter.to_string(),
            qos: self.qos,
            no_local: self.no_local,
            retain_as_published: self.retain_as_published,
            retain_handling: self.retain_handling,
        };
        let user = self.user.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        Subscribe { pkid, id: self.id.filter(|_| ids), user, filters: vec![request] }
    }
}

/// A node's interest in a filter.
#[derive(Clone, Debug, PartialEq)]
pub struct SubRef {
    /// The node's id.
    pub node: Str,
    /// What its payloads become.
    pub datatype: DataType,
    /// It does not want what comes from its own client.
    pub no_local: bool,
    /// False for a node that is closed while its subscription stays (Node-RED's `autoUnsubscribe: false`).
    pub active: bool,
}

/// A node that a message goes to.
#[derive(Clone, Debug)]
pub struct Target {
    /// The node's id.
    pub node: Str,
    /// What its payloads become.
    pub datatype: DataType,
    /// It does not want what comes from its own client.
    pub no_local: bool,
}

#[derive(Default)]
struct Inner {
    wanted: WantedFilters,
    commands: VecDeque<Command>,
    pending: FxHashMap<u16, Command>,
    last_packet: u16,
    last_id: u32,
    cache: FxHashMap<Str, Arc<[Target]>>,
    /// The same by the identifier of the one subscription that a message came through.
    by_id: FxHashMap<u32, Arc<[Target]>>,
}

impl Inner {
    /// What nodes want changes: which of them a message goes to is looked up anew.
    fn forget_targets(&mut self) {
        self.cache.clear();
        self.by_id.clear();
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Command {
    Subscribe(SubscribeFilter),
    Unsubscribe(Str),
}

/// Which filters the session has, which nodes want what comes by them, and what was asked of the server and not answered.
///
/// A filter that several nodes want is subscribed to once; it is unsubscribed when the last of them goes, unless that node keeps
/// its subscription while it is closed. Every connection subscribes to all of it anew; changes meanwhile go out in order, one
/// packet each. A filter that the server refuses is told to the nodes and asked for again on the next connection. Which nodes a
/// topic goes to is remembered per topic until anything changes: topics without an end cost memory up to a bound.
pub(super) struct Subscriptions {
    inner: Mutex<Inner>,
    wake: Arc<Notify>,
    unanswered: AtomicUsize,
    live: AtomicBool,
    /// The server has no shared subscriptions: it is not asked for any.
    unshared: AtomicBool,
}

impl Subscriptions {
    pub(super) fn new(wake: Arc<Notify>) -> Subscriptions {
        Subscriptions {
            inner: Mutex::default(),
            wake,
            unanswered: AtomicUsize::new(0),
            live: AtomicBool::new(false),
            unshared: AtomicBool::new(false),
        }
    }

    /// Adds or replaces a node's interest and subscribes, with these options.
    pub(super) fn subscribe(&self, mut filter: SubscribeFilter, node: SubRef) {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        inner.forget_targets();
        // A filter that the node left behind while it was closed (autoUnsubscribe: false) goes now.
        for wire in inner.wanted.left_by(&node.node) {
            if wire != filter.filter {
                remove(inner, &wire, &node.node);
            }
        }
        let id = inner.wanted.get(&filter.filter).and_then(|wanted| wanted.filter.id);
        filter.id = id.or_else(|| {
            inner.last_id += 1;
            Some(inner.last_id)
        });
        inner.wanted.put(filter.clone(), node);
        if self.live.load(Ordering::Acquire) && self.may_ask(&filter.filter) {
            inner.commands.push_back(Command::Subscribe(filter));
            self.unanswered.fetch_add(1, Ordering::AcqRel);
            self.wake.notify_one();
        }
    }

    /// Filters that the session holds without a node.
    pub(super) fn expect(&self, filters: &[String]) {
        let mut inner = self.inner.lock();
        for filter in filters {
            inner.wanted.expect(SubscribeFilter { filter: Str::new(filter), ..SubscribeFilter::default() });
        }
    }

    /// Ends a node's interest; the last one unsubscribes. `keep`: the subscription stays without the node.
    pub(super) fn unsubscribe(&self, filter: &str, node: &str, keep: bool) {
        let mut inner = self.inner.lock();
        inner.forget_targets();
        if keep {
            inner.wanted.leave(filter, node);
        } else {
            remove(&mut inner, filter, node);
            self.wake.notify_one();
        }
    }

    fn may_ask(&self, filter: &str) -> bool {
        !(self.unshared.load(Ordering::Acquire) && filter.starts_with("$share/"))
    }

    /// Whether the server has shared subscriptions, or does not say.
    pub(super) fn set_shared(&self, shared: bool) {
        self.unshared.store(!shared, Ordering::Release);
    }

    /// A connection begins: everything wanted is subscribed anew, or given up when it only drains. `shared`: the server
    /// has shared subscriptions, or does not say.
    pub(super) fn begin(&self, draining: bool, ids: bool, session_present: bool) {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        // What was given up while there was no connection is still in the session.
        let waiting = inner.pending.drain().map(|(_, command)| command).chain(inner.commands.drain(..));
        let stale: Vec<Command> = waiting
            .filter(|command| matches!(command, Command::Unsubscribe(name) if inner.wanted.get(name).is_none()))
            .filter(|_| session_present && !draining)
            .collect();
        inner.commands.extend(stale);
        for wanted in inner.wanted.iter().filter(|wanted| self.may_ask(&wanted.filter.filter)) {
            let mut filter = wanted.filter.clone();
            filter.id = filter.id.filter(|_| ids);
            inner.commands.push_back(match draining {
                true => Command::Unsubscribe(filter.filter),
                false => Command::Subscribe(filter),
            });
        }
        self.live.store(true, Ordering::Release);
        let asked = inner.commands.iter().filter(|command| matches!(command, Command::Subscribe(_))).count();
        self.unanswered.store(asked, Ordering::Release);
    }

    /// The connection is gone: nothing waits for an answer.
    pub(super) fn lost(&self) {
        self.live.store(false, Ordering::Release);
        self.unanswered.store(0, Ordering::Release);
    }

    /// Unsubscribes everything; what is wanted stays known, for messages that still come.
    pub(super) fn leave(&self) {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        let names = inner.wanted.iter().map(|wanted| wanted.filter.filter.clone());
        inner.commands.extend(names.map(Command::Unsubscribe));
        self.wake.notify_one();
    }

    /// Encodes waiting commands.
    pub(super) fn fill(&self, out: &mut BytesMut, version: Version, ids: bool) {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        while inner.pending.len() < MAX_UNANSWERED
            && let Some(command) = inner.commands.pop_front()
        {
            let mut packet = inner.last_packet;
            while packet <= MAX_ID || inner.pending.contains_key(&packet) {
                packet = if packet <= MAX_ID { MAX_ID + 1 } else { packet.wrapping_add(1) };
            }
            inner.last_packet = packet.wrapping_add(1);
            match &command {
                Command::Subscribe(filter) => codec::subscribe(out, version, &filter.packet(packet, ids)),
                Command::Unsubscribe(filter) => {
                    let wanted = Unsubscribe { pkid: packet, filters: vec![filter.to_string()] };
                    codec::unsubscribe(out, version, &wanted);
                }
            }
            inner.pending.insert(packet, command);
        }
    }

    /// The server answered. A refused filter comes back with the code.
    pub(super) fn answered(&self, ack: &Answer) -> Option<(Str, u8)> {
        let command = self.inner.lock().pending.remove(&ack.pkid)?;
        let Command::Subscribe(filter) = command else { return None };
        let _ = self.unanswered.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| n.checked_sub(1));
        let code = ack.codes.first().copied().filter(|code| *code >= 0x80)?;
        Some((filter.filter, code))
    }

    /// True when every SUBSCRIBE has its answer.
    pub(super) fn subscribed(&self) -> bool {
        self.unanswered.load(Ordering::Acquire) == 0
    }

    /// True when every command has its answer.
    pub(super) fn settled(&self) -> bool {
        let inner = self.inner.lock();
        inner.commands.is_empty() && inner.pending.is_empty()
    }

    /// The filters as they go over the wire.
    pub(super) fn filters(&self) -> Vec<String> {
        self.inner.lock().wanted.iter().map(|wanted| wanted.filter.filter.to_string()).collect()
    }

    /// The nodes that a message goes to. With subscription identifiers the server says which; else every filter that
    /// matches, as in Node-RED.
    pub(super) fn targets(&self, publish: &Publish) -> Arc<[Target]> {
        let mut inner = self.inner.lock();
        let ids = publish.props.as_ref().map_or(&[][..], |props| &props.subscription_ids[..]);
        if let [id] = ids
            && let Some(found) = inner.by_id.get(id)
        {
            return found.clone();
        }
        if !ids.is_empty() {
            let found: Arc<[Target]> = active(inner.wanted.with_ids(ids)).collect();
            if !found.is_empty() {
                if let [id] = ids {
                    inner.by_id.insert(*id, found.clone());
                }
                return found;
            }
        }
        if let Some(found) = inner.cache.get(&publish.topic) {
            return found.clone();
        }
        let wanted = inner.wanted.iter().filter(|wanted| topic::matches(&wanted.plain, &publish.topic));
        let found: Arc<[Target]> = active(wanted).collect();
        if inner.cache.len() >= CACHE {
            inner.cache.clear();
        }
        inner.cache.insert(publish.topic.clone(), found.clone());
        found
    }
}

fn active<'a>(wanted: impl Iterator<Item = &'a Wanted>) -> impl Iterator<Item = Target> {
    let refs = wanted.flat_map(|wanted| wanted.refs.iter().filter(|held| held.active));
    refs.map(|held| Target { node: held.node.clone(), datatype: held.datatype, no_local: held.no_local })
}

fn remove(inner: &mut Inner, filter: &str, node: &str) {
    if inner.wanted.remove(filter, node) {
        inner.commands.push_back(Command::Unsubscribe(Str::new(filter)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::PublishProps;

    fn filter(name: &'static str) -> SubscribeFilter {
        SubscribeFilter { filter: name.into(), ..SubscribeFilter::default() }
    }

    fn wants(node: &'static str) -> SubRef {
        SubRef { node: node.into(), datatype: DataType::Utf8, no_local: false, active: true }
    }

    fn came(topic: &'static str, ids: &[u32]) -> Publish {
        let props = PublishProps { subscription_ids: ids.to_vec(), ..PublishProps::default() };
        Publish { topic: topic.into(), props: Some(Box::new(props)), ..Publish::default() }
    }

    #[test]
    fn what_is_remembered_of_a_topic_or_an_identifier_follows_each_change() {
        let subscriptions = Subscriptions::new(Arc::new(Notify::new()));
        let nodes = |ids: &[u32]| {
            let targets = subscriptions.targets(&came("a/1", ids));
            targets.iter().map(|target| target.node.to_string()).collect::<Vec<_>>()
        };
        subscriptions.subscribe(filter("a/+"), wants("one"));
        subscriptions.subscribe(filter("a/1"), wants("two"));
        for _ in 0..2 {
            assert_eq!((nodes(&[1]), nodes(&[2])), (vec!["one".to_owned()], vec!["two".to_owned()]));
            assert_eq!(nodes(&[1, 2]), ["one", "two"]);
            assert_eq!(nodes(&[]), ["one", "two"], "without identifiers, what matches");
            assert_eq!(nodes(&[9]), ["one", "two"], "an identifier of nobody says nothing");
        }
        subscriptions.subscribe(filter("a/+"), wants("three"));
        assert_eq!(nodes(&[1]), ["one", "three"]);
        subscriptions.unsubscribe("a/+", "one", false);
        assert_eq!(nodes(&[1]), ["three"]);
        subscriptions.unsubscribe("a/+", "three", true);
        assert_eq!(nodes(&[1]), ["two"], "closed with its subscription left: what else matches");
    }
}
