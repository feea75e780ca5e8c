//! SUBSCRIBE and UNSUBSCRIBE.

use super::{Router, asked::Asked, router::Subscribers};
use crate::{
    persist::{Op, ReplyKind},
    session::{Delivery, SessionKey, Subscription},
    share::{GroupKey, Waiting},
    topic::{Filter, Tree},
};
use flotilla_codec::{Reason, RetainHandling, SubRequest, Subscribe, Unsubscribe};

/// About the memory that a subscription takes at most, in bytes: its filter here, in the session and in the tree, and
/// what is kept of it.
fn cost(filter: &str) -> usize {
    Tree::<Box<Subscribers>>::cost(filter) + 2 * filter.len() + 300
}

impl Router {
    /// SUBSCRIBE: one code per filter, then the retained messages and what waits in share groups.
    pub(super) fn on_subscribe(&mut self, session: SessionKey, packet: Subscribe) {
        let mut codes = Vec::with_capacity(packet.filters.len());
        let mut retained = Vec::new();
        let mut joined = Vec::new();
        let mut refused = None;
        let asked = match Asked::read(&packet.user) {
            Ok(asked) => asked,
            Err(error) => {
                let reason = Reason::Unspecified;
                let answer = ReplyKind::SubAck(packet.pkid, vec![reason as u8; packet.filters.len()]);
                return self.promise_refusal(session, answer, reason, |_| error.to_string());
            }
        };
        for request in &packet.filters {
            let Some(filter) = Filter::parse(&request.filter) else {
                codes.push(Reason::TopicFilterInvalid as u8);
                refused = refused.or(Some((Reason::TopicFilterInvalid, request.filter.as_str())));
                continue;
            };
            // [MQTT-3.8.3-4]
            if matches!(filter, Filter::Shared(_)) && request.no_local {
                self.kick(session, Reason::ProtocolError);
                return;
            }
            if let Err(reason) = self.may_subscribe(session, request, &filter) {
                codes.push(reason as u8);
                refused = refused.or(Some((reason, request.filter.as_str())));
                continue;
            }
            codes.push(request.qos as u8);
            let options = Subscription {
                qos: request.qos,
                no_local: request.no_local,
                retain_as_published: request.retain_as_published,
                id: packet.id,
            };
            let text: Box<str> = request.filter.as_str().into();
            let (new, group) = self.subscribe(session, text.clone(), filter, options, &asked);
            self.record_for(session, |session| Op::PutSubscription { session, filter: text, options });
            joined.extend(group);
            let wanted = match request.retain_handling {
                RetainHandling::Always => true,
                RetainHandling::IfNew => new,
                RetainHandling::Never => false,
            };
            if wanted && group.is_none() {
                retained.push((request.filter.as_str(), options));
            }
        }
        self.promise_codes(session, ReplyKind::SubAck(packet.pkid, codes), refused);
        for (filter, options) in retained {
            self.send_retained(session, filter, options);
        }
        for group in joined {
            if let Some(token) = &asked.retained {
                self.begin_group(group, token);
            }
            self.dispatch(group);
        }
    }

    /// The retained messages go into the group's queue, behind what waits of their topics, once for each `token`. Nothing
    /// that is published later can come before them.
    fn begin_group(&mut self, key: GroupKey, token: &str) {
        if !self.groups[key].begin(token) {
            return;
        }
        let bound = self.config.group_queue + self.retained.count();
        let filter = self.groups[key].share.filter.clone();
        for message in self.retained.matching(&filter, self.now) {
            if self.groups[key].waiting() >= bound {
                self.stats.dropped_group += 1;
                continue;
            }
            let waiting = self.groups[key].arrive(message, self.now);
            self.hand_in(key, Waiting { retained: true, ..waiting });
        }
    }

    fn may_subscribe(&self, session: SessionKey, request: &SubRequest, filter: &Filter) -> Result<(), Reason> {
        if self.config.denies(filter) {
            return Err(Reason::Unspecified);
        }
        let client = self.sessions[session].client.as_ref();
        if client.and_then(|client| client.rights.as_ref()).is_some_and(|rights| !rights.may_subscribe(filter.topics()))
        {
            return Err(Reason::NotAuthorized);
        }
        let known = &self.sessions[session].subscriptions;
        if self.full_for(session, filter, &request.filter).is_some() && !known.contains_key(request.filter.as_str()) {
            return Err(Reason::QuotaExceeded);
        }
        Ok(())
    }

