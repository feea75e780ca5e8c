//! A publisher on rumqttc. What rumqttc forgets at a reconnect without a session is handed over again, so that what the
//! results call lost was acknowledged here, too.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use rumqttc::v5::mqttbytes::v5::PublishProperties;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::event::{Happening, Routed};
use super::link::{Link, LinkError, Message, Sender};
use super::options::LinkOptions;
use crate::shared::{Due, Feed, Outgoing, Phase, Run};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(10);
/// Between attempts to connect again.
const AGAIN: Duration = Duration::from_millis(200);
/// How long saying goodbye may take.
const GOODBYE: Duration = Duration::from_secs(2);
/// The broker has so long to read all that was written.
const LEAVING: Duration = Duration::from_secs(30);
/// Seconds that the session outlives a connection.
const SESSION: u32 = 600;

/// See the module.
pub struct Publisher {
    run: Rc<Run>,
    link: Link,
    state: State,
}

/// What the sending and the polling half share.
struct State {
    feed: RefCell<Feed>,
    /// Handed over and not written yet, in order.
    waiting: RefCell<VecDeque<Sent>>,
    /// Written and not finished, by packet identifier.
    flying: RefCell<HashMap<u16, Sent>>,
    order: Cell<u64>,
    /// Something finished: there is room, or nothing is left.
    moved: Notify,
}

struct Sent {
    outgoing: Outgoing,
    message: Message,
    order: u64,
    taken: bool,
}

impl Publisher {
    /// Connects a client of a stream.
    ///
    /// # Errors
    /// When that fails: a scenario whose broker is not there does not begin.
    pub async fn connect(run: Rc<Run>, stream: usize, client: usize) -> Result<Publisher, LinkError> {
        let feed = Feed::new(run.clone(), stream, client);
        let mqtt = feed.mqtt();
        let options = LinkOptions {
            client_id: feed.client_id(),
            session_expiry: Some(SESSION),
            // Twice the window: after a reconnect all of it may be handed over again at once.
            queue: usize::from(mqtt.window) * 2,
            in_flight: Some(mqtt.window),
            ..LinkOptions::default()
        };
        let mut link = options.link(&mqtt.target);
        tokio::time::timeout(CONNECT, connected(&mut link))
            .await
            .map_err(|_| LinkError::Silent(CONNECT.as_secs()))??;
        let state = State {
            feed: RefCell::new(feed),
            waiting: RefCell::default(),
            flying: RefCell::default(),
            order: Cell::new(0),
            moved: Notify::new(),
        };
        Ok(Publisher { run, link, state })
    }

    /// Publishes until all is sent and acknowledged, or the run ends.
    pub async fn run(self) {
        let Publisher { run, mut link, state } = self;
        let sender = link.sender();
        let (target, id) = {
            let feed = state.feed.borrow();
            (feed.mqtt().target.clone(), feed.client_id())
        };
        let leave = async {
            state.send(&run, &sender).await;
            tokio::time::timeout(LEAVING, async {
                sender.disconnect().await;
                std::future::pending::<()>().await;
            })
            .await
        };
        tokio::select! {
            () = state.poll(&run, &mut link, &sender) => {}
            _ = leave => {}
        }
        drop(link);
        forget(&target, id).await;
    }
}

/// Polls until CONNACK; true when the broker still had the session.
pub(super) async fn connected(link: &mut Link) -> Result<bool, LinkError> {
    loop {
        if let Happening::Connected { session } = link.poll().await? {
            return Ok(session);
        }
    }
}

/// A clean session takes the place of the kept one, and goes.
pub(super) async fn forget(target: &crate::scenario::Target, client_id: String) {
    let mut link = LinkOptions { client_id, clean: true, queue: 1, ..LinkOptions::default() }.link(target);
    let goodbye = async {
        connected(&mut link).await?;
        link.sender().disconnect().await;
        while !matches!(link.poll().await?, Happening::Left) {}
        Ok::<(), LinkError>(())
    };
    // A session that is left behind ends by itself.
    let _ = tokio::time::timeout(GOODBYE, goodbye).await;
}

impl State {
    /// Hands over what is due, until the pace is over and all is finished, or the run ends.
    async fn send(&self, run: &Run, sender: &Sender) {
        let mut phases = run.phases();
        loop {
            let now = run.now();
            let phase = run.phase();
            let unfinished = self.waiting.borrow().len() + self.flying.borrow().len();
            let over = phase == Phase::Draining || (phase == Phase::Sending && self.feed.borrow_mut().is_over(now));
            if phase == Phase::Ended || (over && unfinished == 0) {
                return;
            }
            let due = if phase == Phase::Sending { self.feed.borrow_mut().due(now) } else { Due::Waits };
            let wake = match due {
                Due::Now if unfinished < usize::from(self.feed.borrow().mqtt().window) => {
                    let message = self.next(run, now);
                    if let Err(error) = sender.publish(message).await {
                        run.book.borrow_mut().note_failure(&error.to_string());
                    }
                    continue;
                }
                Due::Now => {
                    self.feed.borrow_mut().hold();
                    None
                }
                Due::At(due) => Some(Instant::from_std(run.clock.get().at(due))),
                Due::Waits => None,
            };
            tokio::select! {
                () = self.moved.notified() => {}
                _ = phases.changed() => {}
                () = async {
                    match wake {
                        Some(wake) => tokio::time::sleep_until(wake).await,
                        None => std::future::pending().await,
                    }
                } => {}
            }
        }
    }

