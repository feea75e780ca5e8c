//! The nodes of a flow by what people call them.

use flotilla_flows::{Document, Graph, ScopeKind, expand};

use flotilla_engine::context::ScopeKey;

/// Names that differ in at most this part of their letters are near.
const NEAR: usize = 3;
/// So many near names are enough.
const SUGGESTIONS: usize = 3;

/// A node that runs.
#[derive(Clone, Debug)]
pub struct NodeInfo {
    /// Its id; inside a subflow instance the instance's id and its own.
    pub id: String,
    /// Its id in the document.
    pub entry: String,
    /// Its type.
    pub kind: String,
    /// Its name, or empty.
    pub name: String,
    /// The id of its tab or subflow instance, or empty.
    pub flow: String,
    /// True without a place in the workspace.
    pub is_config: bool,
    /// Ids of the nodes that its configuration names.
    pub refers_to: Vec<String>,
}

/// The nodes of a flow.
#[derive(Clone, Debug, Default)]
pub struct Nodes {
    nodes: Vec<NodeInfo>,
    /// Tabs and subflow instances: id and name.
    flows: Vec<(String, String)>,
    /// Entries of the document that do not run, by id and name, and why.
    idle: Vec<(String, String, &'static str)>,
}

impl NodeInfo {
    /// For messages to people: the name, else type and id.
    pub fn label(&self) -> String {
        if self.name.is_empty() { format!("{}:{}", self.kind, self.id) } else { self.name.clone() }
    }

