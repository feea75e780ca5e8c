//! One connection of the node: sending, and gathering the answer.

use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;

use crate::link::Orders;
use crate::tcp::connection::{self, Event};
use crate::tcp::payload;
use crate::tcp::target::Target;
use flotilla_engine::message::Msg;
use flotilla_value::{Object, Value};

use super::config::Until;
use super::node::TcpRequest;
use super::peer::Peer;

/// An answer is held in memory whole, so it is bounded.
const MAX_ANSWER: usize = 256 << 20;

impl TcpRequest {
    pub(super) async fn exchange(self: Rc<Self>, peer: Rc<Peer>, target: Target, opener: Msg, orders: Orders<Bytes>) {
        let destroyed = orders.destroyed.clone();
        let stream = tokio::select! {
            biased;
            () = destroyed.cancelled() => return,
            opened = target.open() => match opened {
                Ok(stream) => stream,
                Err(_) => return self.failed(&peer, &opener),
            },
        };
        self.connected(&peer);
        let idle = payload::idle_time(&self.cx);
        let opener = if self.config.until == Until::Sent { None } else { Some(opener) };
        connection::run(stream, orders, idle, async |event| match event {
            Event::Data(data) => self.data(&peer, &data).await,
            Event::End => {
                self.cx.report().show("grey", "ring", self.cx.text("common.status.disconnected", &[]));
                self.ended(&peer);
            }
            Event::Idle => {
                self.cx.report().show("grey", "dot", self.cx.text("tcpin.errors.connect-timeout", &[]));
                self.ended(&peer);
                peer.link.destroy();
            }
            Event::Failed(_) => {
                if let Some(opener) = &opener {
                    self.failed(&peer, opener);
                }
            }
        })
        .await;
        self.ended(&peer);
    }

    fn connected(&self, peer: &Rc<Peer>) {
        self.cx.report().show("green", "dot", self.connections());
        peer.connected.set(true);
        let waiting = std::mem::take(&mut *peer.queue.borrow_mut());
        for msg in &waiting {
            self.write(peer, msg);
        }
        if self.config.until == Until::Sent {
            peer.link.end();
            self.forget(peer);
            // Nothing is made of it any more.
            *peer.last.borrow_mut() = Msg::default();
            self.cx.report().status(Object::new());
        }
    }

    /// The connection could not be made, or broke: the message that asked for it fails, and so do those that waited.
    fn failed(&self, peer: &Rc<Peer>, opener: &Msg) {
        let text = format!("{} {}", self.cx.text("tcpin.errors.connect-fail", &[]), peer.key);
        self.forget(peer);
        self.cx.report().show("red", "ring", self.cx.text("common.status.error", &[]));
        let waiting = std::mem::take(&mut *peer.queue.borrow_mut());
        *peer.last.borrow_mut() = Msg::default();
        self.cx.report().error(text.as_str(), Some(waiting.front().unwrap_or(opener)));
        for msg in waiting.iter().skip(1) {
            self.cx.report().error(text.as_str(), Some(msg));
        }
    }

    /// The peer has ended. An answer whose time runs is still handed on when it is over; others are incomplete.
    fn ended(&self, peer: &Rc<Peer>) {
        if self.forget(peer) && !peer.timing.get() {
            *peer.last.borrow_mut() = Msg::default();
        }
    }

    async fn data(self: &Rc<Self>, peer: &Rc<Peer>, data: &[u8]) {
        match self.config.until {
            Until::Forever => self.pass_on(peer, data).await,
            Until::Sent => {}
            Until::Time(time) => {
                self.hold(peer, data);
                if !peer.timing.replace(true) {
                    self.answer_after(peer.clone(), time);
                }
            }
            Until::Count(count) => {
                let held = peer.answer.borrow().len();
                let wanted = count.saturating_sub(held).max(1);
                self.hold(peer, &data[..wanted.min(data.len())]);
                if held + data.len() >= count {
                    self.answer(peer);
                }
            }
            Until::Byte(byte) => match data.iter().position(|one| Some(*one) == byte) {
                Some(at) => {
                    self.hold(peer, &data[..=at]);
                    self.answer(peer);
                }
                None => self.hold(peer, data),
            },
        }
    }

    fn hold(&self, peer: &Rc<Peer>, data: &[u8]) {
        let mut answer = peer.answer.borrow_mut();
        if answer.len() + data.len() <= MAX_ANSWER {
            return answer.extend_from_slice(data);
        }
        answer.clear();
        drop(answer);
        let last = peer.last.borrow().clone();
        self.forget(peer);
        peer.link.destroy();
        self.cx.report().error(format!("the answer of {} is larger than {MAX_ANSWER} bytes", peer.key), Some(&last));
    }

    fn answer_after(self: &Rc<Self>, peer: Rc<Peer>, time: Duration) {
        let node = self.clone();
        self.cx.work().spawn(async move {
            tokio::time::sleep(time).await;
            node.answer(&peer);
        });
    }

    /// The answer is complete: sends it and closes the connection.
    fn answer(&self, peer: &Rc<Peer>) {
        let bytes = std::mem::take(&mut *peer.answer.borrow_mut());
        let mut msg = std::mem::take(&mut *peer.last.borrow_mut());
        let text = self.config.text;
        let payload = if text { Value::string(String::from_utf8_lossy(&bytes)) } else { Value::Buffer(bytes.into()) };
        msg.set("payload", payload);
        self.cx.out().send(msg);
        peer.link.destroy();
        if self.forget(peer) {
            self.cx.report().status(Object::new());
        }
    }

    /// On a connection that stays, whatever comes is a message like the last one that was sent.
    async fn pass_on(&self, peer: &Rc<Peer>, data: &[u8]) {
        let parts = peer.gather.borrow_mut().push(data);
        let parts = match parts {
            Ok(parts) => parts,
            Err(error) => {
                self.cx.report().error(self.cx.text("tcpin.errors.error", &[("error", &error.to_string())]), None);
                return peer.link.destroy();
            }
        };
        for part in parts {
            let delivery = self.intake.admit().await;
            let mut msg = peer.last.borrow().clone().in_delivery(Some(delivery));
            msg.set("payload", part);
            self.cx.out().send(msg);
        }
    }
}
