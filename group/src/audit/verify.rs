//! Finds what was changed, taken out, put in or cut off.

use std::collections::{BTreeMap, BTreeSet};

use flotilla_api::audit::{AuditChain, AuditEntry, Checkpoint, Sealed};
use serde::Serialize;

use super::signer::is_signed;

/// Entries may go a little before or after their time.
const SLACK_MS: u64 = 24 * 3600 * 1000;

/// What is known from elsewhere.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Checkpoints that were exported: the store cannot take them back.
    pub checkpoints: Vec<Checkpoint>,
    /// The public keys that may sign; none: any.
    pub keys: Vec<String>,
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// The group; empty: the log of what concerns none.
    pub group: String,
    /// Entries that are kept.
    pub entries: usize,
    /// The first that is kept; those before were trimmed by age.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// The hash of the last: whoever notes it elsewhere can prove later that nothing before it changed.
    pub head: String,
    /// Checkpoints with good signatures, those from elsewhere too.
    pub checkpoints: usize,
    /// Entries behind the last checkpoint: no signature vouches for them yet.
    pub unsigned: u64,
    /// The keys that signed.
    pub keys: Vec<String>,
    /// Entries of versions before the chain, which nothing vouches for.
    pub unchained: usize,
    /// What is wrong, in the order of the log; nothing: the log is whole.
    pub problems: Vec<Wrong>,
}

/// Something that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// The place in the log.
    pub seq: u64,
    /// What: `changed`, `missing`, `order`, `signature`, `rolled-back`.
    pub what: &'static str,
    /// The same for people.
    pub detail: String,
}

/// Checks a log.
pub fn verify(chain: &AuditChain, known: &Known) -> Verdict {
    let mut entries: BTreeMap<u64, &Sealed> = BTreeMap::new();
    let mut problems = Vec::new();
    for sealed in chain.entries.iter().chain(&chain.head) {
        match entries.insert(sealed.seq, sealed) {
            Some(other) if other != sealed => {
                problems.push(wrong(sealed.seq, "changed", "the entry and the end of the log have different contents"));
            }
            _ => {}
        }
    }
    links(chain, &entries, &mut problems);
    let last = entries.last_key_value().map_or(0, |(seq, _)| *seq);
    let first = entries.first_key_value().map_or(0, |(seq, _)| *seq);
    let signed = checkpoints(chain, known, &entries, last, &mut problems);
    trimmed(chain, &signed, first, &mut problems);
    problems.sort_by_key(|wrong| wrong.seq);
    let sealed_until = signed.iter().map(|checkpoint| checkpoint.seq).filter(|seq| *seq <= last).max().unwrap_or(0);
    Verdict {
        group: chain.group.clone(),
        entries: entries.len(),
        first,
        last,
        head: entries.get(&last).map(|sealed| sealed.hash.clone()).unwrap_or_default(),
        checkpoints: signed.len(),
        unsigned: last - sealed_until,
        keys: signed.iter().map(|at| at.signature.key.clone()).collect::<BTreeSet<_>>().into_iter().collect(),
        unchained: chain.unchained,
        problems,
    }
}

/// Each entry has its own hash, and that of the one before it.
fn links(chain: &AuditChain, entries: &BTreeMap<u64, &Sealed>, problems: &mut Vec<Wrong>) {
    let mut before: Option<&Sealed> = None;
    for sealed in entries.values() {
        if !sealed.is_sound(&chain.group) {
            problems.push(wrong(sealed.seq, "changed", "the content is not what was hashed when it was written"));
        }
        match before {
            Some(before) if sealed.seq != before.seq + 1 => {
                let detail = match sealed.seq - before.seq - 1 {
                    1 => format!("entry {} is missing", before.seq + 1),
                    _ => format!("entries {} to {} are missing", before.seq + 1, sealed.seq - 1),
                };
                problems.push(wrong(before.seq + 1, "missing", &detail));
            }
            Some(before) if sealed.prev != before.hash => {
                let detail =
                    format!("it does not follow entry {}: one of the two is not the one that was written", before.seq);
                problems.push(wrong(sealed.seq, "order", &detail));
            }
            None if sealed.seq == 1 && !sealed.prev.is_empty() => {
                problems.push(wrong(1, "order", "the first entry follows another one"));
            }
            _ => {}
        }
        before = Some(sealed);
    }
}

/// The signed places have the hashes that were signed; answers those with good signatures.
fn checkpoints<'a>(
    chain: &'a AuditChain,
    known: &'a Known,
    entries: &BTreeMap<u64, &Sealed>,
    last: u64,
    problems: &mut Vec<Wrong>,
) -> Vec<&'a Checkpoint> {
    let exported = known.checkpoints.iter().filter(|checkpoint| checkpoint.group == chain.group);
    let mut signed: Vec<&Checkpoint> = Vec::new();
    for checkpoint in chain.checkpoints.iter().chain(exported) {
        let is_trusted = known.keys.is_empty() || known.keys.contains(&checkpoint.signature.key);
        if checkpoint.group != chain.group || !is_signed(checkpoint) || !is_trusted {
            let key = &checkpoint.signature.key;
            let detail = match is_trusted {
                true => "the checkpoint's signature is not that of its content".to_owned(),
                false => format!("the checkpoint is signed with another key, {key}"),
            };
            problems.push(wrong(checkpoint.seq, "signature", &detail));
            continue;
        }
        match entries.get(&checkpoint.seq) {
            Some(sealed) if sealed.hash != checkpoint.hash => {
                problems.push(wrong(checkpoint.seq, "changed", "it is not the entry that was signed in this place"));
            }
            None if checkpoint.seq > last => {
                let detail = format!(
                    "the log ends with entry {last}, but entry {} was signed: its end was cut off, or the store was \
                     rolled back",
                    checkpoint.seq
                );
                problems.push(wrong(checkpoint.seq, "rolled-back", &detail));
            }
            _ => {}
        }
        if !signed.contains(&checkpoint) {
            signed.push(checkpoint);
        }
    }
    signed
}

/// What is not there from the beginning was trimmed by age, and by nothing else.
fn trimmed(chain: &AuditChain, signed: &[&Checkpoint], first: u64, problems: &mut Vec<Wrong>) {
    let young = |time_ms: u64| time_ms.saturating_add(chain.kept_ms) > chain.now_ms.saturating_add(SLACK_MS);
    let gone = signed.iter().filter(|checkpoint| checkpoint.seq < first && young(checkpoint.time_ms)).map(|at| at.seq);
    if let Some(seq) = gone.min() {
        let detail = format!("entries {seq} to {} are missing, and they are not as old as what is trimmed", first - 1);
        problems.push(wrong(seq, "missing", &detail));
    }
}

fn wrong(seq: u64, what: &'static str, detail: &str) -> Wrong {
    Wrong { seq, what, detail: detail.to_owned() }
}

/// The entry that was sealed, as far as this version knows its fields.
pub(crate) fn entry(sealed: &Sealed) -> Option<AuditEntry> {
    serde_json::from_str(&sealed.text).ok()
}
