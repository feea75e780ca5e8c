//! The modules of a crate, by their path.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

use super::mention::Mentions;

/// Where a module is in its crate: `["router", "timers"]`; the crate's root is empty.
pub(crate) type ModulePath = Vec<String>;

/// The modules of a crate that are files.
#[derive(Debug, Default)]
pub(crate) struct Modules(pub(crate) BTreeMap<ModulePath, Mentions>);

impl Modules {
    /// Reads the source folder of a crate.
    pub(crate) fn read(folder: &Path) -> io::Result<Modules> {
        let mut modules = Modules::default();
        modules.read_folder(folder, &Vec::new())?;
        let tests: Vec<ModulePath> = modules
            .0
            .iter()
            .flat_map(|(path, said)| said.test_modules.iter().map(|name| [path.clone(), vec![name.clone()]].concat()))
            .collect();
        modules.0.retain(|path, _| !tests.iter().any(|test| path.starts_with(test)));
        Ok(modules)
    }

    fn read_folder(&mut self, folder: &Path, path: &ModulePath) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let file = entry?.path();
            let name = file.file_stem().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let below = [path.clone(), vec![name.clone()]].concat();
            if file.is_dir() {
                self.read_folder(&file, &below)?;
            } else if file.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&file)?;
                let said =
                    Mentions::read(&text).map_err(|error| io::Error::other(format!("{}: {error}", file.display())))?;
                let is_own = matches!(name.as_str(), "mod" | "lib" | "main");
                self.0.insert(if is_own { path.clone() } else { below }, said);
            }
        }
        Ok(())
    }

    /// True when a module has files of its own below it.
    pub(crate) fn is_folder(&self, path: &[String]) -> bool {
        self.0.keys().any(|other| other.len() > path.len() && other.starts_with(path))
    }

    /// The module that a path leads to, seen from a module; `None` when it leads out of the crate.
    pub(crate) fn resolve(&self, from: &[String], path: &[String]) -> Option<ModulePath> {
        self.follow(from, path, 0)
    }

    fn follow(&self, from: &[String], path: &[String], depth: usize) -> Option<ModulePath> {
        let (mut at, mut rest) = (from.to_vec(), path);
        match rest.first()?.as_str() {
            "crate" => {
                at.clear();
                rest = &rest[1..];
            }
            "self" => rest = &rest[1..],
            "super" => {
                while let Some(outer) = rest.strip_prefix(&["super".to_owned()]) {
                    at.pop();
                    rest = outer;
                }
            }
            name if self.0.contains_key(&[from, &[name.to_owned()]].concat()) => {}
            _ => return None,
        }
        while let Some(name) = rest.first() {
            let below = [at.clone(), vec![name.clone()]].concat();
            if self.0.contains_key(&below) {
                at = below;
            } else if let Some(target) = self.0.get(&at).and_then(|said| said.exports.get(name)).filter(|_| depth < 8) {
                let target = [target, &rest[1..]].concat();
                return self.follow(&at, &target, depth + 1).or(Some(at));
            } else {
                break;
            }
            rest = &rest[1..];
        }
        Some(at)
    }
}
