//! One connection: what comes is decoded and handed on, what goes is gathered and written at once.

use std::future::Future as _;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, BytesMut};
use flotilla_codec::client::{self as codec, Incoming};
use flotilla_codec::{AckKind, QoS, Version, packet_len};
use flotilla_engine::OneMoment;
use tokio::io::AsyncWrite;
use tokio_util::io::poll_read_buf;

use super::client::{Client, ClientEvents, Role, State};
use super::end::End;
use super::leaving::GOODBYE;
use super::line::Wire;
use super::message::Publish;
use super::outbox;
use super::owed::Owed;
use super::pace::Pace;
use super::ticket::Verdict;

/// The largest packet that is taken: what the protocol allows.
pub(super) const PACKET_LIMIT: usize = (256 << 20) + 4;
/// Bytes read at once.
pub(super) const READ: usize = 64 << 10;
/// With no more than this many published and not yet acknowledged, an acknowledgement is read at once: the publishers
/// may be waiting for it.
const SHALLOW: usize = 32;
/// While as much is open as may be, half of it ending wakes the task at once; when less has ended, it looks after this time.
/// Deliveries that stay open for long must not keep the others out.
const RECHECK: Duration = Duration::from_millis(10);
/// How long a late PINGRESP gets to be read.
const LATE: Duration = Duration::from_millis(100);
/// Deliveries that begin or end with so many packets in a row are timed by one look at the clock: some 0.1 ms.
const MOMENT: usize = 64;
/// A packet with more bytes takes so long that those behind it have a moment of their own.
const LARGE: usize = 4096;
/// The timer's longest sleep.
const IDLE: Duration = Duration::from_secs(3600);

/// An open connection after its CONNACK.
pub(super) struct Connection {
    pub(super) client: Arc<Client>,
    pub(super) events: Arc<dyn ClientEvents>,
    pub(super) stream: Wire,
    pub(super) version: Version,
    pub(super) input: BytesMut,
    pub(super) out: BytesMut,
    /// How much of `out` are acknowledgements.
    pub(super) owed: Owed,
    pub(super) keep_alive: Duration,
    /// The session outlives the connection.
    pub(super) persistent: bool,
    /// The session is ours to end when we leave.
    pub(super) end_session: bool,
    /// Subscription identifiers may be used.
    pub(super) ids: bool,
    pub(super) announced: bool,
    pub(super) sent: Instant,
    /// When a PINGREQ went out that has no answer yet.
    pub(super) pinged: Option<Instant>,
    /// The answer is late, and it was not looked since whether it has come: the worker was busy.
    pub(super) overdue: bool,
    /// PINGRESPs so far.
    pub(super) answered: u64,
    /// The PINGRESP that `quiet` waits for, counted from 1.
    pub(super) quiet_after: u64,
    /// While draining: a PINGREQ went out behind the last acknowledgement and nothing came since.
    pub(super) quiet: Option<bool>,
    pub(super) goodbye: Option<Instant>,
    /// Bytes that the next packet needs.
    pub(super) need: usize,
    /// Whole packets may wait in `input`: as much was open as may be.
    pub(super) held: bool,
    pub(super) pace: Pace,
}

