//! Acknowledgements from clients.

use super::Router;
use crate::{persist::Op, session::SessionKey};
use flotilla_codec::{Ack, AckKind, Reason, Why, ack};

impl Router {
    /// PUBACK, PUBREC, PUBREL or PUBCOMP from a client.
    pub(super) fn on_ack(&mut self, session: SessionKey, packet: Ack) {
        let window = &mut self.sessions[session].window;
        let delivery = match packet.kind {
            AckKind::PubAck => window.acked(packet.pkid),
            AckKind::PubRec => match window.received(packet.pkid, packet.reason < 0x80) {
                Ok(delivery) => {
                    if packet.reason < 0x80 {
                        self.record_for(session, |session| Op::PutReleased { session, pkid: packet.pkid });
                        self.answer(session, AckKind::PubRel, packet.pkid, Reason::Success);
                    } else {
                        self.record_for(session, |session| Op::DropReleased { session, pkid: packet.pkid });
                    }
                    delivery
                }
                Err(_) => {
                    self.answer(session, AckKind::PubRel, packet.pkid, Reason::PacketIdNotFound);
                    None
                }
            },
            AckKind::PubComp => {
                if window.completed(packet.pkid) {
                    self.record_for(session, |session| Op::DropReleased { session, pkid: packet.pkid });
                }
                None
            }
            AckKind::PubRel => {
                let known = self.sessions[session].received.remove(&packet.pkid);
                let reason = if known { Reason::Success } else { Reason::PacketIdNotFound };
                self.record_for(session, |session| Op::DropReceived { session, pkid: packet.pkid });
                self.promise_ack(session, AckKind::PubComp, packet.pkid, reason);
                return;
            }
        };
        if let Some(delivery) = delivery {
            self.settle(session, &delivery);
        }
        self.sessions[session].advance(self.now);
        if self.sessions[session].is_waiting() {
            self.pump(session);
        }
    }

    /// Answers with an acknowledgement.
    pub(super) fn answer(&mut self, session: SessionKey, kind: AckKind, pkid: u16, reason: Reason) {
        self.reply(session, |out, client| {
            ack(out, client.version, kind, pkid, Why { reason, detail: "", room: client.reason_room });
        });
    }
}
