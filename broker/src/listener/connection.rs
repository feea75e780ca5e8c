//! One connection: reads, hands packets to the router, writes what the router answers.

use std::{collections::VecDeque, io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf},
    time::{Instant, Sleep, sleep_until, timeout},
};
use tracing::debug;

use super::{
    Shared, accept,
    handshake::{self, Open},
    inbound::{Inbound, Refusal},
    pause::Pause,
};
use crate::{link::Link, router::Blocked};
use flotilla_codec::{Packet, Reason};

/// Serves one connection to its end. Ends when the peer closes, breaks the protocol or is silent
/// for one and a half keep alives, and when the router closes its link. What it was answered
/// before that is still written: who closes only his own side may go on reading.
pub(super) async fn run<S>(mut stream: S, peer: SocketAddr, shared: Shared)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let mut buffer = BytesMut::new();
    let Some(open) = handshake::open(&mut stream, &mut buffer, peer, &shared).await else { return };
    let (session, epoch) = (open.accepted.session, open.accepted.epoch);
    let (reader, writer) = tokio::io::split(stream);
    let router = Arc::clone(&shared.router);
    let mut connection = Connection::new(reader, writer, buffer, open, shared);
    // A panic ends this connection as a broken line does: its session must not seem connected.
    let served = accept::task(peer).supervise(connection.serve()).await;
    // Others need not wait for its last bytes.
    {
        let mut router = router.lock();
        router.begin();
        router.disconnected(session, epoch);
        router.flush();
    }
    if served.is_ok() {
        connection.finish().await;
    }
}

struct Connection<S> {
    reader: ReadHalf<S>,
    writer: WriteHalf<S>,
    inbound: Inbound,
    /// Taken from the link, being written.
    outgoing: BytesMut,
    /// TLS and WebSocket keep written bytes back until they are flushed.
    unflushed: bool,
    link: Arc<Link>,
    open: Open,
    shared: Shared,
    pause: Option<Pause>,
    /// Last time that bytes came, or went out while answers piled up.
    last_active: Instant,
    /// The keep alive ran out once, and nothing was read since.
    silent: bool,
    /// As many answers waited as may, at the last step.
    choked: bool,
}

/// After a close is decided, what waits must be taken by the peer in this time.
const CLOSING: Duration = Duration::from_secs(2);
/// A client for which as many answers wait as may, and that takes none of them, is given up after this time, whatever its keep alive.
pub(super) const STALLED: Duration = Duration::from_secs(60);
/// Buffers larger than this are given back once they are empty.
const SPARE: usize = 64 << 10;

impl<S: AsyncRead + AsyncWrite + Unpin> Connection<S> {
    fn new(reader: ReadHalf<S>, writer: WriteHalf<S>, buffer: BytesMut, open: Open, shared: Shared) -> Self {
        let config = &shared.config;
        Self {
            reader,
            writer,
            inbound: Inbound::new(buffer, open.version, config.max_packet, config.topic_alias_max),
            outgoing: BytesMut::new(),
            unflushed: false,
            link: Arc::clone(&open.link),
            open,
            shared,
            pause: None,
            last_active: Instant::now(),
            silent: false,
            choked: false,
        }
    }

    async fn serve(&mut self) {
        // Packets may have come together with the CONNECT.
        self.take_in(0);
        let mut silence = Box::pin(sleep_until(self.deadline(false)));
        loop {
            if let Some(close) = self.link.take(&mut self.outgoing) {
                debug!(reason = ?close.reason, "connection closed");
                return;
            }
            if !self.step(silence.as_mut()).await {
                return;
            }
        }
    }

    /// Waits for one thing to happen and does it. False when the connection is over.
    async fn step(&mut self, mut silence: std::pin::Pin<&mut Sleep>) -> bool {
        let choked = self.link.is_choked();
        if choked && !std::mem::replace(&mut self.choked, choked) {
            // It has its time from now: it may have had nothing to send for long.
            self.last_active = Instant::now();
            self.silent = false;
        }
        self.choked = choked;
        let reading = !choked
            && !self.link.waits_for_disk()
            && match &self.pause {
                None => true,
                // What it acknowledges may be what makes room.
                Some(Pause::Group { .. }) => self.inbound.has_room(),
                Some(Pause::Subscriber { .. }) => false,
            };
        if reading {
            self.inbound.reserve();
        }
        if choked && !self.silent && self.deadline(true) < silence.deadline() {
            silence.as_mut().reset(self.deadline(true));
        }
        let (paused, writing) = (self.pause.is_some(), !self.outgoing.is_empty());
        tokio::select! {
            read = self.reader.read_buf(&mut self.inbound.buffer), if reading => match read {
                Ok(0) | Err(_) => return false,
                Ok(count) => {
                    self.last_active = Instant::now();
                    self.silent = false;
                    self.take_in(count);
                }
            },
            written = write(&mut self.writer, &self.outgoing), if writing || self.unflushed => match written {
                Ok(Written::Flushed) => self.unflushed = false,
                Ok(Written::Bytes(0)) | Err(_) => return false,
                Ok(Written::Bytes(count)) => {
                    self.unflushed = true;
                    if choked {
                        self.last_active = Instant::now();
                        self.silent = false;
                    }
                    self.wrote(count);
                }
            },
            // While it writes, too: a peer that takes nothing is to be closed all the same.
            () = self.link.wake.notified() => {}
            () = wait(self.pause.as_ref()), if paused => self.resume(),
            () = silence.as_mut() => {
                let deadline = self.deadline(choked);
                if (reading || choked) && deadline <= Instant::now() {
                    // After a pause of this process, what came in time waits to be read.
                    if std::mem::replace(&mut self.silent, true) {
                        self.end_silence(choked);
                    }
                }
                // While it is paused, its pings are not read: count from now.
                silence.as_mut().reset(deadline.max(Instant::now() + Duration::from_millis(500)));
            }
        }
        true
    }

