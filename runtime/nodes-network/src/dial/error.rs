//! Why a connection failed, with the codes that flows know from Node.js.

use std::io::Error;
use std::sync::Arc;

use flotilla_nodes_core::io_code;
use flotilla_value::{ErrorValue, Value};

/// A connection that failed, or could not be made.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{message}")]
pub(crate) struct NetError {
    /// Node's code, for example `ECONNREFUSED`.
    pub(crate) code: &'static str,
    /// For people, the code among it.
    pub(crate) message: String,
}

impl NetError {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> NetError {
        NetError { code, message: message.into() }
    }

    /// An I/O error of a system call, with the address that it was about, if any: `connect ECONNREFUSED 127.0.0.1:1`.
    pub(crate) fn io(call: &str, error: &Error, address: &str) -> NetError {
        let code = io_code(error);
        let known = if code == "EIO" { error.to_string() } else { code.to_owned() };
        NetError::new(code, format!("{call} {known} {address}").trim_end())
    }

    /// As a flow sees it: an Error with a code.
    pub(crate) fn value(&self) -> Value {
        Value::Error(Arc::new(ErrorValue::with_code(&self.message, self.code)))
    }
}
