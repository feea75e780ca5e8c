//! A collector on rumqttc.

use std::collections::HashSet;
use std::rc::Rc;
use std::time::Duration;

use super::event::{Arrived, Happening};
use super::link::{Link, LinkError};
use super::options::LinkOptions;
use super::publisher::{connected, forget};
use crate::mqtt::Output;
use crate::shared::{Phase, Run};

/// How long connecting and subscribing may take.
const CONNECT: Duration = Duration::from_secs(10);
/// Between attempts to connect again.
const AGAIN: Duration = Duration::from_millis(200);
/// Seconds that the session outlives a connection.
const SESSION: u32 = 600;

/// See the module. Its session outlives its connections, so that what comes meanwhile waits at the broker.
pub struct Collector {
    run: Rc<Run>,
    number: usize,
    link: Link,
    /// QoS 2: identifiers whose PUBREL is to come.
    taken: HashSet<u16>,
}

impl Collector {
    /// Connects and subscribes.
    ///
    /// # Errors
    /// When the broker is not there, or refuses.
    pub async fn start(run: Rc<Run>, number: usize) -> Result<Collector, LinkError> {
        let collect = &run.scenario.collectors[number];
        let options = LinkOptions {
            client_id: id(&run, number),
            session_expiry: Some(SESSION),
            queue: 10,
            ..LinkOptions::default()
        };
        let link = options.link(&collect.target);
        let mut collector = Collector { run: run.clone(), number, link, taken: HashSet::new() };
        let begin = async {
            connected(&mut collector.link).await?;
            collector.subscribe().await?;
            loop {
                match collector.link.poll().await? {
                    Happening::Subscribed => return Ok(()),
                    Happening::NotSubscribed(why) => {
                        return Err(LinkError::Subscription(collect.filter.clone(), why));
                    }
                    _ => {}
                }
            }
        };
        tokio::time::timeout(CONNECT, begin).await.map_err(|_| LinkError::Silent(CONNECT.as_secs()))??;
        Ok(collector)
    }

    async fn subscribe(&self) -> Result<(), LinkError> {
        let collect = &self.run.scenario.collectors[self.number];
        self.link.sender().subscribe(&collect.filter, collect.qos as u8).await
    }

    /// Counts outputs until the run ends.
    pub async fn run(mut self) {
        let mut phases = self.run.phases();
        let (target, id) = (self.run.scenario.collectors[self.number].target.clone(), id(&self.run, self.number));
        tokio::select! {
            () = self.follow() => {}
            _ = phases.wait_for(|phase| *phase == Phase::Ended) => {}
        }
        drop(self);
        forget(&target, id).await;
    }

    async fn follow(&mut self) {
        loop {
            let happening = self.link.poll().await;
            let note = |what: String| self.run.book.borrow_mut().event(self.run.now(), "connection", what);
            match happening {
                Ok(Happening::Message(message)) => self.count(&message),
                Ok(Happening::Released(pkid)) => {
                    self.taken.remove(&pkid);
                }
                Ok(Happening::Connected { session }) => {
                    if !session {
                        note("the broker forgot the collector's session: outputs from before this are gone".to_owned());
                        self.taken.clear();
                        // A filter that was accepted once is valid.
                        let _ = self.subscribe().await;
                    }
                    self.run.book.borrow_mut().tracker.totals_mut().reconnects += 1;
                }
                Ok(_) => {}
                Err(error) => {
                    note(format!("collector of {}: {error}", self.run.scenario.collectors[self.number].filter));
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    fn count(&mut self, message: &Arrived) {
        let new = message.qos < 2 || self.taken.insert(message.pkid);
        // A retained message is from before the run.
        if !new || message.retain {
            return;
        }
        let mut properties = Vec::new();
        for (name, value) in &message.properties.user_properties {
            for text in [name, value] {
                properties.extend_from_slice(text.as_bytes());
                properties.push(0);
            }
        }
        let output = Output { topic: message.topic.as_bytes(), properties: &properties, payload: &message.payload };
        output.count(&self.run, &self.run.scenario.collectors[self.number], self.run.now());
    }
}

fn id(run: &Run, number: usize) -> String {
    format!("fl{:06x}out{number}", run.id)
}
