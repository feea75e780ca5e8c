//! Who imports whom, and where that goes round.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::Path;

use super::module::{ModulePath, Modules};

/// Modules of one folder that import each other in a circle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// The folder that they are in; empty for the crate's root.
    pub folder: String,
    /// Their names.
    pub members: Vec<String>,
    /// The imports among them: `router::acks -> persist::op`.
    pub imports: Vec<String>,
}

/// The circles of a crate, by the path of its source folder: those in which at least one member is a folder.
///
/// # Errors
/// When a file cannot be read or is not Rust.
pub fn circles(source: &Path) -> io::Result<Vec<Circle>> {
    let modules = Modules::read(source)?;
    let mut imports: BTreeSet<(ModulePath, ModulePath)> = BTreeSet::new();
    for (from, said) in &modules.0 {
        for path in &said.paths {
            if let Some(to) = modules.resolve(from, path).filter(|to| to != from) {
                imports.insert((from.clone(), to));
            }
        }
    }
    // What lists a folder's modules gives on what they have: no import of its own.
    imports.retain(|(from, to)| !to.starts_with(from) && !from.starts_with(to));
    let mut levels: BTreeMap<ModulePath, BTreeMap<ModulePath, BTreeSet<ModulePath>>> = BTreeMap::new();
    for (from, to) in &imports {
        let common = from.iter().zip(to).take_while(|(a, b)| a == b).count();
        let (a, b) = (from[..=common].to_vec(), to[..=common].to_vec());
        levels.entry(from[..common].to_vec()).or_default().entry(a).or_default().insert(b);
    }
    let mut found = Vec::new();
    for (folder, edges) in &levels {
        for members in rings(edges) {
            if members.iter().any(|member| modules.is_folder(member)) {
                let among = |path: &ModulePath| members.iter().find(|member| path.starts_with(member));
                let shown =
                    imports.iter().filter(|(from, to)| among(from).zip(among(to)).is_some_and(|(from, to)| from != to));
                found.push(Circle {
                    folder: folder.join("::"),
                    members: members.iter().map(|member| member.join("::")).collect(),
                    imports: shown.map(|(from, to)| format!("{} -> {}", from.join("::"), to.join("::"))).collect(),
                });
            }
        }
    }
    Ok(found)
}

/// The sets of nodes that reach each other.
fn rings(edges: &BTreeMap<ModulePath, BTreeSet<ModulePath>>) -> Vec<BTreeSet<ModulePath>> {
    let reach: BTreeMap<&ModulePath, BTreeSet<&ModulePath>> =
        edges.keys().map(|from| (from, reached(edges, from))).collect();
    let mut rings: Vec<BTreeSet<ModulePath>> = Vec::new();
    for (from, reaches) in &reach {
        let back = |other: &&&ModulePath| reach.get(**other).is_some_and(|theirs| theirs.contains(from));
        let ring: BTreeSet<ModulePath> = reaches.iter().filter(back).map(|other| (*other).clone()).collect();
        if ring.len() > 1 && !rings.contains(&ring) {
            rings.push(ring);
        }
    }
    rings
}

fn reached<'a>(
    edges: &'a BTreeMap<ModulePath, BTreeSet<ModulePath>>,
    from: &'a ModulePath,
) -> BTreeSet<&'a ModulePath> {
    let (mut seen, mut queue) = (BTreeSet::new(), vec![from]);
    while let Some(at) = queue.pop() {
        for next in edges.get(at).into_iter().flatten() {
            if seen.insert(next) {
                queue.push(next);
            }
        }
    }
    seen
}

impl fmt::Display for Circle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a circle of {}:", self.members.join(", "))?;
        self.imports.iter().try_for_each(|import| write!(f, "\n    {import}"))
    }
}
