//! udp out: sends datagrams.

use std::cell::RefCell;
use std::net::{IpAddr, SocketAddr};
use std::rc::{Rc, Weak};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::LocalBoxFuture;

use crate::dial::NetError;
use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_nodes_core::io_code;
use flotilla_nodes_core::storage::encoding::Encoding;
use flotilla_value::{Object, Value};

use super::interface::Interface;
use super::ports::{Port, Ports};
use super::socket;
use super::udp_in::port_field;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("udp out", build);

/// To whom a node sends.
#[derive(Clone, Copy, PartialEq)]
enum Cast {
    /// One address.
    Uni,
    /// Everyone on the network.
    Broad,
    /// A group, which the node joins.
    Multi,
}

struct UdpOut {
    me: Weak<UdpOut>,
    cx: NodeCx,
    cast: Cast,
    v6: bool,
    base64: bool,
    /// The port that datagrams are sent from; 0: any.
    outport: u16,
    address: String,
    /// As the node has it: empty for `msg.port`.
    port: Value,
    interface: Option<Interface>,
    socket: RefCell<Option<Arc<Port>>>,
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let own = cx.clone();
    let config = own.config();
    let v6 = config.str("ipv") == "udp6";
    let cast = match config.str("multicast") {
        "false" => Cast::Uni,
        "multi" => Cast::Multi,
        _ => Cast::Broad,
    };
    let outport = port_field(&cx, "outport")?;
    Ok(Rc::new_cyclic(|me| UdpOut {
        me: me.clone(),
        cast,
        v6,
        base64: props::flag(config, "base64"),
        outport,
        address: config.str("addr").trim().to_owned(),
        port: props::value(config, "port"),
        interface: Interface::of(&cx, v6),
        socket: RefCell::default(),
        cx,
    }))
}

impl UdpOut {
    fn log(&self, key: &str) {
        let (outport, port) = (self.outport.to_string(), self.port.to_text());
        let iface = self.interface.as_ref().map(|interface| interface.address.to_string()).unwrap_or_default();
        let args = [("outport", outport.as_str()), ("host", &self.address), ("port", &port), ("iface", &iface)];
        self.cx.report().log(self.cx.text(key, &args));
    }

    fn open(&self) -> Result<Arc<Port>, std::io::Error> {
        let ports = Ports::of(&self.cx);
        let number = if self.outport != 0 { f64::from(self.outport) } else { self.port.to_number() };
        let number = if (1.0..=65535.0).contains(&number) { number as u16 } else { 0 };
        if let Some(port) = ports.get(number).filter(|_| number != 0) {
            if self.cast != Cast::Uni {
                socket::allow_broadcast(&port.socket, self.v6)?;
            }
            self.log("udp.status.re-use");
            self.show_interface();
            return Ok(port);
        }
        let bound = socket::bind(self.outport, self.v6, self.cx.settings().share_subscriptions && self.outport != 0)?;
        match self.cast {
            Cast::Uni if self.outport == 0 => self.log("udp.status.ready-nolocal"),
            Cast::Uni => self.log("udp.status.ready"),
            Cast::Broad => {
                socket::allow_broadcast(&bound, self.v6)?;
                self.log("udp.status.bc-ready");
            }
            Cast::Multi => {
                socket::allow_broadcast(&bound, self.v6)?;
                match socket::join(&bound, &self.address, self.interface.as_ref()) {
                    Ok(()) => {
                        self.show_interface();
                        self.log("udp.status.mc-ready");
                    }
                    Err(error) => self.cx.report().error(socket::multicast_error(&self.cx, &error), None),
                }
            }
        }
        Ok(if self.outport == 0 { Arc::new(Port::of(bound)) } else { ports.enter(self.outport, bound) })
    }

    fn show_interface(&self) {
        if let Some(interface) = &self.interface {
            self.cx.report().status(interface.label());
        }
    }

    fn bytes(&self, payload: &Value) -> Result<Bytes, &'static str> {
        match (payload, self.base64) {
            (Value::Buffer(bytes), _) => Ok(bytes.clone()),
            (Value::String(text), true) => Ok(Encoding::Base64.encode(text).into()),
            (_, true) => Err("the payload must be text with base64 digits, or a buffer"),
            (other, false) => Ok(Bytes::copy_from_slice(other.to_text().as_bytes())),
        }
    }

    /// Where a message goes, or the key of the warning.
    fn destination(&self, msg: &Msg) -> Result<(String, u16), &'static str> {
        let host = if self.address.is_empty() { msg.get("ip") } else { Value::from(self.address.as_str()) };
        if !host.truthy() {
            return Err("udp.errors.ip-notset");
        }
        let port = if self.port.truthy() { self.port.clone() } else { msg.get("port") };
        if !port.truthy() {
            return Err("udp.errors.port-notset");
        }
        let number = port.to_number();
        if !(1.0..=65535.0).contains(&number) {
            return Err("udp.errors.port-invalid");
        }
        Ok((host.to_text().to_string(), number as u16))
    }

    async fn send(&self, host: String, number: u16, bytes: Bytes) -> Result<(), NetError> {
        let port = self.socket.borrow().clone();
        let port = port.ok_or_else(|| NetError::new("ERR_SOCKET_DGRAM_NOT_RUNNING", "Not running"))?;
        let address = match host.parse::<IpAddr>() {
            Ok(ip) => SocketAddr::new(ip, number),
            Err(_) => {
                let not_found = || NetError::new("ENOTFOUND", format!("getaddrinfo ENOTFOUND {host}"));
                let mut found = tokio::net::lookup_host((host.as_str(), number)).await.map_err(|_| not_found())?;
                found.find(|address| address.is_ipv6() == self.v6).ok_or_else(not_found)?
            }
        };
        let sent = port.socket.send_to(&bytes, address).await;
        sent.map(drop).map_err(|error| NetError::io("send", &error, &address.to_string()))
    }
}

impl Node for UdpOut {
    fn receive(&self, msg: Msg) {
        let Some(payload) = msg.get_ref("payload") else { return };
        let (host, port) = match self.destination(&msg) {
            Ok(destination) => destination,
            Err(key) => {
                self.cx.report().warn(self.cx.text(key, &[]));
                return self.cx.report().done(&msg);
            }
        };
        let bytes = match self.bytes(payload) {
            Ok(bytes) => bytes,
            Err(text) => return self.cx.report().error(text, Some(&msg)),
        };
        let Some(node) = self.me.upgrade() else { return };
        self.cx.work().spawn(async move {
            if let Err(error) = node.send(host, port, bytes).await {
                node.cx.report().error(format!("udp : Error: {error}"), Some(&msg));
            }
            node.cx.report().done(&msg);
        });
    }

    /// The udp in nodes of the deploy have their ports by now, on other workers too.
    fn start(&self) {
        match self.open() {
            Ok(port) => *self.socket.borrow_mut() = Some(port),
            Err(error) => {
                let text = self.cx.text("udp.errors.error", &[("error", io_code(&error))]);
                self.cx.report().error(text, None);
            }
        }
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        if let Some(port) = self.socket.borrow_mut().take() {
            if self.cast == Cast::Multi {
                socket::leave(&port.socket, &self.address, self.interface.as_ref());
            }
            self.cx.report().log(self.cx.text("udp.status.output-stopped", &[]));
        }
        self.cx.report().status(Object::new());
        Box::pin(std::future::ready(()))
    }
}
