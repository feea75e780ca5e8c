//! Why a request failed, with the codes that flows know from Node.

use crate::dial::NetError;
use flotilla_nodes_core::io_code;
use flotilla_value::{ErrorValue, Value};

use super::wire::BARE_LINE_FEED;

/// A failed request.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(super) struct RequestError {
    /// Node's code, for example `ECONNREFUSED`.
    pub(super) code: &'static str,
    pub(super) message: String,
}

impl RequestError {
    pub(super) fn new(code: &'static str, message: impl Into<String>) -> RequestError {
        RequestError { code, message: message.into() }
    }

    /// An error on an open connection.
    pub(super) fn exchange(error: &hyper::Error) -> RequestError {
        if error.is_parse() {
            return RequestError::new("HPE_INVALID_HEADER_TOKEN", format!("Parse Error: {error}"));
        }
        if error.is_incomplete_message() {
            return RequestError::new("ECONNRESET", "socket hang up");
        }
        let io = std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::InvalidData && io.to_string() == BARE_LINE_FEED) {
            return RequestError::new("HPE_CR_EXPECTED", format!("Parse Error: {BARE_LINE_FEED}"));
        }
        let code = io.map_or("ECONNRESET", io_code);
        RequestError::new(code, format!("read {code}"))
    }

    pub(super) fn is_timeout(&self) -> bool {
        self.code == "ETIMEDOUT"
    }

    /// As a catch node sees it.
    pub(super) fn value(&self) -> Value {
        let mut value = ErrorValue::with_code(&self.message, self.code);
        value.name = "RequestError".into();
        Value::Error(std::sync::Arc::new(value))
    }
}

impl From<NetError> for RequestError {
    fn from(error: NetError) -> RequestError {
        RequestError { code: error.code, message: error.message }
    }
}
