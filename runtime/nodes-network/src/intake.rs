//! What a node lets into the flow from the network, and when.

use std::sync::Arc;

use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use flotilla_engine::Shared;
use flotilla_engine::message::Delivery;
use flotilla_value::Str;

/// The gate between a node's sockets and its flow: at most `max_in_flight` of the node's messages are in the flow at once,
/// and none comes in once it drains. A socket that is not read makes its peer wait, so memory stays bounded.
#[derive(Clone)]
pub(crate) struct Intake {
    shared: Arc<Shared>,
    source: Str,
    places: Arc<Semaphore>,
    draining: CancellationToken,
}

impl Intake {
    pub(crate) fn new(shared: &Arc<Shared>, source: &Str) -> Intake {
        let places = shared.settings().max_in_flight.clamp(1, Semaphore::MAX_PERMITS);
        Intake {
            shared: shared.clone(),
            source: source.clone(),
            places: Arc::new(Semaphore::new(places)),
            draining: CancellationToken::new(),
        }
    }

    /// Begins the delivery of one message, as soon as there is a place for it; never again once the node drains.
    pub(crate) async fn admit(&self) -> Arc<Delivery> {
        let place = tokio::select! {
            biased;
            () = self.draining.cancelled() => return std::future::pending().await,
            place = self.places.clone().acquire_owned() => place,
        };
        Delivery::begin(self.shared.deliveries(), self.source.clone(), move |_| drop(place))
    }

    /// Lets nothing in any more.
    pub(crate) fn drain(&self) {
        self.draining.cancel();
    }

    /// Fires when nothing is let in any more.
    pub(crate) fn draining(&self) -> CancellationToken {
        self.draining.clone()
    }
}
