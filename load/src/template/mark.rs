//! The mark that a message carries: run, key and sequence, found again wherever the flow puts it.

use memchr::memmem;

use super::payload::number;

/// Which message it is: `fl_RUN_KEY_SEQ_`, with the run in six hexadecimal digits, key and sequence in decimal ones. It
/// survives JSON, CSV, URLs and texts around it, and an output that joins several messages shows all of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Mark {
    /// The run, 24 bits.
    pub run: u32,
    /// Number of the key in this run.
    pub key: u32,
    /// Number of the message with this key, from 0.
    pub seq: u32,
}

impl Mark {
    /// Appends it.
    pub fn write(self, out: &mut Vec<u8>) {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        out.extend_from_slice(b"fl_");
        for shift in [20, 16, 12, 8, 4, 0] {
            out.push(DIGITS[(self.run >> shift & 15) as usize]);
        }
        out.push(b'_');
        number(out, u64::from(self.key));
        out.push(b'_');
        number(out, u64::from(self.seq));
        out.push(b'_');
    }
}

/// Finds marks of one run.
pub struct Finder {
    run: u32,
    start: memmem::Finder<'static>,
}

impl Finder {
    /// For the marks of a run.
    pub fn new(run: u32) -> Finder {
        Finder { run, start: memmem::Finder::new(format!("fl_{run:06x}_").as_bytes()).into_owned() }
    }

    /// Calls `found` for every mark in `bytes`; the same one several times in a row is one. Returns how many.
    pub fn each(&self, bytes: &[u8], mut found: impl FnMut(Mark)) -> usize {
        let (mut at, mut count, mut last) = (0, 0, None);
        while let Some(start) = self.start.find(&bytes[at..]) {
            at += start + self.start.needle().len();
            let Some((key, rest)) = decimal(&bytes[at..]) else { continue };
            let Some((seq, _)) = decimal(rest) else { continue };
            let mark = Mark { run: self.run, key, seq };
            if last != Some(mark) {
                count += 1;
                last = Some(mark);
                found(mark);
            }
        }
        count
    }
}

/// Digits and the `_` after them.
fn decimal(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let end = bytes.iter().take(11).position(|byte| *byte == b'_')?;
    let mut value = 0u32;
    if end == 0 {
        return None;
    }
    for digit in &bytes[..end] {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value.checked_mul(10)?.checked_add(u32::from(digit - b'0'))?;
    }
    Some((value, &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(run: u32, bytes: &[u8]) -> Vec<Mark> {
        let mut marks = Vec::new();
        Finder::new(run).each(bytes, |mark| marks.push(mark));
        marks
    }

    #[test]
    fn other_runs_and_damaged_marks_are_passed_over() {
        let mark = Mark { run: 1, key: 2, seq: 3 };
        assert_eq!(all(1, b"[fl_000001_2_3_,fl_000002_2_3_]"), [mark]);
        assert_eq!(all(1, b"fl_000001_2_3_ again fl_000001_2_3_"), [mark]);
        for bad in [&b"fl_000001_2_3"[..], b"fl_000001__3_", b"fl_000001_2_x_", b"fl_000001_2_99999999999_", b"fl_0000"]
        {
            assert_eq!(all(1, bad), [], "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_found(
            run in 0u32..1 << 24,
            marks in prop::collection::vec((any::<u32>(), any::<u32>()), 1..5),
            noise in "\\PC{0,20}",
        ) {
            let mut out = noise.clone().into_bytes();
            let mut wanted: Vec<Mark> = Vec::new();
            for (key, seq) in marks {
                let mark = Mark { run, key, seq };
                mark.write(&mut out);
                out.extend(noise.as_bytes());
                if wanted.last() != Some(&mark) {
                    wanted.push(mark);
                }
            }
            prop_assert_eq!(all(run, &out), wanted);
        }

        #[test]
        fn bytes_from_anywhere_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            all(0, &bytes);
        }
    }
}
