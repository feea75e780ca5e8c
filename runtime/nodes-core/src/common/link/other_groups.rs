//! Links of other groups, by name: `group:NAME/LINK`.

use std::sync::Arc;

use flotilla_engine::NodeCx;
use flotilla_engine::message::Msg;
use flotilla_value::Str;
use futures::future::LocalBoxFuture;

/// A link of another group: the topic of one of its `project link in` nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupLink {
    /// The group's name.
    pub group: String,
    /// The link's.
    pub link: String,
}

impl GroupLink {
    /// From `group:NAME/LINK`; `None` for what names a link here.
    pub fn read(target: &str) -> Option<GroupLink> {
        let (group, link) = target.strip_prefix("group:")?.split_once('/')?;
        Some(GroupLink { group: group.to_owned(), link: link.to_owned() })
    }
}

/// How messages get to links of other groups. Put it into `Shared::extensions` as [`Groups`].
pub trait OtherGroups: Send + Sync {
    /// A node begins to send to other groups, or to call them; again does no harm.
    ///
    /// # Errors
    /// When that cannot be, for people.
    fn open(&self, cx: &NodeCx) -> Result<(), String>;
    /// The node is closed.
    fn close(&self, cx: &NodeCx, removed: bool) -> LocalBoxFuture<'static, ()>;
    /// Sends a message. Its delivery stays open until it is there; an error then is the node's.
    ///
    /// # Errors
    /// When it cannot be sent, for people.
    fn send(&self, cx: &NodeCx, to: &GroupLink, msg: &Msg) -> Result<(), String>;
    /// Calls a link. The answer leaves the node; [`take_call`](super::take_call) gives the message that waits for it.
    ///
    /// # Errors
    /// When it cannot be sent, for people.
    fn call(&self, cx: &NodeCx, to: &GroupLink, call: &Str, msg: &Msg) -> Result<(), String>;
}

/// The ways to other groups, as an extension.
pub struct Groups(pub Arc<dyn OtherGroups>);

/// The ways to other groups.
///
/// # Errors
/// Where there is none.
pub(super) fn groups(cx: &NodeCx) -> Result<Arc<Groups>, String> {
    cx.shared()
        .extensions()
        .get::<Groups>()
        .ok_or_else(|| "this process has no way to links of other groups".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_of_another_group_has_both_names() {
        let link = |group: &str, link: &str| Some(GroupLink { group: group.into(), link: link.into() });
        assert_eq!(GroupLink::read("group:billing/orders"), link("billing", "orders"));
        assert_eq!(GroupLink::read("group:billing/orders/new"), link("billing", "orders/new"));
        for here in ["orders", "group:orders", "a1b2.c3", ""] {
            assert_eq!(GroupLink::read(here), None, "{here}");
        }
    }
}
