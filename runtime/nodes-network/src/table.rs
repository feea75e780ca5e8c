//! The node types of this crate.

use flotilla_engine::Stateless;

use super::{http_in, http_proxy, http_request, http_response, mqtt, project, tcp, tls_config, udp, websocket};

/// The node types of the category network.
pub static TYPES: &[Stateless] = &[
    http_in::TYPE,
    http_proxy::TYPE,
    http_request::TYPE,
    http_response::TYPE,
    tcp::IN,
    tcp::OUT,
    tcp::REQUEST,
    tls_config::TYPE,
    mqtt::BROKER,
    mqtt::IN,
    mqtt::OUT,
    project::BROKER,
    project::CALL,
    project::IN,
    project::OUT,
    udp::IN,
    udp::OUT,
    websocket::CLIENT,
    websocket::IN,
    websocket::LISTENER,
    websocket::OUT,
];
