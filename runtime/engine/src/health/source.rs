//! A connection to something outside that a flow needs.

use flotilla_value::Str;

/// A connection to something outside that a flow takes work from, or hands work to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The node that has it.
    pub node: Str,
    /// Where it goes to, for people: `mqtt://127.0.0.1:1883`. Two nodes with the same name have the same peer.
    pub name: String,
    /// It is there, and what was asked of the peer (subscriptions) was granted.
    pub connected: bool,
    /// Why not, when it was tried and failed.
    pub reason: String,
}
