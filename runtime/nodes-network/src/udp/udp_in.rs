//! udp in: datagrams that come in on a port.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures::future::LocalBoxFuture;

use crate::intake::Intake;
use flotilla_engine::message::Msg;
use flotilla_engine::props;
use flotilla_engine::{Node, NodeCx, NodeError, Stateless};
use flotilla_nodes_core::io_code;
use flotilla_value::{Object, Value};

use super::interface::Interface;
use super::ports::{Listener, Port, Ports};
use super::socket;

/// The row in the table of node types.
pub const TYPE: Stateless = Stateless::node("udp in", build).denied_as("udp-listen");

struct UdpIn {
    cx: NodeCx,
    intake: Intake,
    port: RefCell<Option<Arc<Port>>>,
    interface: Option<Interface>,
    /// The multicast group that was joined.
    group: Option<String>,
}

fn payload(datatype: &str) -> fn(&Bytes) -> Value {
    match datatype {
        "base64" => |bytes| Value::from(STANDARD.encode(bytes)),
        "utf8" => |bytes| Value::string(String::from_utf8_lossy(bytes)),
        _ => |bytes| Value::Buffer(bytes.clone()),
    }
}

/// A field with a port; 0 when it is empty.
pub(super) fn port_field(cx: &NodeCx, name: &str) -> Result<u16, NodeError> {
    let value = props::number(cx.config(), name);
    if value.fract() == 0.0 && (0.0..=65535.0).contains(&value) {
        return Ok(value as u16);
    }
    Err(NodeError::new(format!("{name} \"{}\" is no port: it must be from 0 to 65535", cx.config().str(name))))
}

fn build(cx: NodeCx) -> Result<Rc<dyn Node>, NodeError> {
    let config = cx.config();
    let v6 = config.str("ipv") == "udp6";
    let number = port_field(&cx, "port")?;
    let interface = Interface::of(&cx, v6);
    let ports = Ports::of(&cx);
    let mut group = None;
    let port = if let Some(port) = ports.get(number).filter(|_| number != 0) {
        cx.report().log(cx.text("udp.errors.alreadyused", &[("port", &number.to_string())]));
        if let Some(interface) = &interface {
            cx.report().status(interface.label());
        }
        port
    } else {
        let bound = socket::bind(number, v6, cx.settings().share_subscriptions).map_err(|error| {
            if error.kind() == std::io::ErrorKind::PermissionDenied && number < 1024 {
                return NodeError::new(cx.text("udp.errors.access-error", &[]));
            }
            NodeError::new(cx.text("udp.errors.error", &[("error", io_code(&error))]))
        })?;
        if config.str("multicast") == "true" {
            let name = config.str("group").trim();
            let joined =
                socket::allow_broadcast(&bound, v6).and_then(|()| socket::join(&bound, name, interface.as_ref()));
            match joined {
                Ok(()) => {
                    if let Some(interface) = &interface {
                        cx.report().status(interface.label());
                    }
                    cx.report().log(cx.text("udp.status.mc-group", &[("group", name)]));
                    group = Some(name.to_owned());
                }
                Err(error) => cx.report().error(socket::multicast_error(&cx, &error), None),
            }
        }
        let address = bound.local_addr().map_err(|error| NodeError::new(error.to_string()))?;
        let host = interface.as_ref().map_or_else(|| address.ip().to_string(), |known| known.address.to_string());
        let args = [("host", host.as_str()), ("port", &address.port().to_string())];
        cx.report().log(cx.text("udp.status.listener-at", &args));
        ports.enter(address.port(), bound)
    };
    let intake = Intake::new(cx.shared(), cx.id());
    let listener = Listener { node: cx.id().clone(), intake: intake.clone(), payload: payload(config.str("datatype")) };
    port.listen(cx.shared(), listener);
    Ok(Rc::new(UdpIn { port: RefCell::new(Some(port)), intake, interface, group, cx: cx.clone() }))
}

impl Node for UdpIn {
    /// The port hands each datagram over as a message.
    fn receive(&self, msg: Msg) {
        self.cx.out().send(msg);
    }

    fn drain(&self) {
        self.intake.drain();
    }

    fn close(&self, _removed: bool) -> LocalBoxFuture<'static, ()> {
        if let Some(port) = self.port.borrow_mut().take() {
            port.leave(self.cx.id());
            if let Some(group) = &self.group {
                socket::leave(&port.socket, group, self.interface.as_ref());
            }
            self.cx.report().log(self.cx.text("udp.status.listener-stopped", &[]));
        }
        self.cx.report().status(Object::new());
        Box::pin(std::future::ready(()))
    }
}
