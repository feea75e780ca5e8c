//! Which worker a tab and a config node live on.

use flotilla_flows::{Graph, GraphNode, ScopeKind};
use rustc_hash::FxHashMap;

use flotilla_value::Str;

/// The worker of each scope (by index in the graph) and of each config node.
#[derive(Default)]
pub(super) struct Places {
    scopes: Vec<usize>,
    configs: FxHashMap<Str, usize>,
    tabs: FxHashMap<Str, usize>,
}

/// Which nodes refer to each config node, by id.
pub(super) fn users(graph: &Graph) -> FxHashMap<Str, Vec<Str>> {
    let configs: FxHashMap<&str, Str> = graph
        .nodes
        .iter()
        .filter(|node| node.is_config)
        .map(|node| (node.config.id.as_str(), Str::new(&node.config.id)))
        .collect();
    let mut users: FxHashMap<Str, Vec<Str>> = FxHashMap::default();
    for node in &graph.nodes {
        for value in node.config.props.values() {
            let referenced = value.as_str().and_then(|text| configs.get(text));
            if let Some(config) = referenced.filter(|config| **config != node.config.id) {
                users.entry(config.clone()).or_default().push(Str::new(&node.config.id));
            }
        }
    }
    users
}

impl Places {
    /// A tab stays where it was before. New ones go to the worker with the least nodes, largest first so that the load is
    /// even; a config node goes where its first user is, so that what it receives need not cross threads.
    pub(super) fn plan(graph: &Graph, users: &FxHashMap<Str, Vec<Str>>, workers: usize, before: &Places) -> Places {
        let root = |mut scope: usize| {
            while let Some(parent) = graph.scopes[scope].parent {
                if matches!(graph.scopes[parent].kind, ScopeKind::Global) {
                    break;
                }
                scope = parent;
            }
            scope
        };
        let roots: Vec<usize> = (0..graph.scopes.len()).map(root).collect();
        let mut sizes: FxHashMap<usize, usize> = FxHashMap::default();
        for node in graph.nodes.iter().filter(|node| !node.is_config) {
            *sizes.entry(roots[node.scope]).or_default() += 1;
        }
        let mut order: Vec<(usize, usize)> = sizes.into_iter().collect();
        order.sort_by_key(|(scope, size)| (usize::MAX - size, *scope));
        let mut load = vec![0; workers.max(1)];
        let mut worker_of_root: FxHashMap<usize, usize> = FxHashMap::default();
        let mut tabs = FxHashMap::default();
        order.sort_by_key(|(scope, _)| !before.tabs.contains_key(graph.scopes[*scope].id.as_str()));
        for (scope, size) in order {
            let id = Str::new(&graph.scopes[scope].id);
            let stays = before.tabs.get(&id).copied().filter(|worker| *worker < load.len());
            let worker = stays.or_else(|| (0..load.len()).min_by_key(|worker| load[*worker])).unwrap_or(0);
            load[worker] += size;
            worker_of_root.insert(scope, worker);
            tabs.insert(id, worker);
        }
        let scopes: Vec<usize> = roots.iter().map(|root| worker_of_root.get(root).copied().unwrap_or(0)).collect();
        let scope_of: FxHashMap<&str, &GraphNode> =
            graph.nodes.iter().map(|node| (node.config.id.as_str(), node)).collect();
        let configs = graph.nodes.iter().filter(|node| node.is_config).map(|config| {
            let first = users.get(config.config.id.as_str()).into_iter().flatten();
            let first = first.filter_map(|id| scope_of.get(id.as_str())).find(|node| !node.is_config);
            let id = Str::new(&config.config.id);
            let stays = before.configs.get(&id).copied().filter(|worker| *worker < load.len());
            let worker = stays.unwrap_or_else(|| first.map_or(scopes[config.scope], |node| scopes[node.scope]));
            (id, worker)
        });
        let configs = configs.collect();
        Places { scopes, configs, tabs }
    }

    /// The worker of a node.
    pub(super) fn of(&self, node: &GraphNode) -> usize {
        match self.configs.get(node.config.id.as_str()) {
            Some(worker) if node.is_config => *worker,
            _ => self.scopes[node.scope],
        }
    }
}
