//! What is refused, and how the server behind hears of it.

use http::{HeaderMap, StatusCode};

/// The header that stands for a refused request; a client that sends it is refused.
pub(crate) const MARK: &str = "flotilla-refused";

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The status of the answer.
    pub status: StatusCode,
    /// Why, for people; without line ends.
    pub why: &'static str,
}

impl Refusal {
    pub(crate) const fn bad(why: &'static str) -> Refusal {
        Refusal { status: StatusCode::BAD_REQUEST, why }
    }

    pub(crate) const fn with(status: StatusCode, why: &'static str) -> Refusal {
        Refusal { status, why }
    }

    /// The request that takes the place of the refused one. hyper reads it in its turn, so that answers to requests before
    /// it still come first.
    pub(crate) fn in_its_place(self) -> String {
        let (status, why) = (self.status.as_u16(), self.why);
        format!("GET / HTTP/1.1\r\nhost: refused\r\nconnection: close\r\n{MARK}: {status} {why}\r\n\r\n")
    }
}

/// The refusal that stands in the place of a request: status and reason. Every request that came over
/// [`crate::Checked`] has to be asked first.
pub fn refusal(headers: &HeaderMap) -> Option<(StatusCode, &str)> {
    let (status, why) = headers.get(MARK)?.to_str().ok()?.split_once(' ')?;
    Some((StatusCode::from_bytes(status.as_bytes()).ok()?, why))
}