    /// The next message, noted as waiting.
    fn next(&self, run: &Run, now: f64) -> Message {
        let mut feed = self.feed.borrow_mut();
        let outgoing = feed.take(&mut run.book.borrow_mut(), now);
        feed.fill(outgoing);
        let payload = Bytes::copy_from_slice(feed.payload());
        let mqtt = feed.mqtt();
        let mut user: Vec<(String, String)> =
            mqtt.properties.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        if let Some(mark) = feed.property(outgoing) {
            user.push(("load".to_owned(), String::from_utf8_lossy(&mark).into_owned()));
        }
        let properties =
            (!user.is_empty()).then(|| PublishProperties { user_properties: user, ..PublishProperties::default() });
        let message = Message {
            topic: feed.topic(outgoing).to_owned(),
            qos: mqtt.qos as u8,
            retain: mqtt.retain,
            payload,
            properties,
        };
        self.order.set(self.order.get() + 1);
        let sent = Sent { outgoing, message: message.clone(), order: self.order.get(), taken: false };
        self.waiting.borrow_mut().push_back(sent);
        message
    }

    /// Follows the connection until the broker has closed it after DISCONNECT, or the run has ended. What was written before
    /// at QoS 0 has then been read.
    async fn poll(&self, run: &Run, link: &mut Link, sender: &Sender) {
        let mut left = false;
        loop {
            match link.poll().await {
                Ok(Happening::Left) => left = true,
                Err(_) if left => return,
                Ok(Happening::Connected { session }) => {
                    run.book.borrow_mut().tracker.totals_mut().reconnects += 1;
                    if !session {
                        self.again(run, sender).await;
                    }
                }
                Ok(happening) => self.note(run, happening),
                Err(error) => {
                    if run.phase() == Phase::Ended {
                        return;
                    }
                    let what = self.named(&error);
                    run.book.borrow_mut().event(run.now(), "connection", what);
                    self.feed.borrow_mut().hold();
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
    }

    fn named(&self, error: &LinkError) -> String {
        let feed = self.feed.borrow();
        format!("publisher {} of {}: {error}", feed.client + 1, feed.definition().name)
    }

    fn note(&self, run: &Run, happening: Happening) {
        let now = run.now();
        let stream = self.feed.borrow().stream;
        let mut book = run.book.borrow_mut();
        let mut flying = self.flying.borrow_mut();
        if let Happening::Taken(pkid, Routed::No) | Happening::Acked(pkid, Routed::No) = happening
            && flying.get(&pkid).is_some_and(|sent| !sent.taken)
        {
            book.unrouted();
        }
        match happening {
            Happening::Written(pkid) => {
                if let Some(again) = flying.get(&pkid) {
                    book.tracker.resent(again.outgoing.key, again.outgoing.seq);
                    return;
                }
                let Some(sent) = self.waiting.borrow_mut().pop_front() else { return };
                if pkid == 0 {
                    book.confirm(stream, sent.outgoing.key, sent.outgoing.seq, now, now);
                    self.finished(now);
                } else {
                    flying.insert(pkid, sent);
                }
            }
            Happening::Taken(pkid, _) => {
                if let Some(sent) = flying.get_mut(&pkid)
                    && !std::mem::replace(&mut sent.taken, true)
                {
                    book.confirm(stream, sent.outgoing.key, sent.outgoing.seq, sent.outgoing.from, now);
                }
            }
            Happening::Acked(pkid, _) => {
                if let Some(sent) = flying.remove(&pkid) {
                    if !sent.taken {
                        book.confirm(stream, sent.outgoing.key, sent.outgoing.seq, sent.outgoing.from, now);
                    }
                    self.finished(now);
                }
            }
            Happening::Refused(pkid, why) => {
                if let Some(sent) = flying.remove(&pkid) {
                    let Outgoing { key, seq, .. } = sent.outgoing;
                    book.refuse(stream, key, seq, &format!("publish refused: {why}"), now);
                    self.finished(now);
                }
            }
            _ => {}
        }
    }

    fn finished(&self, now: f64) {
        self.feed.borrow_mut().answered(now);
        self.moved.notify_one();
    }

    /// The broker forgot the session, and rumqttc what it had not finished: all of it again, in order. What the broker had
    /// taken over at QoS 2 is its own.
    async fn again(&self, run: &Run, sender: &Sender) {
        let mut all: Vec<Sent> = self.flying.borrow_mut().drain().map(|(_, sent)| sent).collect();
        all.sort_by_key(|sent| sent.order);
        all.retain(|sent| !sent.taken);
        all.extend(self.waiting.borrow_mut().drain(..));
        for sent in all {
            run.book.borrow_mut().tracker.resent(sent.outgoing.key, sent.outgoing.seq);
            let message = sent.message.clone();
            self.waiting.borrow_mut().push_back(sent);
            if let Err(error) = sender.publish(message).await {
                run.book.borrow_mut().note_failure(&error.to_string());
            }
        }
        self.moved.notify_one();
    }
}