impl Connection {
    /// Serves the connection until it ends.
    pub(super) async fn run(mut self) -> End {
        let client = self.client.clone();
        let mut timer = pin!(tokio::time::sleep(IDLE));
        let guard = client.guard();
        loop {
            if let Some(guard) = &guard
                && !guard.is_current()
                && !guard.until_current().await
            {
                return self.leave(End::Yielded).await;
            }
            match self.take_input() {
                Err(end) => return end,
                // The nodes run now; what they finish and publish goes out in one write below.
                Ok(true) => tokio::task::yield_now().await,
                Ok(false) => {}
            }
            self.gather();
            if let Some(end) = self.check() {
                return self.leave(end).await;
            }
            let now = Instant::now();
            let deep = client.role != Role::Publish || client.outbox.in_flight() > SHALLOW;
            self.pace.decoded(now, deep && !client.closing() && !client.is_draining());
            let waits = self.pace.waits(now);
            let next = match self.tick() {
                Ok(next) => next,
                Err(end) => return end,
            };
            let next = waits.map_or(next, |until| next.min(until));
            let (paused, choked) = (self.reads_nothing(), self.owed.is_much(self.out.len()));
            // Who does not read does not hear of the end either.
            if paused && let Some(end) = self.ended_unread().await {
                return end;
            }
            let next = if paused { next.min(now + RECHECK) } else { next };
            if timer.is_elapsed() || timer.deadline().into_std() > next {
                timer.as_mut().reset(next.into());
            }
            if paused {
                self.events.progress(&client);
            }
            let mut wake = pin!(client.wake.notified());
            let moved = std::future::poll_fn(|cx| {
                // All are polled: each has to know whom to wake.
                let wrote = self.try_write(cx);
                // Nothing is read behind packets that wait, or `input` would grow with what the broker has to send.
                let read = if paused || choked || self.held || waits.is_some() { Ok(None) } else { self.try_read(cx) };
                let eased = choked && !self.owed.is_much(self.out.len());
                let held = self.held && !paused && !choked;
                let woken = held | eased | wake.as_mut().poll(cx).is_ready() | timer.as_mut().poll(cx).is_ready();
                match (wrote, read) {
                    (Err(error), _) | (_, Err(error)) => Poll::Ready(Err(error)),
                    (Ok(false), Ok(None)) if !woken => Poll::Pending,
                    (_, Ok(Some(0))) => Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                    _ => Poll::Ready(Ok(())),
                }
            });
            if let Err(error) = moved.await {
                return match error.kind() {
                    _ if client.closing() => End::Closed,
                    io::ErrorKind::UnexpectedEof => End::lost("closed by the broker"),
                    _ => End::lost(error),
                };
            }
        }
    }

    /// Encodes everything that may go out now.
    fn gather(&mut self) {
        let client = &self.client;
        let before = self.out.len();
        client.inbox.write_acks(&mut self.out);
        self.owed.add(self.out.len() - before);
        client.subscriptions.fill(&mut self.out, self.version, self.ids);
        if client.role == Role::Both || self.events.may_publish() {
            let mut ended = Vec::new();
            client.outbox.fill(&mut self.out, self.version, &mut ended);
            for (receipt, result) in ended {
                self.events.published(receipt, result);
            }
        }
        if !self.announced && client.subscriptions.subscribed() {
            self.announced = true;
            client.set_state(&self.events, State::Connected, None);
        }
    }

