//! Whose context it is.

use flotilla_value::Str;

/// Whose context it is: a node's (`node:flow`), a flow's, or everyone's (`global`).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ScopeKey(pub Str);

impl ScopeKey {
    /// A node's own context.
    pub fn node(node: &str, flow: &str) -> ScopeKey {
        ScopeKey(if flow.is_empty() { Str::new(node) } else { Str::from(format!("{node}:{flow}")) })
    }

    /// A tab's or a subflow instance's context.
    pub fn flow(flow: &str) -> ScopeKey {
        ScopeKey(Str::new(flow))
    }

    /// The global context.
    pub fn global() -> ScopeKey {
        ScopeKey(Str::new_static("global"))
    }
}
