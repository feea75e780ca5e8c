//! A body in chunks (RFC 9112, section 7.1), byte by byte where it matters.

/// The longest chunk extension and all trailers together, in bytes.
const LONGEST: usize = 8 * 1024;
/// Digits of the largest chunk size: less than 2^60.
const DIGITS: u8 = 15;

/// Where in a chunked body the next byte is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunks {
    /// In a size: its value so far, and its digits.
    Size(u64, u8),
    /// In an extension, which is left as it is: the size before it, and its bytes.
    Extension(u64, usize),
    /// Behind the CR of a size line.
    SizeEnd(u64),
    /// In a chunk: so many bytes are still to come.
    Data(u64),
    /// Behind a chunk, where CR comes.
    DataEnd,
    /// Behind that CR.
    DataLineEnd,
    /// At the begin of a trailer line; bytes of trailers so far.
    Trailers(usize),
    /// In a trailer line; whether its colon has come.
    Trailer(usize, bool),
    /// Behind the CR of a trailer line.
    TrailerEnd(usize),
    /// Behind the CR of the last, empty line.
    LastEnd,
    /// Behind the body.
    Over,
}

impl Chunks {
    pub(crate) const FIRST: Chunks = Chunks::Size(0, 0);

    /// Goes on over bytes; how many of them belong to the body.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<usize, &'static str> {
        let mut at = 0;
        while at < bytes.len() && *self != Chunks::Over {
            if let Chunks::Data(left) = self {
                let taken = (bytes.len() - at).min(usize::try_from(*left).unwrap_or(usize::MAX));
                at += taken;
                let left = *left - taken as u64;
                *self = if left == 0 { Chunks::DataEnd } else { Chunks::Data(left) };
                continue;
            }
            *self = self.next(bytes[at])?;
            at += 1;
        }
        Ok(at)
    }

    fn next(self, byte: u8) -> Result<Chunks, &'static str> {
        Ok(match (self, byte) {
            (Chunks::Size(value, digits), byte) if byte.is_ascii_hexdigit() => {
                if digits == DIGITS {
                    return Err("a chunk's size has too many digits");
                }
                let digit = (byte as char).to_digit(16).unwrap_or_default();
                Chunks::Size(value * 16 + u64::from(digit), digits + 1)
            }
            (Chunks::Size(_, 0), _) => return Err("a chunk begins with its size"),
            (Chunks::Size(value, _), b'\r') => Chunks::SizeEnd(value),
            (Chunks::Size(value, _), b';') => Chunks::Extension(value, 0),
            (Chunks::Extension(value, _), b'\r') => Chunks::SizeEnd(value),
            (Chunks::Extension(value, length), byte) if is_text(byte) && length < LONGEST => {
                Chunks::Extension(value, length + 1)
            }
            (Chunks::Size(..) | Chunks::Extension(..), _) => return Err("a chunk's size line is malformed"),
            (Chunks::SizeEnd(0), b'\n') => Chunks::Trailers(0),
            (Chunks::SizeEnd(value), b'\n') => Chunks::Data(value),
            (Chunks::DataEnd, b'\r') => Chunks::DataLineEnd,
            (Chunks::DataLineEnd, b'\n') => Chunks::FIRST,
            (Chunks::Trailers(_), b'\r') => Chunks::LastEnd,
            (Chunks::Trailers(length), byte) if is_token(byte) && length < LONGEST => {
                Chunks::Trailer(length + 1, false)
            }
            (Chunks::Trailer(length, false), b':') => Chunks::Trailer(length + 1, true),
            (Chunks::Trailer(length, true), b'\r') => Chunks::TrailerEnd(length),
            (Chunks::Trailer(length, false), byte) if is_token(byte) && length < LONGEST => {
                Chunks::Trailer(length + 1, false)
            }
            (Chunks::Trailer(length, true), byte) if is_text(byte) && length < LONGEST => {
                Chunks::Trailer(length + 1, true)
            }
            (Chunks::Trailers(_) | Chunks::Trailer(..), _) => return Err("a trailer is malformed"),
            (Chunks::TrailerEnd(length), b'\n') => Chunks::Trailers(length),
            (Chunks::LastEnd, b'\n') => Chunks::Over,
            (Chunks::Data(_) | Chunks::Over, _) => self,
            _ => return Err("a chunk does not end with CRLF"),
        })
    }
}

fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

fn is_text(byte: u8) -> bool {
    byte == b'\t' || (byte >= b' ' && byte != 0x7f)
}
