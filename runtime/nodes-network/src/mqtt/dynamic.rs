//! Dynamic subscriptions: a message asks for them, and in a group they are those of all replicas.

use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use flotilla_codec::QoS;
use flotilla_engine::message::Msg;
use flotilla_value::{Object, Str, Value, from_json, to_json};
use tokio::sync::watch;

use super::mqtt_in::{MqttIn, retain_handling};
use super::replica_topic::filled;
use super::share::Subscription;
use super::together::{Asked, Group};
use super::{action, properties};
use flotilla_mqtt::{DataType, SubscribeFilter, topic};

/// How long a message waits until this replica has heard of what it asked for.
const HEARD: Duration = Duration::from_secs(5);

/// One that is in force here.
pub(super) struct Subscribed {
    pub(super) subscription: Subscription,
    /// As `getSubscriptions` shows it.
    shown: Value,
    /// Which time it was asked for, in a group.
    serial: u64,
}

impl MqttIn {
    pub(super) fn subscriptions(&self) -> Value {
        Value::array(self.dynamic.borrow().values().map(|held| held.shown.clone()).collect())
    }

    /// The subscriptions that `msg.topic` names: texts or objects, one or several.
    fn named(&self, msg: &Msg, all: bool) -> Result<Vec<Value>, &'static str> {
        let given = match msg.get("topic") {
            Value::Bool(true) if all => self.dynamic.borrow().values().map(|held| held.shown.clone()).collect(),
            Value::Array(items) => items.to_vec(),
            item @ (Value::String(_) | Value::Object(_)) => vec![item],
            _ => return Err("mqtt.errors.invalid-action-badsubscription"),
        };
        let named = given.into_iter().map(|item| match item {
            Value::String(topic) => Value::from([("topic", Value::String(topic))].into_iter().collect::<Object>()),
            other => other,
        });
        let named: Vec<Value> = named.collect();
        let good =
            |item: &Value| item.get("topic").as_str().is_some_and(|text| !text.is_empty() && topic::is_filter(text));
        if named.iter().all(good) { Ok(named) } else { Err("mqtt.errors.invalid-topic") }
    }

    /// `msg.action` subscribe or unsubscribe.
    pub(super) fn subscribe_by(&self, mut msg: Msg, subscribes: bool) {
        let cx = &self.cx;
        let named = match self.named(&msg, !subscribes) {
            Ok(named) => named,
            Err(key) => return cx.report().error(action::error(cx, key), Some(&msg)),
        };
        let grouped = cx.settings().share_subscriptions;
        if let Some(group) = cx.shared().extensions().get::<Group>().filter(|_| grouped) {
            return self.subscribe_all(&group, named, msg, subscribes);
        }
        if subscribes {
            named.into_iter().for_each(|item| self.subscribe_one(item, 0));
        } else {
            let gone: HashSet<Str> =
                named.iter().map(|item| Str::new(item.get("topic").as_str().unwrap_or_default())).collect();
            self.drop_all(|filter| gone.contains(filter));
        }
        msg.set("subscriptions", self.subscriptions());
        cx.report().done(&msg);
    }

    /// For the whole group: it is written down, and every replica, this one too, does what it reads there.
    fn subscribe_all(&self, group: &Arc<Group>, named: Vec<Value>, mut msg: Msg, subscribes: bool) {
        let changes = named.iter().map(|item| {
            let filter = item.get("topic").as_str().unwrap_or_default().to_owned();
            (filter, subscribes.then(|| to_json(item).unwrap_or_default()))
        });
        let changes: Vec<_> = changes.collect();
        let before: BTreeMap<Str, u64> =
            self.dynamic.borrow().iter().map(|(filter, held)| (filter.clone(), held.serial)).collect();
        let changed = group.0.change(&self.key, changes.clone());
        let (me, cx) = (self.me.clone(), self.cx.clone());
        self.cx.work().spawn(async move {
            if !changed.await {
                let text = "the subscription was not changed: the group's store is away";
                return cx.report().error(text, Some(&msg));
            }
            let Some(node) = me.upgrade() else { return };
            let heard = async {
                let mut heard = node.heard.subscribe();
                let here = |filter: &str| node.dynamic.borrow().get(filter).map(|held| held.serial);
                let done = |(filter, asked): &(String, Option<_>)| match asked {
                    Some(_) => here(filter).is_some_and(|serial| before.get(filter.as_str()) != Some(&serial)),
                    None => here(filter).is_none(),
                };
                while !changes.iter().all(done) && heard.changed().await.is_ok() {}
            };
            let _ = tokio::time::timeout(HEARD, heard).await;
            msg.set("subscriptions", node.subscriptions());
            cx.report().done(&msg);
        });
    }

    /// Follows what the group subscribed to.
    pub(super) fn follow(&self) {
        let grouped = self.cx.settings().share_subscriptions;
        let Some(group) = self.cx.shared().extensions().get::<Group>().filter(|_| grouped) else { return };
        let (told, mut hears) = watch::channel(BTreeMap::new());
        let follow = group.0.follow(&self.key, Box::new(move |asked| drop(told.send_replace(asked))));
        self.cx.work().spawn(follow);
        let me = self.me.clone();
        self.cx.work().spawn(async move {
            while hears.changed().await.is_ok() {
                let asked = hears.borrow_and_update().clone();
                let Some(node) = me.upgrade() else { return };
                node.follow_to(&asked);
                node.heard.send_replace(());
            }
        });
    }

    fn follow_to(self: &Rc<Self>, asked: &BTreeMap<String, Asked>) {
        self.drop_all(|filter| !asked.contains_key(filter.as_str()));
        for (filter, asked) in asked {
            let known = self.dynamic.borrow().get(filter.as_str()).map(|held| held.serial);
            if known != Some(asked.serial) {
                self.subscribe_one(from_json(&asked.shown), asked.serial);
            }
        }
    }

    /// Drops all of these at once: one by one, each would move those behind it.
    fn drop_all(&self, goes: impl Fn(&Str) -> bool) {
        let mut gone = Vec::new();
        self.dynamic.borrow_mut().retain(|filter, held| {
            let goes = goes(filter);
            if goes {
                gone.push(held.subscription.clone());
            }
            !goes
        });
        gone.iter().for_each(|subscription| self.broker.unsubscribe(subscription, self.cx.id(), true));
    }

    fn drop_one(&self, filter: &str) {
        if let Some(held) = self.dynamic.borrow_mut().shift_remove(filter) {
            self.broker.unsubscribe(&held.subscription, self.cx.id(), true);
        }
    }

    fn subscribe_one(&self, mut shown: Value, serial: u64) {
        let named = Str::new(shown.get("topic").as_str().unwrap_or_default());
        let settings = self.cx.settings();
        let (filter, of_replica) = filled(&named, &settings.replica);
        let filter = Str::new(&filter);
        // Always unsubscribe first, so that retained messages come again.
        self.drop_one(&named);
        let small = |key: &str, default: u8| match properties::integer(&shown.get(key)) {
            Some(number) if number <= 2 => number as u8,
            Some(_) => default,
            None if shown.get(key).is_undefined() => default,
            None => default,
        };
        let flag = |key: &str| match shown.get(key) {
            Value::Bool(flag) => Some(flag),
            Value::String(text) => text.parse().ok(),
            _ => None,
        };
        let v5 = self.broker.v5();
        let (qos, rh, rap, nl) = (small("qos", 2), small("rh", 0), flag("rap"), flag("nl"));
        let datatype = shown.get("datatype");
        let subscription = Subscription {
            filter: SubscribeFilter {
                filter,
                qos: QoS::from_bits(qos).unwrap_or_default(),
                no_local: v5 && nl == Some(true),
                retain_as_published: v5 && rap.unwrap_or(true),
                retain_handling: retain_handling(v5.then_some(i64::from(rh))),
                id: None,
                user: Vec::new(),
            },
            order: self.order.of_time(&named, serial),
            datatype: datatype.as_str().map_or(self.datatype, DataType::named),
            each: self.each || of_replica,
            single: self.single,
        };
        if let Some(object) = shown.as_object_mut() {
            object.insert("qos", f64::from(qos));
            if v5 {
                object.insert("rh", f64::from(rh));
                object.insert("rap", rap.unwrap_or(true));
                match nl {
                    Some(nl) => drop(object.insert("nl", nl)),
                    None => drop(object.remove("nl")),
                }
            }
        }
        self.broker.subscribe(&subscription, self.cx.id());
        self.dynamic.borrow_mut().insert(named, Subscribed { subscription, shown, serial });
    }
}