    /// Writes what there is. True when it was written whole just now, so that more may be gathered.
    fn try_write(&mut self, cx: &mut Context<'_>) -> io::Result<bool> {
        let mut wrote = false;
        while !self.out.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.out) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(n)) => {
                    self.out.advance(n);
                    self.owed.wrote(self.out.len());
                }
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => return Ok(false),
            }
            wrote = true;
        }
        if wrote {
            self.sent = Instant::now();
        }
        match Pin::new(&mut self.stream).poll_flush(cx) {
            Poll::Ready(Err(error)) => Err(error),
            _ => Ok(wrote && self.client.outbox.waiting()),
        }
    }

    pub(super) fn try_read(&mut self, cx: &mut Context<'_>) -> io::Result<Option<usize>> {
        self.input.reserve(self.need.saturating_sub(self.input.len()).clamp(READ / 2, 4 * READ));
        match poll_read_buf(Pin::new(&mut self.stream), cx, &mut self.input) {
            Poll::Ready(read) => read.map(Some),
            Poll::Pending => Ok(None),
        }
    }

    /// Decodes what was read. True when there were messages.
    fn take_input(&mut self) -> Result<bool, End> {
        let mut messages = false;
        self.held = false;
        let (moment, mut decoded) = (OneMoment::begin(), 0_usize);
        while self.input.len() >= self.need.max(2) {
            if self.reads_nothing() || self.owed.is_much(self.out.len()) {
                self.held = true;
                break;
            }
            let length = packet_len(&self.input, PACKET_LIMIT).map_err(End::lost)?;
            let Some((header, size)) = length.filter(|(_, size)| self.input.len() >= *size) else {
                self.need = length.map_or(self.input.len() + 1, |(_, size)| size);
                break;
            };
            let packet = codec::decode_borrowed(&self.input[..size], header, self.version).map_err(End::lost)?;
            let packet = packet.map(Publish::from);
            self.input.advance(size);
            self.need = 0;
            self.pace.packet();
            decoded += 1;
            messages |= matches!(packet, Incoming::Publish(_));
            let before = self.out.len();
            self.packet(packet)?;
            self.owed.add(self.out.len() - before);
            // A large one takes its time.
            if size > LARGE || decoded.is_multiple_of(MOMENT) {
                moment.renew();
            }
        }
        Ok(messages)
    }

    /// Reading waits: as much is open as may be, or nothing more is to be taken. One that publishes as well reads on while the
    /// server owes it answers, since what is open may wait for them.
    fn reads_nothing(&self) -> bool {
        let client = &self.client;
        match client.role {
            Role::Consume | Role::Adopt => client.is_holding() || client.inbox.full(),
            Role::Both => client.inbox.full() && client.outbox.len() == 0,
            // It is subscribed to nothing, and what comes all the same is acknowledged at once.
            Role::Publish => false,
        }
    }

    fn packet(&mut self, packet: Incoming<Publish>) -> Result<(), End> {
        let client = &self.client;
        match packet {
            Incoming::Publish(publish) => self.publish(publish)?,
            Incoming::Ack(ack, _) if ack.kind == AckKind::PubRel => {
                client.inbox.release(ack.pkid);
                outbox::acknowledge(&mut self.out, AckKind::PubComp, ack.pkid);
            }
            Incoming::Ack(ack, text) => {
                if let Some((receipt, result)) = client.outbox.ack(ack, &text, &mut self.out) {
                    self.events.published(receipt, result);
                }
            }
            Incoming::SubAck(ack) | Incoming::UnsubAck(ack) => {
                if let Some((filter, code)) = client.subscriptions.answered(&ack) {
                    self.events.refused(client, &filter, code);
                }
                self.events.progress(client);
            }
            Incoming::PingResp => {
                (self.pinged, self.overdue) = (None, false);
                self.answered += 1;
                if self.answered < self.quiet_after {
                    // The watchdog's, from before our own.
                    return Ok(());
                }
                if self.quiet.take() == Some(true) && client.inbox.settled() && client.inbox.open() == 0 {
                    // The server has answered behind our last acknowledgement and sent nothing before that.
                    client.drained();
                }
            }
            Incoming::Disconnect { reason: 0x8e, .. } => return Err(End::Taken),
            // What the flow has taken and not finished was given to others: see `close_outputs` of Flotilla's broker.
            Incoming::Disconnect { reason: 0x98, .. } if client.role == Role::Publish => {
                self.events.superseded(client);
                return Err(End::lost("what this replica had taken was given to others"));
            }
            Incoming::Disconnect { reason, text } => {
                return Err(End::Lost(format!("closed by the broker: reason {reason:#04x} {text}")));
            }
            Incoming::ConnAck(_) | Incoming::Auth => return Err(End::lost("the broker sent a packet out of place")),
        }
        Ok(())
    }

    fn publish(&mut self, publish: Publish) -> Result<(), End> {
        let client = &self.client;
        self.quiet = self.quiet.map(|_| false);
        if client.role == Role::Both && publish.qos == QoS::AtMostOnce && client.inbox.full() {
            self.events.overflow(client);
            return Ok(());
        }
        // The ticket keeps it to run it again: one copy for both.
        let publish = Arc::new(publish);
        if let Some(ticket) = client.inbox.arrive(&publish, self.events.policy()).map_err(End::lost)? {
            client.received.fetch_add(1, Ordering::Relaxed);
            self.events.message(client, publish, ticket);
        }
        Ok(())
    }

    /// Whether it is time to go.
    fn check(&mut self) -> Option<End> {
        let client = &self.client;
        if client.closing() {
            let now = Instant::now();
            let until = *self.goodbye.get_or_insert(now + GOODBYE);
            return (client.outbox.len() == 0 || now >= until).then_some(End::Closed);
        }
        if client.is_holding() {
            // What was not acknowledged here stays in the session.
            return (client.inbox.open() == 0 && client.inbox.settled()).then(|| {
                client.drained();
                End::Closed
            });
        }
        if client.is_draining() && self.quiet.is_none() && client.inbox.open() == 0 && client.subscriptions.settled() {
            if client.has_drained() {
                return (client.role == Role::Adopt).then_some(End::Closed);
            }
            self.quiet = Some(true);
            self.quiet_after = self.stream.ask(&mut self.out);
        }
        if client.takes_again() {
            return Some(End::Recycle);
        }
        let abandoned = client.inbox.abandoned();
        if abandoned > 0 && client.is_ending() && client.inbox.open() == 0 && client.inbox.settled() {
            // What was abandoned goes back with the connection; another one would get it again, and drain once more.
            client.drained();
            return Some(End::Closed);
        }
        let starved = abandoned * 2 >= client.options().max_in_flight;
        (abandoned > 0 && (starved || (self.persistent && client.inbox.settled()))).then_some(End::Recycle)
    }

    /// Runs again what is due, keeps the connection alive. When to look again, or that the server is gone.
    fn tick(&mut self) -> Result<Instant, End> {
        let now = Instant::now();
        if self.client.is_ending() {
            // Whoever gets them next runs them: a drain does not wait for the delay of a retry. It does for what nobody gets.
            self.client.inbox.take_waiting(false).into_iter().for_each(|rerun| rerun.ticket.settle(Verdict::Never));
        }
        let (due, later) = self.client.inbox.due(now);
        for rerun in due {
            match rerun.failure {
                None => self.events.message(&self.client, rerun.publish, rerun.ticket),
                Some(failure) => self.events.dead_letter(&self.client, &rerun.publish, failure, rerun.ticket),
            }
        }
        let mut next = later.unwrap_or(now + IDLE).min(self.goodbye.unwrap_or(now + IDLE));
        let given_up = self.owed.until(now, self.out.len());
        if let Some(until) = given_up {
            if now >= until {
                return Err(End::lost("the broker sends and does not read: it has taken no acknowledgement for 60 s"));
            }
            next = next.min(until);
        }
        if !self.keep_alive.is_zero() {
            let paused = given_up.is_some() || self.reads_nothing();
            let patience = self.keep_alive.max(Duration::from_secs(1));
            if paused {
                // An answer cannot be seen while reading waits.
                self.pinged = None;
            } else if self.pinged.is_some_and(|pinged| now >= pinged + patience) {
                if self.overdue {
                    return Err(End::lost("no answer to PINGREQ within the keep alive time"));
                }
                // It may have come while the worker was busy: once more, after what is there was read.
                self.overdue = true;
                return Ok(now + LATE);
            }
            // A little before the server would be entitled to close.
            let due = self.sent + self.keep_alive.mul_f64(0.9);
            if now >= due {
                self.stream.ask(&mut self.out);
                self.sent = now;
                self.pinged.get_or_insert(now);
            }
            next = next.min(self.sent + self.keep_alive.mul_f64(0.9));
            next = self.pinged.map_or(next, |pinged| next.min(pinged + patience));
        }
        Ok(next)
    }
}
