//! Bytes of a connection into payloads: as they come, by a separator, or whole at the end.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use flotilla_nodes_core::storage::encoding::{Decoder, Encoding};
use flotilla_value::Value;

/// What a connection may hold back until its separator or its end comes.
const MAX_HELD: usize = 256 << 20;

/// The peer sends more than may be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the peer sent more than {MAX_HELD} bytes without a separator: the connection is closed")]
pub(super) struct TooMuch;

/// What payloads are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Datatype {
    /// Buffers.
    Buffer,
    /// Text.
    Utf8,
    /// Text of base64 digits.
    Base64,
}

/// How a node cuts what comes.
#[derive(Clone, Debug)]
pub(super) struct Cut {
    /// A message for what is there; otherwise one for the whole connection.
    pub(super) stream: bool,
    pub(super) datatype: Datatype,
    /// Cuts text; empty: it is handed on as it comes.
    pub(super) separator: Vec<u8>,
    /// The separator stays at the end of each part.
    pub(super) keep_separator: bool,
}

/// What one connection has sent and nobody has got yet.
pub(super) struct Gather {
    cut: Cut,
    held: Vec<u8>,
    /// Held bytes in which no separator begins.
    searched: usize,
    decoder: Decoder,
}

impl Datatype {
    /// From a node's `datatype`; Node-RED takes `buffer` when there is none.
    pub(super) fn named(name: &str) -> Option<Datatype> {
        match name {
            "" | "buffer" => Some(Datatype::Buffer),
            "utf8" => Some(Datatype::Utf8),
            "base64" => Some(Datatype::Base64),
            _ => None,
        }
    }

    fn value(self, bytes: Vec<u8>) -> Value {
        match self {
            Datatype::Buffer => Value::Buffer(bytes.into()),
            Datatype::Utf8 => Value::string(String::from_utf8_lossy(&bytes)),
            Datatype::Base64 => Value::from(STANDARD.encode(bytes)),
        }
    }
}

impl Gather {
    pub(super) fn new(cut: Cut) -> Gather {
        Gather { cut, held: Vec::new(), searched: 0, decoder: Decoder::keeping_mark(Encoding::Utf8) }
    }

    /// Takes bytes; gives the payloads that are complete now.
    pub(super) fn push(&mut self, data: &[u8]) -> Result<Vec<Value>, TooMuch> {
        let Cut { stream, datatype, .. } = self.cut;
        if !stream {
            self.hold(data)?;
            return Ok(Vec::new());
        }
        if datatype != Datatype::Buffer && !self.cut.separator.is_empty() {
            // As Node-RED: each chunk's digits are text for the separator, too.
            if datatype == Datatype::Base64 {
                self.hold(STANDARD.encode(data).as_bytes())?;
            } else {
                self.hold(data)?;
            }
            return Ok(self.parts());
        }
        if datatype == Datatype::Utf8 {
            // A character that is cut in two by the end of a chunk comes with the next one.
            let text = self.decoder.push(data);
            return Ok(if text.is_empty() { Vec::new() } else { vec![Value::from(text)] });
        }
        Ok(vec![datatype.value(data.to_vec())])
    }

    /// The peer has ended: what is left, if anything.
    pub(super) fn end(&mut self) -> Option<Value> {
        let held = std::mem::take(&mut self.held);
        self.searched = 0;
        if !held.is_empty() {
            let digits = self.cut.stream && self.cut.datatype == Datatype::Base64;
            return Some(if digits { Datatype::Utf8.value(held) } else { self.cut.datatype.value(held) });
        }
        Some(self.decoder.finish()).filter(|text| !text.is_empty()).map(Value::from)
    }

    fn hold(&mut self, data: &[u8]) -> Result<(), TooMuch> {
        if self.held.len() + data.len() > MAX_HELD {
            return Err(TooMuch);
        }
        self.held.extend_from_slice(data);
        Ok(())
    }

    fn parts(&mut self) -> Vec<Value> {
        let separator = &self.cut.separator;
        let (mut parts, mut start) = (Vec::new(), 0);
        let mut from = self.searched;
        while let Some(found) = self.held[from..].windows(separator.len()).position(|window| window == separator) {
            let at = from + found;
            let end = if self.cut.keep_separator { at + separator.len() } else { at };
            parts.push(Datatype::Utf8.value(self.held[start..end].to_vec()));
            start = at + separator.len();
            from = start;
        }
        self.held.drain(..start);
        self.searched = (self.held.len() + 1).saturating_sub(separator.len());
        parts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(cut: Cut, chunks: &[&[u8]]) -> (Vec<Value>, Option<Value>) {
        let mut gather = Gather::new(cut);
        let parts = chunks.iter().flat_map(|chunk| gather.push(chunk).unwrap()).collect();
        (parts, gather.end())
    }

    fn cut(stream: bool, datatype: Datatype, separator: &str) -> Cut {
        Cut { stream, datatype, separator: separator.into(), keep_separator: false }
    }

    fn texts(texts: &[&str]) -> Vec<Value> {
        texts.iter().map(|text| Value::from(*text)).collect()
    }

    #[test]
    fn separators_and_characters_may_be_cut_by_chunks() {
        let (parts, rest) = all(cut(true, Datatype::Utf8, "\r\n"), &[b"a\r", b"\nb\xc3", b"\xa9\r\n\r\nc", b"d"]);
        assert_eq!(parts, texts(&["a", "b\u{e9}", ""]));
        assert_eq!(rest, Some(Value::from("cd")));
        let keeping = Cut { keep_separator: true, ..cut(true, Datatype::Utf8, "\n") };
        assert_eq!(all(keeping, &[b"a\nb\n"]), (texts(&["a\n", "b\n"]), None));
        let (parts, rest) = all(cut(true, Datatype::Utf8, ""), &[b"\xc3", b"\xa9x", b"\xc3"]);
        assert_eq!((parts, rest), (texts(&["\u{e9}x"]), Some(Value::from("\u{fffd}"))));
    }

    #[test]
    fn whole_connections_and_other_datatypes() {
        assert_eq!(all(cut(false, Datatype::Utf8, "\n"), &[b"a\n", b"b"]), (vec![], Some(Value::from("a\nb"))));
        assert_eq!(all(cut(false, Datatype::Base64, ""), &[b"f", b"oo"]), (vec![], Some(Value::from("Zm9v"))));
        assert_eq!(all(cut(false, Datatype::Buffer, ""), &[]), (vec![], None));
        assert_eq!(all(cut(true, Datatype::Base64, ""), &[b"foo", b"bar"]), (texts(&["Zm9v", "YmFy"]), None));
        let buffers = vec![Value::Buffer("a\nb".into())];
        assert_eq!(all(cut(true, Datatype::Buffer, "\n"), &[b"a\nb"]), (buffers, None));
    }

    proptest::proptest! {
        #[test]
        fn chunks_do_not_matter(text in "[ab|\u{e9}]{0,40}", size in 1_usize..9) {
            let chunks: Vec<&[u8]> = text.as_bytes().chunks(size).collect();
            let (mut parts, rest) = all(cut(true, Datatype::Utf8, "||"), &chunks);
            parts.extend(rest);
            let mut expected: Vec<&str> = text.split("||").collect();
            if expected.last() == Some(&"") {
                expected.pop();
            }
            proptest::prop_assert_eq!(parts, texts(&expected));
        }
    }
}
