//! shim
#![allow(missing_docs)]
use serde_json::{Map, Value};
#[derive(Clone, Debug, PartialEq)]
pub struct NodeConfig {
    pub id: String,
    pub kind: String,
    pub z: String,
    pub g: String,
    pub name: String,
    pub wires: Vec<Vec<String>>,
    pub disabled: bool,
    pub props: Map<String, Value>,
}
impl NodeConfig {
    pub fn get(&self, k: &str) -> Option<&Value> {
        self.props.get(k)
    }
    pub fn bool(&self, k: &str) -> bool {
        self.props.get(k).and_then(Value::as_bool).unwrap_or(false)
    }
}
#[derive(Clone, Debug, PartialEq)]
pub struct EnvVar {
    pub name: String,
    pub kind: String,
    pub value: Value,
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScopeKind {
    Global,
    Tab,
    Subflow { instance: String, definition: String },
    Group,
}
#[derive(Clone, Debug)]
pub struct Scope {
    pub id: String,
    pub kind: ScopeKind,
    pub parent: Option<usize>,
    pub name: String,
    pub env: Vec<EnvVar>,
}
#[derive(Clone, Debug)]
pub struct GraphNode {
    pub config: NodeConfig,
    pub scope: usize,
    pub alias: Option<String>,
    pub path: String,
    pub is_config: bool,
}
#[derive(Clone, Debug)]
pub struct Graph {
    pub scopes: Vec<Scope>,
    pub nodes: Vec<GraphNode>,
}
#[derive(Clone, Debug)]
pub struct Problem {
    pub message: String,
}
impl Problem {
    pub fn is_error(&self) -> bool {
        true
    }
}
impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
pub struct Document;
pub struct Expanded {
    pub graph: Graph,
    pub problems: Vec<Problem>,
}
pub fn expand(_d: &Document) -> Expanded {
    unimplemented!()
}
pub fn npm_package(_k: &str) -> Option<&'static str> {
    None
}
pub fn substitute_env(p: &Map<String, Value>, _l: &dyn Fn(&str) -> Option<Value>) -> Map<String, Value> {
    p.clone()
}
