//! What becomes of a message that came: which nodes it is for, and the delivery that ends its ticket.

use std::sync::{Arc, Weak};

use flotilla_codec::{QoS, Version};
use flotilla_engine::Worker;
use flotilla_engine::message::{Delivery, Failure, Outcome};
use flotilla_engine::trail::Trail;
use flotilla_mqtt::{Client, ClientEvents, Publish, Role, Target, Ticket, Verdict, topic};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

use super::broker::MqttBroker;
use super::{mqtt_in, no_local};

impl MqttBroker {
    /// Gives a message to the nodes that it is for.
    pub(super) fn hand_over(&self, targets: &[Target], publish: Arc<Publish>, delivery: Arc<Delivery>) {
        let Some((first, others)) = targets.split_first() else { return };
        let (v5, local) = {
            let options = self.options.lock();
            (options.version() == Version::V5, options.is_local())
        };
        if others.is_empty()
            && let Some(slot) = Worker::current().and_then(|worker| worker.slot(&first.node))
        {
            if let Some(own) = &self.own {
                return (own.take)(&slot.cx, &publish, delivery);
            }
            return mqtt_in::emit(&slot.cx, first.datatype, &publish, v5, local, delivery);
        }
        let take = self.own.as_ref().map(|own| own.take);
        for target in std::iter::once(first).chain(others) {
            let (publish, delivery, datatype) = (publish.clone(), delivery.clone(), target.datatype);
            self.with_node(&target.node, move |cx| match take {
                Some(take) => take(cx, &publish, delivery),
                None => mqtt_in::emit(cx, datatype, &publish, v5, local, delivery),
            });
        }
    }

    /// Without nodes that share their messages with other replicas, if this was sent because a subscription began: over MQTT
    /// 3.1.1 some brokers send retained messages to each member of a share group. The group gets them once, see
    /// [`super::fetch`]. Over MQTT 5 they are not asked for.
    fn without_copies(&self, client: &Arc<Client>, publish: &Publish, targets: Arc<[Target]>) -> Arc<[Target]> {
        if !publish.retain || client.role != Role::Consume {
            return targets;
        }
        let state = self.state.lock();
        if !state.older {
            return targets;
        }
        let shared = |target: &Target| {
            state.subscriptions.iter().any(|(node, subscription)| {
                *node == target.node
                    && subscription.is_shared()
                    && topic::matches(&subscription.filter.filter, &publish.topic)
            })
        };
        targets.iter().filter(|target| !shared(target)).cloned().collect()
    }

    /// Without those that do not want what this broker node has published, if that is what this is.
    fn without_own(&self, publish: &Publish, targets: Arc<[Target]>) -> Arc<[Target]> {
        if publish.props.as_ref().is_none_or(|props| props.user.is_empty()) {
            return targets;
        }
        match &self.state.lock().mark {
            Some(mark) if no_local::is_marked(publish, mark) => {
                targets.iter().filter(|target| !target.no_local).cloned().collect()
            }
            _ => targets,
        }
    }

    /// Gives a message to the nodes that it is for, and its ticket to their delivery. `done` is dropped when that ends.
    pub(super) fn take(
        &self,
        client: &Arc<Client>,
        mut publish: Arc<Publish>,
        ticket: Ticket,
        done: Option<oneshot::Sender<()>>,
    ) {
        let targets = if client.role == Role::Adopt {
            // The other replica's subscription identifiers are not ours.
            if publish.props.is_some()
                && let Some(props) = &mut Arc::make_mut(&mut publish).props
            {
                props.subscription_ids.clear();
            }
            let consumers = self.state.lock().consumers();
            let targets = consumers.iter().flat_map(|consumer| consumer.targets(&publish).to_vec());
            // Answers to what a dead process asked are for nobody.
            let are_answers = self.own.as_ref().is_some_and(|own| !own.drains);
            (are_answers || !consumers.is_empty()).then(|| targets.collect())
        } else {
            Some(client.targets(&publish))
        };
        let targets = targets.map(|targets| self.without_own(&publish, targets));
        let targets = targets.map(|targets| self.without_copies(client, &publish, targets));
        let Some(first) = targets.as_deref().and_then(<[Target]>::first) else {
            // Nobody wants it any more, as after an unsubscribe: Node-RED's client acknowledges it too.
            return ticket.settle(if targets.is_some() { Verdict::Ack } else { Verdict::Never });
        };
        let gone = ticket.gone();
        let again = gone.is_some() && ticket.attempts() > 0;
        let mut ticket = ticket;
        if publish.qos == QoS::ExactlyOnce {
            let (broker, client) = (self.weak(), client.clone());
            ticket.lay_aside_by(move |publish, failure, ticket| lay_late(&broker, &client, publish, failure, ticket));
        }
        let topic = publish.topic.clone();
        let end = move |outcome: Outcome, trail: Option<&Arc<Trail>>| {
            if let Some(trail) = trail {
                // One that is recorded since it failed knows only what the message said then.
                trail.came_as(&topic);
            }
            ticket.set_trail(trail);
            ticket.end(outcome);
            drop(done);
        };
        let delivery = Delivery::begin_until(self.shared.deliveries(), first.node.clone(), gone, end);
        if again {
            // It failed before: this time it is seen where it goes.
            delivery.record();
        }
        if let Some(trail) = delivery.trail() {
            trail.came_as(&publish.topic);
        }
        self.hand_over(targets.as_deref().unwrap_or_default(), publish, delivery);
    }
}

/// Lays a message aside whose client has ended before the flow was done with it, and that nobody sends again.
fn lay_late(broker: &Weak<MqttBroker>, client: &Arc<Client>, publish: &Publish, failure: Failure, ticket: Ticket) {
    match broker.upgrade().filter(|_| Handle::try_current().is_ok()) {
        Some(broker) => broker.dead_letter(client, publish, failure, ticket),
        None => {
            tracing::error!(
                topic = publish.topic.as_str(),
                "a message at QoS 2 is lost: its broker has forgotten it, and this replica stopped before the flow was done with it"
            );
            ticket.settle(Verdict::Never);
        }
    }
}
