//! A message on its way to one session: sent, queued or dropped.

use std::{sync::Arc, time::Instant};

use super::{Router, deaths::with_deaths};
use crate::{
    message::Message,
    persist::{Op, ReplyKind},
    session::{Client, Delivery, Flight, SessionKey},
};
use flotilla_codec::{AckKind, PublishOut, QoS, Version, Why, ack, publish};

/// In flight to each session, whatever the broker holds in all.
const ALWAYS: usize = 100;

impl Router {
    /// A message for a plain subscription: sent now, or queued, or dropped and counted past the bounds.
    pub(super) fn deliver(&mut self, session: SessionKey, mut delivery: Delivery) {
        let entry = &mut self.sessions[session];
        if delivery.qos == QoS::AtMostOnce {
            match &entry.client {
                Some(client) if client.link.has_room() => self.send(session, delivery),
                Some(_) => self.stats.dropped_slow += 1,
                None => {}
            }
            return;
        }
        // What is in flight is held, too: who never acknowledges gets no more than that when memory is short.
        if entry.is_free(delivery.qos) && (entry.window.sent() < ALWAYS || !self.is_laden()) {
            self.record_delivery(session, &mut delivery);
            self.send(session, delivery);
            return;
        }
        if self.has_no_place(session) {
            self.drop_expired(session);
        }
        if self.has_no_place(session) || self.is_laden() {
            self.stats.dropped_queue += 1;
            return;
        }
        self.record_delivery(session, &mut delivery);
        self.enqueue(session, delivery);
        let (count, bytes) = (self.config.session_queue, self.config.session_queue_bytes);
        let entry = &mut self.sessions[session];
        if let Some(client) = &entry.client
            && (entry.queue.len() >= count / 2 || entry.queue_bytes >= bytes / 2)
        {
            entry.behind = true;
            client.link.set_behind(true);
            self.pressed = Some(Arc::clone(&client.link));
        }
    }

    fn has_no_place(&self, session: SessionKey) -> bool {
        let entry = &self.sessions[session];
        entry.queue.len() >= self.config.session_queue || entry.queue_bytes >= self.config.session_queue_bytes
    }

    /// Appends to what waits for the session.
    pub(super) fn enqueue(&mut self, session: SessionKey, delivery: Delivery) {
        self.held.add_place();
        self.sessions[session].enqueue(delivery);
    }

    /// Makes room: what expired at the front of the queue has no use for its place.
    fn drop_expired(&mut self, session: SessionKey) {
        while self.sessions[session].queue.front().is_some_and(|next| next.message.remaining(self.now).is_none()) {
            let Some(delivery) = self.dequeue(session) else { return };
            self.stats.dropped_expired += 1;
            self.settle(session, &delivery);
        }
    }

    fn dequeue(&mut self, session: SessionKey) -> Option<Delivery> {
        let delivery = self.sessions[session].dequeue()?;
        self.held.free_places(1);
        Some(delivery)
    }

    /// Sends what waits for the session while it has room: first what a resume repeats, then its
    /// queue, then what share groups hold for it.
    pub(super) fn pump(&mut self, session: SessionKey) {
        loop {
            let Some(entry) = self.sessions.get_mut(session) else { return };
            if let Some((_, flight)) = entry.window.next_resend() {
                let qos = match flight {
                    Flight::Sent(delivery) => delivery.qos,
                    Flight::Released => QoS::ExactlyOnce,
                };
                if !entry.may_send(qos) {
                    return;
                }
                self.resend(session);
            } else if let Some(next) = entry.queue.front() {
                if !entry.may_send(next.qos) {
                    return;
                }
                let Some(delivery) = self.dequeue(session) else { return };
                self.catch_up(session);
                self.send(session, delivery);
            } else if !self.pump_groups(session) {
                return;
            }
        }
    }

    /// The queue fell to a quarter: publishers need not pause any more.
    fn catch_up(&mut self, session: SessionKey) {
        let entry = &mut self.sessions[session];
        let low = entry.queue.len() <= self.config.session_queue / 4
            && entry.queue_bytes <= self.config.session_queue_bytes / 4;
        if entry.behind && low {
            entry.behind = false;
            if let Some(client) = &entry.client {
                client.link.set_behind(false);
            }
        }
    }

    /// Sends a message for the first time. The caller made sure that there is room.
    pub(super) fn send(&mut self, session: SessionKey, delivery: Delivery) {
        let message = Arc::clone(&delivery.message);
        let ids = delivery.ids.clone();
        let Some(expiry) = message.remaining(self.now) else {
            self.stats.dropped_expired += 1;
            return self.settle(session, &delivery);
        };
        let told = delivery.blame.as_ref().map(|blame| with_deaths(&message.forward, blame));
        let entry = &mut self.sessions[session];
        let Some(client) = &mut entry.client else { return };
        let mut packet = outgoing(&message, &ids, delivery.qos, delivery.retain, expiry);
        if let Some(told) = &told {
            packet.forward = told;
        }
        let size = packet.size(client.version);
        if size > client.max_packet {
            return self.too_large(session, delivery, size);
        }
        if entry.stored != 0 && delivery.qos == QoS::ExactlyOnce {
            client.link.promise(size);
            let seq = delivery.stored;
            let pkid = entry.window.begin(delivery);
            return self.number(session, seq, pkid, size);
        }
        if client.alias_max > 0 && size + 3 <= client.max_packet {
            alias(client, &mut packet, &message.topic);
        }
        self.stats.sent[delivery.qos as usize] += 1;
        self.stats.sent_bytes[delivery.qos as usize] += message.payload.len() as u64;
        if delivery.qos != QoS::AtMostOnce {
            if entry.window.sent() == 0 {
                entry.progress = self.now;
            }
            packet.pkid = entry.window.begin(delivery);
        }
        let offered = client.link.append(|out| publish(out, client.version, &packet));
        if offered.idle {
            self.dirty.mark(&client.link);
        }
        if offered.pressed {
            self.pressed = Some(Arc::clone(&client.link));
        }
    }