    /// The node's own context.
    pub fn context(&self) -> ScopeKey {
        ScopeKey::node(&self.entry, &self.flow)
    }
}

impl Nodes {
    /// The nodes that a document runs.
    pub fn of(document: &Document) -> Nodes {
        let graph = expand(document).graph;
        let nodes = nodes(&graph);
        let flow = |scope: &flotilla_flows::Scope| match scope.kind {
            ScopeKind::Tab | ScopeKind::Subflow { .. } => Some((scope.id.clone(), scope.name.clone())),
            ScopeKind::Global | ScopeKind::Group => None,
        };
        let runs = |id: &str| nodes.iter().any(|node| node.entry == id);
        let entries = document.entries().iter();
        let entries = entries.filter(|entry| !matches!(entry.kind.as_str(), "tab" | "subflow" | "group"));
        let idle = entries.filter(|entry| !runs(&entry.id)).map(|entry| {
            let why =
                if entry.disabled { "is disabled" } else { "is on a disabled tab or in a subflow without an instance" };
            (entry.id.clone(), entry.name.clone(), why)
        });
        Nodes { idle: idle.collect(), flows: graph.scopes.iter().filter_map(flow).collect(), nodes }
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &NodeInfo> {
        self.nodes.iter()
    }

    /// A node by its full id.
    pub fn get(&self, id: &str) -> Option<&NodeInfo> {
        self.nodes.iter().find(|node| node.id == id)
    }

    /// The node with this id, or the only one with this name.
    ///
    /// # Errors
    /// Why there is none, and what is near.
    pub fn find(&self, text: &str) -> Result<&NodeInfo, String> {
        if let Some(node) = self.get(text) {
            return Ok(node);
        }
        let found: Vec<&NodeInfo> =
            self.nodes.iter().filter(|node| node.entry == text || (node.name == text && !text.is_empty())).collect();
        match found.as_slice() {
            [node] => Ok(node),
            [] => Err(self.nothing_like(text)),
            several => {
                let ids: Vec<String> = several.iter().map(|node| format!("{} ({})", node.id, node.kind)).collect();
                Err(format!("{} nodes are called so: use the id of one: {}", several.len(), ids.join(", ")))
            }
        }
    }

    /// A tab or subflow instance by id or name, for its context.
    ///
    /// # Errors
    /// Why there is none, and what is near.
    pub fn find_flow(&self, text: &str) -> Result<&str, String> {
        let by_id = self.flows.iter().find(|(id, _)| id == text);
        let named: Vec<_> = self.flows.iter().filter(|(_, name)| name == text && !text.is_empty()).collect();
        match (by_id, named.as_slice()) {
            (Some((id, _)), _) | (None, [(id, _)]) => Ok(id),
            (None, []) => {
                let names = self.flows.iter().flat_map(|(id, name)| [id.as_str(), name.as_str()]);
                Err(format!("no tab and no subflow instance has this id or name{}", near_text(text, names)))
            }
            (None, several) => {
                let ids: Vec<&str> = several.iter().map(|(id, _)| id.as_str()).collect();
                Err(format!("{} tabs are called so: use the id of one: {}", ids.len(), ids.join(", ")))
            }
        }
    }

    fn nothing_like(&self, text: &str) -> String {
        if let Some((.., why)) = self.idle.iter().find(|(id, name, _)| id == text || (name == text && !text.is_empty()))
        {
            return format!("this node does not run: it {why}");
        }
        let names = self.nodes.iter().flat_map(|node| [node.name.as_str(), node.entry.as_str()]);
        format!("no node has this id or name{}", near_text(text, names))
    }
}

fn nodes(graph: &Graph) -> Vec<NodeInfo> {
    let ids: std::collections::HashSet<&str> = graph.nodes.iter().map(|node| node.config.id.as_str()).collect();
    let info = |node: &flotilla_flows::GraphNode| NodeInfo {
        id: node.config.id.clone(),
        entry: node.alias.clone().unwrap_or_else(|| node.config.id.clone()),
        kind: node.config.kind.clone(),
        name: node.config.name.clone(),
        flow: node.config.z.clone(),
        is_config: node.is_config,
        refers_to: node
            .config
            .props
            .iter()
            .filter(|(key, _)| !matches!(key.as_str(), "id" | "z" | "g"))
            .filter_map(|(_, value)| value.as_str().filter(|text| ids.contains(text)))
            .map(str::to_owned)
            .collect(),
    };
    graph.nodes.iter().map(info).collect()
}

/// `; near: "a", "b"`, or nothing.
pub(super) fn near_text<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> String {
    let near = near(text, names);
    if near.is_empty() {
        return String::new();
    }
    let quoted: Vec<String> = near.iter().map(|name| format!("\"{name}\"")).collect();
    format!("; near: {}", quoted.join(", "))
}

/// The names that are most like this one, the nearest first.
fn near<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let wanted = text.to_lowercase();
    let mut found: Vec<(usize, &str)> = names
        .filter(|name| !name.is_empty())
        .filter_map(|name| {
            let other = name.to_lowercase();
            let inside = wanted.len() > 2 && (other.contains(&wanted) || wanted.contains(&other));
            let edits = edits(&wanted, &other);
            let longest = wanted.chars().count().max(other.chars().count());
            (inside || edits * NEAR <= longest).then_some((edits, name))
        })
        .collect();
    found.sort_unstable();
    found.dedup();
    found.into_iter().take(SUGGESTIONS).map(|(_, name)| name).collect()
}

/// Levenshtein's distance: letters to add, take away or change.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_are_found_by_id_or_by_a_name_that_only_one_has() {
        let document = Document::parse(
            r#"[{"id":"t","type":"tab","label":"Plant"},
            {"id":"a","type":"function","z":"t","name":"report","x":1,"y":1},
            {"id":"b","type":"debug","z":"t","name":"same","x":1,"y":1},
            {"id":"c","type":"debug","z":"t","name":"same","x":1,"y":1},
            {"id":"d","type":"debug","z":"t","name":"off","d":true,"x":1,"y":1},
            {"id":"s","type":"subflow","name":"S"},{"id":"in","type":"function","name":"inner","z":"s","x":1,"y":1},
            {"id":"i","type":"subflow:s","z":"t","x":1,"y":1}]"#,
        )
        .unwrap();
        let nodes = Nodes::of(&document);
        assert_eq!(nodes.find("report").unwrap().id, "a");
        assert_eq!(nodes.find("inner").unwrap().id, "i-in");
        assert_eq!(nodes.find("in").unwrap().context(), ScopeKey::node("in", "i"));
        assert!(nodes.find("same").unwrap_err().contains("b (debug), c (debug)"));
        assert!(nodes.find("off").unwrap_err().contains("disabled"));
        assert_eq!(nodes.find("reprot").unwrap_err(), "no node has this id or name; near: \"report\"");
        assert_eq!(nodes.find("zzzz").unwrap_err(), "no node has this id or name");
        assert_eq!(nodes.find_flow("Plant"), Ok("t"));
    }
}