    /// `choked`: as many answers wait as may.
    fn deadline(&self, choked: bool) -> Instant {
        // [MQTT-3.1.2-22]: one and a half times the keep alive.
        let silence = Duration::from_millis(u64::from(self.open.accepted.keep_alive) * 1500);
        match (silence.is_zero(), choked) {
            // Only to look whether much waits for it meanwhile: one that sends nothing is not woken by that.
            (true, false) => Instant::now() + STALLED,
            (false, false) => self.last_active + silence,
            // Its pings are not read meanwhile: what counts is what it takes.
            (_, true) => self.last_active + STALLED,
        }
    }

    fn take_in(&mut self, count: usize) {
        let decoded = self.inbound.decode(count);
        self.handle(false);
        if let Err(Refusal(reason)) = decoded {
            self.fail(reason);
        }
    }

    /// Hands the batch to the router under one lock. Behind a publish that a full share group holds
    /// up, only what does not depend on it goes on.
    fn handle(&mut self, retry: bool) {
        if self.inbound.packets.is_empty() {
            return;
        }
        let (session, epoch) = (self.open.accepted.session, self.open.accepted.epoch);
        let mut router = self.shared.router.lock();
        router.begin();
        let mut blocked = !retry && self.pause.is_some();
        let mut waiting = VecDeque::new();
        while let Some(packet) = self.inbound.packets.pop_front() {
            if blocked && !overtakes(&packet) {
                waiting.push_back(packet);
            } else if let Err(Blocked(publish)) = router.handle(session, epoch, packet) {
                blocked = true;
                waiting.push_back(Packet::Publish(publish));
            }
        }
        self.inbound.hold(waiting);
        router.flush();
        let pressed = router.take_pressed();
        if blocked {
            self.pause = Some(Pause::for_group(router.space()));
        } else if let Some(link) = pressed.filter(|link| !Arc::ptr_eq(link, &self.link)) {
            let patience = Duration::from_millis(self.shared.config.publisher_patience_ms);
            self.pause = Pause::for_subscriber(link, patience);
        }
    }

    fn resume(&mut self) {
        if self.pause.as_mut().is_some_and(Pause::is_over) {
            self.pause = None;
            self.last_active = Instant::now();
            self.handle(true);
        }
    }

    fn wrote(&mut self, count: usize) {
        self.outgoing.advance(count);
        if !self.outgoing.is_empty() {
            return;
        }
        if self.outgoing.capacity() > SPARE {
            self.outgoing = BytesMut::new();
        } else {
            self.outgoing.clear();
        }
        if self.link.written() {
            let mut router = self.shared.router.lock();
            router.begin();
            router.writable(self.open.accepted.session, self.open.accepted.epoch);
            router.flush();
        }
    }

    fn fail(&self, reason: Reason) {
        let mut router = self.shared.router.lock();
        router.begin();
        router.fail(self.open.accepted.session, self.open.accepted.epoch, reason);
        router.flush();
    }

    /// Ends the connection: nothing came for too long, or nothing was taken of as many answers as may wait.
    fn end_silence(&self, choked: bool) {
        if !choked {
            debug!(seconds = self.open.accepted.keep_alive, "keep alive ran out");
            return self.fail(Reason::KeepAliveTimeout);
        }
        let mut router = self.shared.router.lock();
        router.begin();
        router.give_up(self.open.accepted.session, self.open.accepted.epoch);
        router.flush();
    }

    /// Writes what is left, DISCONNECT included, and closes.
    async fn finish(mut self) {
        let last = async {
            self.link.take(&mut self.outgoing);
            while !self.outgoing.is_empty() {
                self.writer.write_all(&self.outgoing).await?;
                self.outgoing.clear();
                self.link.take(&mut self.outgoing);
            }
            self.writer.shutdown().await?;
            // Until the peer closes, too: unread bytes at a close would reset the connection, and the
            // reason in DISCONNECT would be lost with it.
            loop {
                self.inbound.buffer.clear();
                self.inbound.reserve();
                if self.reader.read_buf(&mut self.inbound.buffer).await? == 0 {
                    return io::Result::Ok(());
                }
            }
        };
        // A peer that does not take it is cut off all the same.
        let _ = timeout(CLOSING, last).await;
    }
}

enum Written {
    Bytes(usize),
    Flushed,
}

/// Writes what there is, or flushes when there is nothing. May be broken off at any time.
async fn write<S: AsyncWrite + Unpin>(writer: &mut S, bytes: &[u8]) -> io::Result<Written> {
    if bytes.is_empty() {
        return writer.flush().await.map(|()| Written::Flushed);
    }
    writer.write(bytes).await.map(Written::Bytes)
}

/// What may go on while a publish before it waits: acknowledgements and pings concern other
/// packets, and who disconnects gives up what is not acknowledged.
fn overtakes(packet: &Packet) -> bool {
    matches!(packet, Packet::Ack(_) | Packet::PingReq | Packet::Disconnect(_))
}

async fn wait(pause: Option<&Pause>) {
    match pause {
        Some(pause) => pause.wait().await,
        None => std::future::pending().await,
    }
}
