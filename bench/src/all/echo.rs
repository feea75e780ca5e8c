//! The bare limit of the MQTT path: a process that sends back what comes, on our codec, and does nothing else.

use std::io::Write;
use std::net::{SocketAddr, TcpStream};

use anyhow::ensure;
use bytes::BytesMut;
use clap::Args;
use flotilla_codec::{AckKind, PublishOut, QoS, RetainHandling, SubRequest, Subscribe, Version, Why, ack, publish};

use crate::load::wire::{Reader, connect};

/// What the echo takes.
#[derive(Args)]
pub struct EchoArgs {
    /// The broker
    broker: SocketAddr,
    /// Where messages come
    input: String,
    /// Where they go
    output: String,
}

/// Until the connection ends: acknowledges and publishes at QoS 1, a batch at once.
pub fn run(args: &EchoArgs) -> anyhow::Result<()> {
    let mut stream = TcpStream::connect(args.broker)?;
    stream.set_nodelay(true)?;
    stream.write_all(&connect("bench-echo"))?;
    let mut reader = Reader::new(stream.try_clone()?);
    let answer = reader.read()?;
    ensure!(answer.first == 0x20 && answer.body.get(1) == Some(&0), "the broker refused the connection");
    let mut out = BytesMut::new();
    let filter = SubRequest {
        filter: args.input.clone(),
        qos: QoS::AtLeastOnce,
        no_local: false,
        retain_as_published: false,
        retain_handling: RetainHandling::Always,
    };
    let wanted = Subscribe { pkid: 1, id: None, user: Vec::new(), filters: vec![filter] };
    flotilla_codec::client::subscribe(&mut out, Version::V4, &wanted);
    let mut next = 0u16;
    loop {
        if !reader.has_packet() && !out.is_empty() {
            stream.write_all(&out)?;
            out.clear();
        }
        let packet = reader.read()?;
        if packet.first & 0xf0 != 0x30 {
            continue;
        }
        let Some((topic, id)) = packet
            .body
            .first_chunk::<2>()
            .map(|length| usize::from(u16::from_be_bytes(*length)))
            .and_then(|length| Some((length, packet.body.get(2 + length..4 + length)?)))
        else {
            continue;
        };
        let id = u16::from_be_bytes([id[0], id[1]]);
        ack(&mut out, Version::V4, AckKind::PubAck, id, Why::SUCCESS);
        next = next % 65_000 + 1;
        let payload = &packet.body[4 + topic..];
        let message =
            PublishOut { qos: QoS::AtLeastOnce, pkid: next, ..PublishOut::new(args.output.as_bytes(), payload) };
        publish(&mut out, Version::V4, &message);
    }
}
