//! Lists of ids that both sides changed.

use serde_json::Value;

/// Joins the changes of a list of texts, or of a list of such lists of the same length: what either side took out is
/// gone, what either added is there. `None` for anything else.
pub(super) fn merge_lists(base: &Value, ours: &Value, theirs: &Value) -> Option<Value> {
    let (base, ours, theirs) = (base.as_array()?, ours.as_array()?, theirs.as_array()?);
    if [base, ours, theirs].into_iter().flatten().all(Value::is_string) {
        let kept = ours.iter().filter(|id| theirs.contains(id) || !base.contains(id));
        let added = theirs.iter().filter(|id| !base.contains(id) && !ours.contains(id));
        return Some(kept.chain(added).cloned().collect());
    }
    if base.len() != ours.len() || base.len() != theirs.len() {
        return None;
    }
    base.iter().zip(ours).zip(theirs).map(|((base, ours), theirs)| merge_lists(base, ours, theirs)).collect()
}
