//! What a store does beside the calls of its users.

use flotilla_tasks::Task;

/// Work that goes on for as long as the store is open.
pub(crate) fn background(name: &'static str, place: impl AsRef<str>) -> Task {
    Task {
        name,
        owner: place.as_ref().into(),
        ends: "the store is dropped, or nobody watches any more",
        failure: "changes are no longer reported: followers read everything again every few seconds",
    }
}
