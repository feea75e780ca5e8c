//! A tab, a subflow instance or a group, as the nodes inside see it.

use std::cell::RefCell;
use std::rc::Rc;

use flotilla_flows::{EnvVar, ScopeKind};
use rustc_hash::FxHashMap;

use crate::value::Str;

use super::route::Listener;
use super::slot::Slot;

/// A tab, a subflow instance or a group: where environment variables come from and where errors go.
pub struct Scope {
    /// The tab's, instance's or group's id.
    pub id: Str,
    /// Its name.
    pub name: Str,
    /// What it is.
    pub kind: ScopeKind,
    /// What it is inside of.
    pub parent: Option<Rc<Scope>>,
    /// Its environment variables.
    pub env: Vec<EnvVar>,
    pub(super) catches: RefCell<Vec<Listener>>,
    pub(super) statuses: RefCell<Vec<Listener>>,
    pub(super) completes: RefCell<FxHashMap<Str, Vec<Rc<Slot>>>>,
}

impl Scope {
    pub(super) fn new(id: Str, name: Str, kind: ScopeKind, parent: Option<Rc<Scope>>, env: Vec<EnvVar>) -> Rc<Scope> {
        Rc::new(Scope {
            id,
            name,
            kind,
            parent,
            env,
            catches: RefCell::default(),
            statuses: RefCell::default(),
            completes: RefCell::default(),
        })
    }

    /// True for a group.
    pub fn is_group(&self) -> bool {
        matches!(self.kind, ScopeKind::Group)
    }

    /// The flow (tab or subflow instance) that this is, or is a group of.
    pub fn flow(self: &Rc<Scope>) -> Rc<Scope> {
        let mut at = self.clone();
        while at.is_group() {
            match &at.parent {
                Some(parent) => at = parent.clone(),
                None => break,
            }
        }
        at
    }

    /// For a subflow instance: the flow that it stands in.
    pub fn outer_flow(self: &Rc<Scope>) -> Option<Rc<Scope>> {
        self.flow().parent.as_ref().map(Scope::flow)
    }
}
