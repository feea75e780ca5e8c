//! What another installation says is kept in records of runs: it is cut to what those may hold, whoever says it.

use flotilla_api::deploy::DryRun;
use flotilla_api::snapshot::Snapshot;
use flotilla_api::transfer::{TransferProgress, TransferState, Transferred};

/// Bytes of a text.
const TEXT: usize = 2_000;
/// Bytes of an id or a name.
const NAME: usize = 200;
/// Entries of a list.
const LIST: usize = 1_000;

/// An answer that is cut to what a record may hold.
pub(super) trait Bounded {
    /// The same, cut.
    fn bounded(self) -> Self;
}

/// A text, cut.
pub(crate) fn text(text: String) -> String {
    cut(text, TEXT)
}

fn name(name: String) -> String {
    cut(name, NAME)
}

fn cut(mut text: String, most: usize) -> String {
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most - '…'.len_utf8()));
        text.push('…');
    }
    text
}

impl Bounded for TransferState {
    fn bounded(self) -> TransferState {
        let begun = self.begun.map(|begun| {
            let mut members = begun.members;
            members.truncate(LIST);
            for member in &mut members {
                member.id = name(std::mem::take(&mut member.id));
                member.reason = name(std::mem::take(&mut member.reason));
            }
            TransferProgress {
                revision: name(begun.revision),
                from: name(begun.from),
                reason: text(begun.reason),
                waits_for: text(begun.waits_for),
                members,
                ..begun
            }
        });
        TransferState { revision: self.revision.map(name), begun, ..self }
    }
}

impl Bounded for Transferred {
    fn bounded(self) -> Transferred {
        Transferred { revision: name(self.revision), ..self }
    }
}

impl Bounded for Snapshot {
    fn bounded(self) -> Snapshot {
        Snapshot {
            name: text(self.name),
            description: text(self.description),
            revision: name(self.revision),
            actor: name(self.actor),
            run: text(self.run),
            ..self
        }
    }
}

impl Bounded for DryRun {
    fn bounded(mut self) -> DryRun {
        self.findings.truncate(LIST);
        for finding in &mut self.findings {
            for said in [&mut finding.name, &mut finding.node, &mut finding.kind] {
                *said = name(std::mem::take(said));
            }
            finding.what = text(std::mem::take(&mut finding.what));
        }
        let effects = &mut self.effects;
        let lists = [&mut effects.restarts, &mut effects.lose_state, &mut effects.begin, &mut effects.end];
        for list in lists.into_iter().chain([&mut self.missing]) {
            list.truncate(LIST);
            list.iter_mut().for_each(|line| *line = name(std::mem::take(line)));
        }
        self.base = self.base.map(name);
        self
    }
}

/// Each entry is cut; how many there are is bounded by the size of the answer.
impl<T: Bounded> Bounded for Vec<T> {
    fn bounded(self) -> Vec<T> {
        self.into_iter().map(Bounded::bounded).collect()
    }
}

#[cfg(test)]
mod tests {
    use flotilla_api::rollout::Member;

    use super::*;

    #[test]
    fn what_is_too_long_is_cut_and_what_fits_stays() {
        assert_eq!(text("short".to_owned()), "short");
        let long = text("ü".repeat(TEXT));
        assert!(long.len() <= TEXT && long.len() > TEXT - 4 && long.ends_with('…'), "{}", long.len());
        let member = serde_json::json!({"id": "m".repeat(999), "step": "moved", "since_ms": 1, "born_ms": 1});
        let member: Member = serde_json::from_value(member).unwrap();
        let begun = serde_json::json!({"revision": "r".repeat(999), "rollout": 7, "reason": "x".repeat(99_999)});
        let begun: TransferProgress = serde_json::from_value(begun).unwrap();
        let begun = TransferProgress { members: vec![member; LIST + 1], ..begun };
        let state = TransferState { begun: Some(begun), ..TransferState::default() }.bounded();
        let begun = state.begun.unwrap();
        assert_eq!((begun.rollout, begun.members.len(), begun.revision.len()), (7, LIST, NAME));
        assert!(begun.members[0].id.len() <= NAME && begun.reason.len() <= TEXT);
    }
}
