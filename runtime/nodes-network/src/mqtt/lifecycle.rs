//! How an mqtt-broker node drains, goes on, disconnects and closes.

use std::time::Duration;

use futures::future::{BoxFuture, join_all};

use super::broker::MqttBroker;
use super::keeper::Keeper;
use super::options::Announcement;
use super::together::Group;
use flotilla_engine::ConfigNode;
use flotilla_engine::message::Delivery;
use flotilla_mqtt::{Parting, State};
use flotilla_value::{Object, Value};

/// How long closing waits for dead letters that are being written.
const LETTERS: Duration = Duration::from_secs(5);
/// How long closing waits for the store to forget what the group had begun.
const FORGET: Duration = Duration::from_secs(2);

impl MqttBroker {
    /// Sends the close message and what waits, then ends the connections. In a group the close message says that the group
    /// is through: `closes`.
    pub(super) async fn disconnect(&self, closes: bool) {
        let (consumers, publisher, connected) = {
            let mut state = self.state.lock();
            state.stopped = true;
            (state.consumers(), state.publisher.clone(), state.connected)
        };
        let own = connected && !self.has_herald();
        // The lock on the options is given back before anything else is locked.
        let close = self.options.lock().announcement(Announcement::Close).filter(|_| own);
        if let Some(close) = close {
            self.announce(close);
        }
        self.close_single().await;
        join_all(consumers.iter().map(|consumer| consumer.close())).await;
        if let Some(publisher) = publisher {
            publisher.close().await;
        }
        // After everything else that it published.
        self.end_herald(closes).await;
        let was = {
            let mut state = self.state.lock();
            state.connected = false;
            std::mem::take(&mut state.running)
        };
        self.tell();
        if was {
            self.show(State::Idle, None);
        }
    }

    /// True when the group's work ends with this replica.
    fn ends_the_group(&self) -> bool {
        self.shared.extensions().get::<Group>().is_some_and(|group| !group.0.others_go_on())
    }
}

impl ConfigNode for MqttBroker {
    /// `connected` and `connecting`, as Node-RED's node has them.
    fn inspect(&self) -> Value {
        let (connected, connecting) = self.status();
        [("connected", connected), ("connecting", connecting)].into_iter().collect::<Object>().into()
    }

    fn drain(&self) {
        if self.own.as_ref().is_some_and(|own| !own.drains) {
            return;
        }
        let consumers = {
            let mut state = self.state.lock();
            if std::mem::replace(&mut state.draining, true) {
                return;
            }
            state.consumers()
        };
        let parting = self.shared.extensions().get::<Keeper>().map_or(Parting::End, |keeper| keeper.0.parting());
        for consumer in consumers {
            let guard = Delivery::begin(self.shared.deliveries(), self.id.clone(), |_| {});
            consumer.drain(guard, parting);
        }
        self.drain_single();
    }

    /// The connection that drained is replaced by a new one, which subscribes everything anew.
    fn resume(&self) -> BoxFuture<'static, ()> {
        let consumers = {
            let mut state = self.state.lock();
            if !std::mem::take(&mut state.draining) || state.stopped {
                return Box::pin(std::future::ready(()));
            }
            state.consumers()
        };
        let Some(me) = self.me.upgrade() else { return Box::pin(std::future::ready(())) };
        Box::pin(async move {
            join_all(consumers.iter().map(|consumer| consumer.close())).await;
            me.share_again();
            for consumer in consumers {
                consumer.reopen();
                me.run(consumer);
            }
            me.resume_single().await;
        })
    }

    fn close(&self, removed: bool) -> BoxFuture<'static, ()> {
        let Some(me) = self.me.upgrade() else { return Box::pin(std::future::ready(())) };
        Box::pin(async move {
            let last = me.ends_the_group();
            me.disconnect(removed || last).await;
            // Its worker may end after this, and what the broker has forgotten is nowhere else.
            me.letters.close();
            if tokio::time::timeout(LETTERS, me.letters.wait()).await.is_err() {
                tracing::error!(
                    node = me.id.as_str(),
                    "dead letters were not laid aside within {} s: other replicas get them, but for those at QoS 2 that the broker has forgotten",
                    LETTERS.as_secs()
                );
            }
            if last && let Some(group) = me.shared.extensions().get::<Group>() {
                let _ = tokio::time::timeout(FORGET, group.0.forget(&me.id)).await;
            }
            let (consumers, publisher) = {
                let mut state = me.state.lock();
                let consumers = state.consumers();
                (state.consumer, state.fleeting) = (None, None);
                (consumers, state.publisher.take())
            };
            consumers.iter().chain(&publisher).for_each(|client| client.give_up());
            for consumer in consumers {
                me.part(&consumer).await;
            }
        })
    }
}
