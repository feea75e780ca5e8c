//! The routing table: which node answers which method and path. Read without a lock, replaced as a whole.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::{ArcSwap, Guard};
use parking_lot::{Mutex, MutexGuard};
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
    /// What the table is made of.
    wanted: Mutex<Wanted>,
    /// Something changed since the table was made. It is made when somebody looks: a deploy adds route after route, and a table for
    /// each would take the square of their number.
    changed: AtomicBool,
}

/// In the order in which Express would try them.
type Ordered = Vec<(Arc<Pattern>, Arc<Endpoint>)>;

#[derive(Default)]
struct Wanted {
    routes: Ordered,
    upgrades: FxHashMap<String, Arc<dyn UpgradeHandler>>,
}

#[derive(Default)]
struct Table {
    routes: Ordered,
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
        self.edit().routes.push((pattern, Arc::new(endpoint)));
        Ok(())
    }

    /// Removes the routes of a node.
    pub fn remove(&self, node: &str) {
        let mut wanted = self.edit();
        wanted.routes.retain(|(_, endpoint)| endpoint.node != node);
        // The table holds the workers, whose threads end when nobody does: nobody may look any more.
        if wanted.routes.is_empty() {
            self.make(&wanted);
        }
    }

    /// Hands upgrades on this path to a handler. False when the path is taken.
    pub fn add_upgrade(&self, path: &str, handler: Arc<dyn UpgradeHandler>) -> bool {
        let path = normal(path);
        let mut wanted = self.edit();
        let free = !wanted.upgrades.contains_key(&path);
        if free {
            wanted.upgrades.insert(path, handler);
        }
        free
    }

    /// Forgets the handler of a path.
    pub fn remove_upgrade(&self, path: &str) {
        let mut wanted = self.edit();
        if wanted.upgrades.remove(&normal(path)).is_some() {
            self.make(&wanted);
        }
    }

    fn edit(&self) -> MutexGuard<'_, Wanted> {
        let wanted = self.wanted.lock();
        // Under the lock: whoever makes the table sees the change with it.
        self.changed.store(true, Ordering::Release);
        wanted
    }

    /// Makes the table. To be called under the lock.
    fn make(&self, wanted: &Wanted) {
        self.table.store(Arc::new(Table::of(wanted)));
        self.changed.store(false, Ordering::Release);
    }

    fn table(&self) -> Guard<Arc<Table>> {
        if self.changed.load(Ordering::Acquire) {
            let wanted = self.wanted.lock();
            // Another may have made it meanwhile.
            if self.changed.load(Ordering::Acquire) {
                self.make(&wanted);
            }
        }
        self.table.load()
    }

    pub(super) fn upgrade(&self, path: &str) -> Option<Arc<dyn UpgradeHandler>> {
        self.table().upgrades.get(&normal(path)).cloned()
    }

    /// The node for a method and a path. HEAD is answered by GET nodes where no other is.
    pub(super) fn find(&self, method: &str, path: &str) -> Found {
        let table = self.table();
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
    fn of(wanted: &Wanted) -> Table {
        let Wanted { routes, upgrades } = wanted;
        let mut table = Table { routes: routes.clone(), upgrades: upgrades.clone(), ..Table::default() };
        for (at, (pattern, endpoint)) in routes.iter().enumerate() {
            match &**pattern {
                Pattern::Literal(path) => {
                    let methods = table.literal.entry(path.clone()).or_default();
                    if !methods.iter().any(|(method, _)| *method == endpoint.method) {
                        methods.push((endpoint.method.clone(), at));
                    }
                }
                Pattern::Segments(_) | Pattern::Regex { .. } => table.patterns.push(at),
            }
        }
        table
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

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use futures::future::LocalBoxFuture;
    use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

    use super::super::upgrade::Upgraded;
    use super::*;

    struct Nobody;

    impl UpgradeHandler for Nobody {
        fn limits(&self) -> WebSocketConfig {
            WebSocketConfig::default()
        }

        fn serve(&self, _socket: Upgraded, _peer: SocketAddr) -> LocalBoxFuture<'static, ()> {
            Box::pin(std::future::ready(()))
        }
    }

    #[test]
    fn no_table_is_made_before_somebody_looks() {
        let routes = Routes::default();
        for at in 0..1000 {
            assert!(routes.add_upgrade(&format!("/{at}"), Arc::new(Nobody)));
        }
        assert!(routes.table.load().upgrades.is_empty());
        assert!(routes.upgrade("/999").is_some());
        assert_eq!(routes.table.load().upgrades.len(), 1000);
    }

    #[test]
    fn a_change_is_seen_at_once_and_what_was_removed_is_let_go() {
        let routes = Routes::default();
        let handler: Arc<dyn UpgradeHandler> = Arc::new(Nobody);
        assert!(routes.add_upgrade("/a/", handler.clone()));
        assert!(!routes.add_upgrade("/A", handler.clone()), "the path is taken");
        assert!(routes.upgrade("/a").is_some() && routes.upgrade("/b").is_none());
        assert!(routes.add_upgrade("/b", handler.clone()));
        assert!(routes.upgrade("/b").is_some());
        routes.remove_upgrade("/a");
        assert!(routes.upgrade("/a").is_none() && routes.upgrade("/b").is_some());
        routes.remove_upgrade("/b");
        assert_eq!(Arc::strong_count(&handler), 1, "no table holds it");
    }
}