    /// The client takes no packet of this size [MQTT-3.1.2-24]: another member of the share group may.
    fn too_large(&mut self, session: SessionKey, delivery: Delivery, size: usize) {
        if let Some(delivery) = self.pass_on(session, delivery, size) {
            self.stats.dropped_large += 1;
            self.settle(session, &delivery);
        }
    }

    /// QoS 2 to a session that outlives the broker: its identifier is on disk before the client sees it. Else a broker
    /// that was killed would give it to another message, which the client would take for a repetition [MQTT-4.3.3].
    /// A share group's message returns to the group then, so that only the identifier is kept, as received.
    fn number(&mut self, session: SessionKey, seq: u64, pkid: u16, size: usize) {
        self.record_for(session, |session| match seq {
            0 => Op::PutReleased { session, pkid },
            _ => Op::SetPacketId { session, seq, pkid },
        });
        self.promise(session, ReplyKind::Publish(pkid, size));
    }

    /// The identifier is on disk: the message may go.
    pub(super) fn send_numbered(&mut self, session: SessionKey, pkid: u16, size: usize) {
        let entry = &mut self.sessions[session];
        let Some(client) = &mut entry.client else { return };
        client.link.keep_promise(size);
        let Some(Flight::Sent(delivery)) = entry.window.get(pkid) else { return };
        let message = &delivery.message;
        let mut packet = PublishOut { pkid, ..repeated(delivery, self.now) };
        if client.alias_max > 0 && size + 3 <= client.max_packet {
            alias(client, &mut packet, &message.topic);
        }
        self.stats.sent[delivery.qos as usize] += 1;
        self.stats.sent_bytes[delivery.qos as usize] += message.payload.len() as u64;
        if client.link.append(|out| publish(out, client.version, &packet)).idle {
            self.dirty.mark(&client.link);
        }
    }

    /// Repeats the next message in flight after a resume: DUP, or PUBREL when it had been received.
    fn resend(&mut self, session: SessionKey) {
        let now = self.now;
        let entry = &mut self.sessions[session];
        let Some(client) = &entry.client else { return };
        let Some((pkid, flight)) = entry.window.next_resend() else { return };
        if let Flight::Sent(delivery) = flight
            && delivery.message.size() + 64 > client.max_packet
        {
            // This connection takes less than the one before did.
            let dropped = entry.window.abandon(pkid);
            self.record_for(session, |session| Op::DropReleased { session, pkid });
            if let Some(delivery) = dropped {
                let size = delivery.message.size() + 64;
                self.too_large(session, delivery, size);
            }
            return;
        }
        let offered = client.link.append(|out| match flight {
            Flight::Released => {
                ack(out, client.version, AckKind::PubRel, pkid, Why::SUCCESS);
            }
            Flight::Sent(delivery) => {
                publish(out, client.version, &PublishOut { dup: true, pkid, ..repeated(delivery, now) });
            }
        });
        if offered.idle {
            self.dirty.mark(&client.link);
        }
        entry.window.resent();
    }

    /// The session is done with a message: its share group, if any, need not keep it.
    pub(super) fn settle(&mut self, session: SessionKey, delivery: &Delivery) {
        let seq = delivery.stored;
        if seq != 0 {
            self.record_for(session, |session| Op::DropQueued { session, seq });
        }
        if let Some(source) = delivery.source {
            self.done(session, source);
        }
    }
}

/// A message whose delivery has begun. One that expired meanwhile is completed.
fn repeated(delivery: &Delivery, now: Instant) -> PublishOut<'_> {
    let expiry = delivery.message.remaining(now).unwrap_or(Some(0));
    outgoing(&delivery.message, &delivery.ids, delivery.qos, delivery.retain, expiry)
}

fn outgoing<'a>(message: &'a Message, ids: &'a [u32], qos: QoS, retain: bool, expiry: Option<u32>) -> PublishOut<'a> {
    PublishOut {
        dup: false,
        qos,
        retain,
        pkid: 0,
        topic: &message.topic,
        alias: None,
        expiry,
        subscription_ids: ids,
        forward: &message.forward,
        payload: &message.payload,
    }
}

/// Replaces the topic by an alias that the client knows, or gives it one while it takes more.
fn alias(client: &mut Client, packet: &mut PublishOut<'_>, topic: &bytes::Bytes) {
    if client.version != Version::V5 {
        return;
    }
    if let Some(&known) = client.aliases.get(topic) {
        packet.topic = &[];
        packet.alias = Some(known);
    } else if client.aliases.len() < usize::from(client.alias_max) {
        let fresh = client.aliases.len() as u16 + 1;
        client.aliases.insert(bytes::Bytes::copy_from_slice(topic), fresh);
        packet.alias = Some(fresh);
    }
}
