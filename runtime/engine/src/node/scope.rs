//! A tab, a subflow instance or a group, as the nodes inside see it.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use flotilla_flows::{EnvVar, Scope as Source, ScopeKind};
use rustc_hash::FxHashMap;

use crate::context::{ContextRef, ScopeKey};
use crate::expression::{Jsonata, Surroundings};
use crate::observe::Level;
use crate::replica::Shared;
use flotilla_value::{Str, Value};

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
    /// The values of its variables of the kind `cred`.
    pub(super) secrets: FxHashMap<String, String>,
    computed: RefCell<FxHashMap<String, Option<Value>>>,
}

impl Scope {
    /// A scope of the graph inside of `parent`.
    pub(crate) fn new(source: &Source, parent: Option<Rc<Scope>>, secrets: FxHashMap<String, String>) -> Rc<Scope> {
        Rc::new(Scope {
            id: Str::new(&source.id),
            name: Str::new(&source.name),
            kind: source.kind.clone(),
            parent,
            env: source.env.clone(),
            secrets,
            computed: RefCell::default(),
        })
    }

    /// The name of the tab around it, for people.
    pub(crate) fn tab_name(&self) -> String {
        match (&self.kind, &self.parent) {
            (ScopeKind::Tab, _) if self.name.is_empty() => self.id.to_string(),
            (ScopeKind::Tab, _) => self.name.to_string(),
            (_, Some(parent)) => parent.tab_name(),
            (_, None) => "(global)".to_owned(),
        }
    }

    /// True when it is still this scope of the graph: nodes that stay may keep it.
    pub(crate) fn is(&self, source: &Source, parent: Option<&Rc<Scope>>, secrets: &FxHashMap<String, String>) -> bool {
        let inside = match (&self.parent, parent) {
            (Some(own), Some(other)) => Rc::ptr_eq(own, other),
            (None, None) => true,
            _ => false,
        };
        inside && self.env == source.env && self.name == source.name && self.secrets == *secrets
    }

    /// Evaluates the variables that are expressions: once, when the flow starts, as Node-RED does.
    pub(crate) fn compute(self: &Rc<Scope>, shared: &Arc<Shared>) {
        for var in self.env.iter().filter(|var| var.kind == "jsonata") {
            self.env_var(shared, &var.name);
        }
    }

    /// The value of a variable that is an expression.
    pub(super) fn computed(self: &Rc<Scope>, shared: &Arc<Shared>, name: &str, expression: &str) -> Option<Value> {
        if let Some(known) = self.computed.borrow().get(name) {
            return known.clone();
        }
        // One that refers to itself finds nothing.
        self.computed.borrow_mut().insert(name.to_owned(), None);
        let around = Rc::new(Around { shared: shared.clone(), scope: self.clone() });
        let found = Jsonata::compile(expression)
            .and_then(|compiled| compiled.evaluate(around, &Value::Undefined, &[]))
            .map_err(|error| shared.log(Level::Error, format!("Error evaluating env property '{name}': {error}")))
            .ok();
        self.computed.borrow_mut().insert(name.to_owned(), found.clone());
        found
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

/// What an expression of the scope sees.
struct Around {
    shared: Arc<Shared>,
    scope: Rc<Scope>,
}

impl Surroundings for Around {
    fn env(&self, name: &str) -> Option<Value> {
        self.scope.env_var(&self.shared, name)
    }

    fn context(&self, global: bool) -> ContextRef {
        let key = if global { ScopeKey::global() } else { ScopeKey::flow(&self.scope.flow().id) };
        self.shared.contexts().scope(key)
    }
}
