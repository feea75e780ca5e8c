//! Why a request to the admin API failed.

use crate::problem::Problem;

/// Why a request to the admin API failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nothing listens there.
    #[error("nothing answers at {address}")]
    Unreachable {
        /// The address.
        address: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// The connection ended before the answer.
    #[error("the connection to {address} ended before the answer")]
    Lost {
        /// The address.
        address: String,
        /// What went wrong.
        source: hyper::Error,
    },
    /// No answer in time.
    #[error("{address} did not answer within {seconds} s")]
    TimedOut {
        /// The address.
        address: String,
        /// How long it had.
        seconds: u64,
    },
    /// What answers is something else.
    #[error("{address} does not answer like Flotilla's admin API: {reason}")]
    Foreign {
        /// The address.
        address: String,
        /// What does not fit.
        reason: String,
    },
    /// A request cannot be sent as it is.
    #[error("{field} cannot be sent: {reason}")]
    BadRequest {
        /// The field at fault.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The admin API refused.
    #[error(transparent)]
    Refused(#[from] Problem),
}

impl ClientError {
    /// The refusal, when it is one.
    pub fn problem(&self) -> Option<&Problem> {
        match self {
            ClientError::Refused(problem) => Some(problem),
            _ => None,
        }
    }
}
