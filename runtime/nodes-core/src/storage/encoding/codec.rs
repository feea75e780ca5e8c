//! Text to bytes and back.

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurposeConfig, STANDARD};
use base64::engine::{DecodePaddingMode, GeneralPurpose};
use rustc_hash::FxHashMap;

use super::names;

/// A name that no encoding has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Encoding not recognized: '{0}'")]
pub struct UnknownEncoding(pub String);

/// A text encoding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Encoding {
    /// UTF-8; a byte order mark is dropped when reading.
    Utf8,
    /// UTF-16, little endian; a byte order mark is dropped when reading.
    Utf16Le,
    /// UTF-16, big endian; a byte order mark is dropped when reading.
    Utf16Be,
    /// UTF-16: little endian with a byte order mark when writing, whatever the mark says when reading.
    Utf16,
    /// Seven bits.
    Ascii,
    /// Node.js's `binary`: a byte is a character below U+0100.
    Binary,
    /// The bytes are written as base64 digits.
    Base64,
    /// The bytes are written as hexadecimal digits.
    Hex,
    /// One of the WHATWG's multi-byte encodings.
    Multi(&'static encoding_rs::Encoding),
    /// A table of single bytes: 128 characters for the upper half, or 256.
    Table(&'static str),
}

/// Decodes a stream piece by piece: characters that are cut in two by a piece's end come whole with the next piece.
#[derive(Debug)]
pub struct Decoder {
    encoding: Encoding,
    held: Vec<u8>,
    started: bool,
}

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

impl Encoding {
    /// The encoding of this name, in whatever case and punctuation.
    pub fn named(name: &str) -> Result<Encoding, UnknownEncoding> {
        names::find(name).ok_or_else(|| UnknownEncoding(name.to_owned()))
    }

    /// Text to bytes; what the encoding cannot say becomes `?`.
    pub fn encode(self, text: &str) -> Vec<u8> {
        match self {
            Encoding::Utf8 => text.as_bytes().to_vec(),
            Encoding::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Encoding::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Encoding::Utf16 => [0xff, 0xfe].into_iter().chain(Encoding::Utf16Le.encode(text)).collect(),
            Encoding::Ascii => {
                text.encode_utf16().map(|unit| u8::try_from(unit).ok().filter(u8::is_ascii).unwrap_or(b'?')).collect()
            }
            Encoding::Binary => text.encode_utf16().map(|unit| unit as u8).collect(),
            Encoding::Base64 => {
                // Node.js: stops at the first '=', takes the URL alphabet too, skips anything else.
                let digits = text.chars().take_while(|c| *c != '=').filter_map(|c| match c {
                    '-' => Some('+'),
                    '_' => Some('/'),
                    c => (c.is_ascii_alphanumeric() || matches!(c, '+' | '/')).then_some(c),
                });
                let mut digits: String = digits.collect();
                if digits.len() % 4 == 1 {
                    digits.pop();
                }
                LENIENT.decode(digits).unwrap_or_default()
            }
            Encoding::Hex => {
                let digits: Vec<u32> = text.chars().map_while(|c| c.to_digit(16)).collect();
                digits.chunks_exact(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
            }
            Encoding::Multi(encoding) => encode_multi(encoding, text),
            Encoding::Table(table) => encode_table(table, text),
        }
    }

    /// Bytes to text; what is damaged becomes U+FFFD.
    pub fn decode(self, bytes: &[u8]) -> String {
        let mut decoder = Decoder::new(self);
        let text = decoder.push(bytes);
        text + &decoder.finish()
    }
}

fn encode_multi(encoding: &'static encoding_rs::Encoding, text: &str) -> Vec<u8> {
    let mut encoder = encoding.new_encoder();
    let (mut out, mut rest) = (Vec::with_capacity(text.len() * 2), text);
    loop {
        let room = encoder.max_buffer_length_from_utf8_without_replacement(rest.len()).unwrap_or(rest.len() * 4 + 16);
        out.reserve(room);
        let (result, read) = encoder.encode_from_utf8_to_vec_without_replacement(rest, &mut out, true);
        rest = &rest[read..];
        match result {
            encoding_rs::EncoderResult::InputEmpty => return out,
            encoding_rs::EncoderResult::Unmappable(_) => out.push(b'?'),
            encoding_rs::EncoderResult::OutputFull => {}
        }
    }
}

fn encode_table(table: &str, text: &str) -> Vec<u8> {
    let first = 256 - table.chars().count();
    let bytes: FxHashMap<char, u8> = table
        .chars()
        .enumerate()
        .filter(|(_, c)| *c != char::REPLACEMENT_CHARACTER)
        .map(|(at, c)| (c, (first + at) as u8))
        .collect();
    let byte = |c: char| match bytes.get(&c) {
        Some(byte) => *byte,
        None if (c as usize) < first => c as u8,
        None => b'?',
    };
    text.chars().map(byte).collect()
}

impl Decoder {
    /// A decoder at the start of a stream.
    pub fn new(encoding: Encoding) -> Decoder {
        Decoder { encoding, held: Vec::new(), started: false }
    }

    /// The same, but a byte order mark is kept as a character.
    pub fn keeping_mark(encoding: Encoding) -> Decoder {
        Decoder { encoding, held: Vec::new(), started: true }
    }

    /// The text of the next piece, as far as its characters are complete.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        let mut all = std::mem::take(&mut self.held);
        all.extend_from_slice(bytes);
        let whole = self.whole(&all);
        self.held = all.split_off(whole);
        self.text(&all)
    }

    /// The text of what is left at the end.
    pub fn finish(&mut self) -> String {
        let rest = std::mem::take(&mut self.held);
        self.text(&rest)
    }

    /// How many bytes of the front are complete characters.
    fn whole(&self, bytes: &[u8]) -> usize {
        match self.encoding {
            Encoding::Utf8 => {
                let tail = bytes.iter().rev().take(4).position(|byte| byte & 0xc0 != 0x80);
                let Some(back) = tail else { return bytes.len() };
                let need = match bytes[bytes.len() - 1 - back] {
                    0xc0..=0xdf => 2,
                    0xe0..=0xef => 3,
                    0xf0..=0xf7 => 4,
                    _ => 1,
                };
                if back + 1 < need { bytes.len() - 1 - back } else { bytes.len() }
            }
            Encoding::Utf16Le | Encoding::Utf16Be | Encoding::Utf16 => {
                let even = bytes.len() & !1;
                let high = match self.encoding {
                    Encoding::Utf16Be => even.checked_sub(2).map(|at| bytes[at]),
                    _ => even.checked_sub(1).map(|at| bytes[at]),
                };
                // A high surrogate waits for its other half.
                if matches!(high, Some(0xd8..=0xdb)) { even - 2 } else { even }
            }
            Encoding::Base64 => bytes.len() - bytes.len() % 3,
            // A lead byte at the end is held back: after the last byte below 0x80 characters alternate predictably
            // only from a known start, so decode and see whether the end is damaged.
            Encoding::Multi(encoding) => {
                let damaged = |cut: usize| {
                    let mut decoder = encoding.new_decoder_without_bom_handling();
                    let mut out = String::with_capacity(decoder.max_utf8_buffer_length(cut).unwrap_or(cut * 3 + 16));
                    let before = decoder.decode_to_string(&bytes[..cut], &mut out, false);
                    let length = out.len();
                    out.reserve(16);
                    let _ = decoder.decode_to_string(&[], &mut out, true);
                    before.2 || out.len() > length
                };
                let at_end = bytes.len();
                (at_end.saturating_sub(3)..=at_end).rev().find(|cut| !damaged(*cut)).unwrap_or(at_end)
            }
            _ => bytes.len(),
        }
    }

    fn text(&mut self, bytes: &[u8]) -> String {
        let mut bytes = bytes;
        if bytes.is_empty() {
            return String::new();
        }
        let first = !std::mem::replace(&mut self.started, true);
        if first && self.encoding == Encoding::Utf16 {
            self.encoding = if bytes.starts_with(&[0xfe, 0xff]) { Encoding::Utf16Be } else { Encoding::Utf16Le };
        }
        if first {
            let mark: &[u8] = match self.encoding {
                Encoding::Utf8 => &[0xef, 0xbb, 0xbf],
                Encoding::Utf16Le => &[0xff, 0xfe],
                Encoding::Utf16Be => &[0xfe, 0xff],
                _ => &[],
            };
            bytes = bytes.strip_prefix(mark).unwrap_or(bytes);
        }
        let utf16 = |unit: fn([u8; 2]) -> u16| {
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
            String::from_utf16_lossy(&units)
        };
        match self.encoding {
            Encoding::Utf8 => String::from_utf8_lossy(bytes).into_owned(),
            Encoding::Utf16Le | Encoding::Utf16 => utf16(u16::from_le_bytes),
            Encoding::Utf16Be => utf16(u16::from_be_bytes),
            Encoding::Ascii => bytes
                .iter()
                .map(|byte| if byte.is_ascii() { *byte as char } else { char::REPLACEMENT_CHARACTER })
                .collect(),
            Encoding::Binary => bytes.iter().map(|byte| *byte as char).collect(),
            Encoding::Base64 => STANDARD.encode(bytes),
            Encoding::Hex => bytes.iter().map(|byte| format!("{byte:02x}")).collect(),
            Encoding::Multi(encoding) => encoding.decode_without_bom_handling(bytes).0.into_owned(),
            Encoding::Table(table) => {
                let chars: Vec<char> = table.chars().collect();
                let first = 256 - chars.len();
                bytes
                    .iter()
                    .map(|byte| (*byte as usize).checked_sub(first).map_or(*byte as char, |at| chars[at]))
                    .collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::single_byte::TABLES;
    use super::*;

    /// Every name of the edit dialogs; Node-RED's `ISO-8859-12` was never made a standard and fails there too.
    const DIALOG: &str = "utf8 ucs2 utf-16le ascii binary base64 hex utf-16be Shift_JIS Windows-31j Windows932 EUC-JP GB2312 \
        GBK GB18030 Windows936 EUC-CN KS_C_5601 Windows949 EUC-KR Big5 Big5-HKSCS Windows950 cp874 cp1250 cp1251 cp1252 cp1253 \
        cp1254 cp1255 cp1256 cp1257 cp1258 ISO-8859-1 ISO-8859-2 ISO-8859-3 ISO-8859-4 ISO-8859-5 ISO-8859-6 ISO-8859-7 \
        ISO-8859-8 ISO-8859-9 ISO-8859-10 ISO-8859-11 ISO-8859-13 ISO-8859-14 ISO-8859-15 ISO-8859-16 cp437 cp737 cp775 cp808 \
        cp850 cp852 cp855 cp856 cp857 cp858 cp860 cp861 cp866 cp869 cp922 cp1046 cp1124 cp1125 cp1129 cp1133 cp1161 cp1162 \
        cp1163 maccroatian maccyrillic macgreek maciceland macroman macromania macthai macturkish macukraine maccenteuro \
        macintosh koi8-r koi8-u koi8-ru koi8-t armscii8 rk1048 tcvn georgianacademy georgianps pt154 viscii iso646cn iso646jp \
        hproman8 tis620";

    #[test]
    fn every_name_of_the_dialogs_is_known() {
        for name in DIALOG.split_whitespace() {
            assert!(Encoding::named(name).is_ok(), "{name}");
        }
        assert_eq!(Encoding::named("ISO-8859-12").unwrap_err().to_string(), "Encoding not recognized: 'ISO-8859-12'");
    }

    #[test]
    fn tables_are_sorted_and_whole() {
        assert!(TABLES.is_sorted_by(|a, b| a.0 < b.0));
        for (name, table) in TABLES {
            assert!(matches!(table.chars().count(), 128 | 256), "{name}: {}", table.chars().count());
        }
    }

    #[test]
    fn text_becomes_these_bytes() {
        for (name, text, bytes) in [
            ("Shift_JIS", "日本é", &[0x93, 0xfa, 0x96, 0x7b, b'?'][..]),
            ("EUC-CN", "日本é", &[0xc8, 0xd5, 0xb1, 0xbe, 0xa8, 0xa6]),
            ("Big5", "日", &[0xa4, 0xe9]),
            ("cp437", "é日", &[0x82, b'?']),
            ("win1252", "€", &[0x80]),
            ("latin1", "é€", &[0xe9, b'?']),
            ("utf-16be", "é", &[0, 0xe9]),
            ("utf16", "é", &[0xff, 0xfe, 0xe9, 0]),
            ("ascii", "aé", b"a?"),
            ("binary", "é", &[0xe9]),
            ("base64", "aGk=", b"hi"),
            ("hex", "6869zz", b"hi"),
        ] {
            assert_eq!(Encoding::named(name).unwrap().encode(text), bytes, "{name}");
        }
    }

    #[test]
    fn pieces_give_the_same_text_as_the_whole() {
        let text = "añ日本語𝄞z";
        for name in ["utf8", "utf-16le", "utf-16be", "utf16", "Shift_JIS", "EUC-JP", "GB18030", "EUC-KR", "Big5", "hex"]
        {
            let encoding = Encoding::named(name).unwrap();
            let bytes = if encoding == Encoding::Hex { text.as_bytes().to_vec() } else { encoding.encode(text) };
            let mut decoder = Decoder::new(encoding);
            let mut pieces: String = bytes.iter().map(|byte| decoder.push(&[*byte])).collect();
            pieces += &decoder.finish();
            assert_eq!(pieces, encoding.decode(&bytes), "{name}");
        }
        assert_eq!(Encoding::Utf8.decode("\u{feff}a".as_bytes()), "a");
    }

    proptest::proptest! {
        #[test]
        fn never_panics(at in 0usize..110, bytes: Vec<u8>, text in ".{0,20}") {
            let name = DIALOG.split_whitespace().cycle().nth(at).unwrap_or_default();
            let encoding = Encoding::named(name).unwrap();
            encoding.encode(&text);
            let mut decoder = Decoder::new(encoding);
            bytes.chunks(3).for_each(|piece| drop(decoder.push(piece)));
            decoder.finish();
        }
    }
}
