//! Where a request's head ends.

use http::StatusCode;

use super::head::LARGEST;
use super::refusal::Refusal;

/// The length of the head that these bytes begin with, its empty line included; `None` when it goes on. Its first `seen` bytes were
/// looked at before. Every line ends with CRLF, and no CR or LF stands alone.
pub(crate) fn end_of_head(bytes: &[u8], seen: usize) -> Result<Option<usize>, Refusal> {
    let mut end = None;
    for at in memchr::memchr2_iter(b'\r', b'\n', &bytes[seen..]).map(|at| at + seen) {
        match bytes[at] {
            b'\n' if at == 0 || bytes[at - 1] != b'\r' => {
                return Err(Refusal::bad("a line ends with LF and no CR"));
            }
            b'\n' if at >= 3 && bytes[at - 2] == b'\n' => {
                end = Some(at + 1);
                break;
            }
            b'\r' if bytes.get(at + 1).is_some_and(|next| *next != b'\n') => {
                return Err(Refusal::bad("a CR is not followed by LF"));
            }
            _ => {}
        }
    }
    if end.unwrap_or(bytes.len()) > LARGEST {
        return Err(Refusal::with(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "the request's head is larger than 64 KiB",
        ));
    }
    Ok(end)
}
