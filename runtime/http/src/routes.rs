//! The routing table: which node answers which method and path. Read without a lock, replaced as a whole.

use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use flotilla_engine::WorkerHandle;
use flotilla_value::{Object, Str};

use super::pattern::{BadParameter, Pattern, normal};
use super::upgrade::UpgradeHandler;

/// An `http in` node as the server sees it.
pub struct Endpoint {
    /// The node's id.
    pub node: Str,
    /// The worker that it lives on.
    pub worker: WorkerHandle,
    /// `GET`, `POST`, ... in upper case.
    pub method: String,
    /// The path with `httpNodeRoot` in front.
    pub path: Str,
    /// The path as the node has it: `req.route.path`.
    pub own_path: Str,
    /// Reads `multipart/form-data` into `req.files`.
    pub upload: bool,
    /// The body is handed on as a buffer, whatever its type.
    pub raw: bool,
}

/// The routing table of a replica, kept in its extensions.
#[derive(Default)]
pub struct Routes {
    table: ArcSwap<Table>,
    change: Mutex<()>,
}

#[derive(Clone, Default)]
struct Table {
    /// In the order in which Express would try them.
    routes: Vec<(Arc<Pattern>, Arc<Endpoint>)>,
    /// First route per method and literal path.
    literal: FxHashMap<String, Vec<(String, usize)>>,
    /// Routes with parameters.
    patterns: Vec<usize>,
    upgrades: FxHashMap<String, Arc<dyn UpgradeHandler>>,
}

/// What a request leads to.
pub(super) enum Found {
    /// A node and the parameters of its path.
    Endpoint(Arc<Endpoint>, Object),
    /// A parameter that cannot be decoded.
    BadParameter,
    /// No node answers this method; these answer others on the same path.
    Methods(Vec<String>),
}

impl Routes {
    /// Adds a route behind those that are there.
    ///
    /// # Errors
    /// When the path is no valid pattern.
    pub fn add(&self, endpoint: Endpoint) -> Result<(), String> {
        let pattern = Arc::new(Pattern::compile(&endpoint.path)?);
        self.edit(|table| table.routes.push((pattern, Arc::new(endpoint))));
        Ok(())
    }

    /// Removes the routes of a node.
    pub fn remove(&self, node: &str) {
        self.edit(|table| table.routes.retain(|(_, endpoint)| endpoint.node != node));
    }

    /// Hands upgrades on this path to a handler. False when the path is taken.
    pub fn add_upgrade(&self, path: &str, handler: Arc<dyn UpgradeHandler>) -> bool {
        let path = normal(path);
        let mut added = false;
        self.edit(|table| {
            added = !table.upgrades.contains_key(&path);
            table.upgrades.entry(path).or_insert(handler);
        });
        added
    }

    /// Forgets the handler of a path.
    pub fn remove_upgrade(&self, path: &str) {
        self.edit(|table| drop(table.upgrades.remove(&normal(path))));
    }

    fn edit(&self, change: impl FnOnce(&mut Table)) {
        let _one_at_a_time = self.change.lock();
        let mut table = Table::clone(&self.table.load());
        change(&mut table);
        table.index();
        self.table.store(Arc::new(table));
    }

    pub(super) fn upgrade(&self, path: &str) -> Option<Arc<dyn UpgradeHandler>> {
        self.table.load().upgrades.get(&normal(path)).cloned()
    }

    /// The node for a method and a path. HEAD is answered by GET nodes where no other is.
    pub(super) fn find(&self, method: &str, path: &str) -> Found {
        let table = self.table.load();
        let found = table.find(method, path).or_else(|| (method == "HEAD").then(|| table.find("GET", path))?);
        match found {
            Some((endpoint, Ok(params))) => Found::Endpoint(endpoint, params),
            Some((_, Err(BadParameter))) => Found::BadParameter,
            None => {
                let mut methods: Vec<String> = Vec::new();
                for (pattern, endpoint) in &table.routes {
                    if pattern.matches(path).is_some() {
                        methods.push(endpoint.method.clone());
                        if endpoint.method == "GET" {
                            methods.push("HEAD".to_owned());
                        }
                    }
                }
                methods.dedup();
                Found::Methods(methods)
            }
        }
    }
}

impl Table {
    fn index(&mut self) {
        self.literal.clear();
        self.patterns.clear();
        for (at, (pattern, endpoint)) in self.routes.iter().enumerate() {
            match &**pattern {
                Pattern::Literal(path) => {
                    let methods = self.literal.entry(path.clone()).or_default();
                    if !methods.iter().any(|(method, _)| *method == endpoint.method) {
                        methods.push((endpoint.method.clone(), at));
                    }
                }
                Pattern::Regex { .. } => self.patterns.push(at),
            }
        }
    }

    fn find(&self, method: &str, path: &str) -> Option<(Arc<Endpoint>, Result<Object, BadParameter>)> {
        let plain = path.bytes().all(|b| !b.is_ascii_uppercase()) && (path.len() == 1 || !path.ends_with('/'));
        let methods = if plain { self.literal.get(path) } else { self.literal.get(&normal(path)) };
        let literal = methods.and_then(|methods| methods.iter().find(|(known, _)| known == method)).map(|(_, at)| *at);
        for at in self.patterns.iter().copied().take_while(|at| literal.is_none_or(|literal| *at < literal)) {
            let (pattern, endpoint) = &self.routes[at];
            if endpoint.method == method
                && let Some(params) = pattern.matches(path)
            {
                return Some((endpoint.clone(), params));
            }
        }
        literal.map(|at| (self.routes[at].1.clone(), Ok(Object::new())))
    }
}