    /// Which bound a new subscription would break: what there is, and the setting.
    pub(super) fn full_for(&self, session: SessionKey, filter: &Filter, text: &str) -> Option<(String, &'static str)> {
        let (own, config) = (&self.sessions[session], &self.config);
        let (most, bytes, all) = (config.max_subscriptions, config.max_subscription_bytes, config.max_filter_bytes);
        if own.subscriptions.len() >= most {
            Some((format!("this client has {most} subscriptions, all that it may"), "max-subscriptions"))
        } else if own.subscription_bytes + cost(text) > bytes {
            Some((
                format!("this client's subscriptions take {bytes} bytes, all that they may"),
                "max-subscription-bytes",
            ))
        } else if self.filters.bytes() + Tree::<Box<Subscribers>>::cost(filter.topics()) > all {
            Some((format!("all clients' filters take {all} bytes, all that they may"), "max-filter-bytes"))
        } else {
            None
        }
    }

    /// Whether it is new, and the share group that it joined.
    pub(super) fn subscribe(
        &mut self,
        session: SessionKey,
        text: Box<str>,
        filter: Filter,
        options: Subscription,
        asked: &Asked,
    ) -> (bool, Option<GroupKey>) {
        let (entry, bytes) = (&mut self.sessions[session], cost(&text));
        let old = entry.subscriptions.insert(text, options);
        if old.is_none() {
            entry.subscription_bytes += bytes;
        }
        let group = match filter {
            Filter::Plain(filter) => {
                self.filters.entry(&filter).sessions.insert(session, options);
                None
            }
            Filter::Shared(share) => Some(self.join_group(session, share, options, asked)),
        };
        (old.is_none(), group)
    }

    fn send_retained(&mut self, session: SessionKey, filter: &str, options: Subscription) {
        let bound = self.config.session_queue + self.retained.count();
        for message in self.retained.matching(filter, self.now) {
            let mut delivery = Delivery {
                qos: message.qos.min(options.qos),
                message,
                retain: true,
                ids: options.id.into_iter().collect(),
                source: None,
                blame: None,
                stored: 0,
            };
            // Whatever does not fit now waits, at QoS 0 too, so that one subscription gets them all; subscribing
            // again and again does not fill the memory.
            let entry = &mut self.sessions[session];
            if entry.is_free(delivery.qos) {
                self.record_delivery(session, &mut delivery);
                self.send(session, delivery);
            } else if entry.queue.len() < bound {
                self.record_delivery(session, &mut delivery);
                self.enqueue(session, delivery);
            } else {
                self.stats.dropped_queue += 1;
            }
        }
    }

    /// UNSUBSCRIBE.
    pub(super) fn on_unsubscribe(&mut self, session: SessionKey, packet: Unsubscribe) {
        let mut codes = Vec::with_capacity(packet.filters.len());
        let mut refused = None;
        for text in &packet.filters {
            let Some(filter) = Filter::parse(text) else {
                codes.push(Reason::TopicFilterInvalid as u8);
                refused = refused.or(Some((Reason::TopicFilterInvalid, text.as_str())));
                continue;
            };
            let entry = &mut self.sessions[session];
            let known = entry.subscriptions.remove(text.as_str()).is_some();
            if known {
                entry.subscription_bytes -= cost(text);
            }
            let own: Box<str> = text.as_str().into();
            self.record_for(session, |session| Op::DropSubscription { session, filter: own });
            if known && let Some(group) = self.remove_subscription(session, &filter) {
                self.dispatch(group);
            }
            codes.push(if known { Reason::Success } else { Reason::NoSubscriptionExisted } as u8);
        }
        self.promise_codes(session, ReplyKind::UnsubAck(packet.pkid, codes), refused);
    }

    /// Takes a subscription out of the tree, or the session out of the share group.
    /// Returns the group, to be dispatched.
    pub(super) fn remove_subscription(&mut self, session: SessionKey, filter: &Filter) -> Option<GroupKey> {
        match filter {
            Filter::Shared(share) => self.leave_group(session, share),
            Filter::Plain(filter) => {
                let subscribers = self.filters.get_mut(filter)?;
                subscribers.sessions.swap_remove(&session);
                if subscribers.is_empty() {
                    self.filters.remove(filter);
                }
                None
            }
        }
    }
}
