//! Which MQTT client drives a run.

use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;

use crate::shared::Run;
use crate::{mqtt, rumqtt};

/// A connected client, to be driven to its end.
pub(super) type Part = Pin<Box<dyn Future<Output = ()>>>;

/// An MQTT client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Client {
    /// Ours.
    #[default]
    Flotilla,
    /// rumqttc: a cross-check by a client that is not ours.
    Rumqttc,
}

impl Client {
    /// For the results.
    pub(super) fn name(self) -> &'static str {
        match self {
            Client::Flotilla => "flotilla",
            Client::Rumqttc => "rumqttc",
        }
    }

    /// Connects and subscribes a collector.
    pub(super) async fn collector(self, run: &Rc<Run>, number: usize) -> Result<Part, String> {
        match self {
            Client::Flotilla => match mqtt::Collector::start(run.clone(), number).await {
                Ok(collector) => Ok(Box::pin(collector.run())),
                Err(error) => Err(error.to_string()),
            },
            Client::Rumqttc => match rumqtt::Collector::start(run.clone(), number).await {
                Ok(collector) => Ok(Box::pin(collector.run())),
                Err(error) => Err(error.to_string()),
            },
        }
    }

    /// Connects a publisher.
    pub(super) async fn publisher(self, run: &Rc<Run>, stream: usize, client: usize) -> Result<Part, String> {
        match self {
            Client::Flotilla => {
                let publisher = mqtt::Publisher::new(run.clone(), stream, client);
                let connection = publisher.connect().await.map_err(|error| error.to_string())?;
                Ok(Box::pin(publisher.run(connection)))
            }
            Client::Rumqttc => match rumqtt::Publisher::connect(run.clone(), stream, client).await {
                Ok(publisher) => Ok(Box::pin(publisher.run())),
                Err(error) => Err(error.to_string()),
            },
        }
    }
}
