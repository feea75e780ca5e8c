//! Who a node is.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use flotilla_flows::{NodeConfig, ScopeKind};

use crate::observe::NodeIdentity;
use flotilla_value::Str;

use super::scope::Scope;

/// Who a node is: what the flow document says of it, and where it stands.
pub struct Identity {
    id: Str,
    kind: Str,
    name: Str,
    alias: Option<Str>,
    path: Str,
    is_config: bool,
    config: Arc<NodeConfig>,
    scope: Rc<Scope>,
    pub(super) credentials: RefCell<serde_json::Map<String, serde_json::Value>>,
    users: RefCell<Vec<Str>>,
}

/// What a node is made from.
pub(crate) struct Origin {
    pub(crate) config: Arc<NodeConfig>,
    pub(crate) alias: Option<String>,
    pub(crate) path: String,
    /// Its place in the flow document.
    pub(crate) order: usize,
    pub(crate) is_config: bool,
    pub(crate) scope: Rc<Scope>,
    pub(crate) credentials: serde_json::Map<String, serde_json::Value>,
    pub(crate) users: Vec<Str>,
}

impl Identity {
    pub(super) fn new(origin: Origin) -> Identity {
        Identity {
            id: Str::new(&origin.config.id),
            kind: Str::new(&origin.config.kind),
            name: Str::new(&origin.config.name),
            alias: origin.alias.map(Str::from),
            path: Str::from(origin.path),
            is_config: origin.is_config,
            config: origin.config,
            scope: origin.scope,
            credentials: RefCell::new(origin.credentials),
            users: RefCell::new(origin.users),
        }
    }

    /// The same for those who look from outside; `order` is its place in the flow document.
    pub(super) fn seen(&self, order: usize) -> NodeIdentity {
        let tab = self.path.split_once('/').map_or("", |(tab, _)| tab);
        NodeIdentity {
            id: self.id.clone(),
            kind: self.kind.clone(),
            name: self.name.clone(),
            tab: Str::new(if tab == "global" { "" } else { tab }),
            tab_label: self.scope.tab_name(),
            path: self.path.clone(),
            is_config: self.is_config,
            order,
        }
    }

    /// The node's id.
    pub fn id(&self) -> &Str {
        &self.id
    }

    /// The node's type.
    pub fn kind(&self) -> &Str {
        &self.kind
    }

    /// The node's name, or empty.
    pub fn name(&self) -> &Str {
        &self.name
    }

    /// The id of the tab or subflow instance; empty for global config nodes.
    pub fn z(&self) -> Str {
        let flow = self.scope.flow();
        if matches!(flow.kind, ScopeKind::Global) { Str::default() } else { flow.id.clone() }
    }

    /// Inside a subflow instance: the id in the definition.
    pub fn alias(&self) -> Option<&Str> {
        self.alias.as_ref()
    }

    /// Node-RED's path: `tab/instance/.../id`.
    pub fn path(&self) -> &Str {
        &self.path
    }

    /// The path of the node's flow: `tab/instance/...`, or `global`.
    pub fn flow_path(&self) -> Str {
        self.path.rsplit_once('/').map_or(Str::new_static("global"), |(flow, _)| Str::new(flow))
    }

    /// The configuration, with `${ENV}` filled in.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// The tab, subflow instance or group that the node is in.
    pub fn scope(&self) -> &Rc<Scope> {
        &self.scope
    }

    /// True for config nodes.
    pub fn is_config(&self) -> bool {
        self.is_config
    }

    /// For a config node: the nodes that refer to it.
    pub fn users(&self) -> Vec<Str> {
        self.users.borrow().clone()
    }

    pub(crate) fn set_users(&self, users: Vec<Str>) {
        *self.users.borrow_mut() = users;
    }

    /// A credential of the node, for example `password`.
    pub fn credential(&self, name: &str) -> Option<String> {
        match self.credentials.borrow().get(name)? {
            serde_json::Value::String(text) => Some(text.clone()),
            serde_json::Value::Null => None,
            other => Some(other.to_string()),
        }
    }
}
