//! No folder of any crate imports, by whatever way, what imports it; and the check finds those that do. What is not tested has no
//! tests.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::path::{Path, PathBuf};

use flotilla_circles::circles;

/// The source folders of the workspace's crates.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    let is_crate = folder.join("Cargo.toml").exists() && folder.join("src").exists();
    found.extend(is_crate.then(|| folder.join("src")));
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let skipped = matches!(name.as_str(), "src" | "target" | "third-party" | "fuzz") || name.starts_with('.');
        if path.is_dir() && !skipped {
            sources(&path, found);
        }
    }
}

#[test]
fn no_crate_has_a_circle_between_folders() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut all = Vec::new();
    sources(&root, &mut all);
    assert!(all.len() > 20, "the crates of the workspace are found: {all:?}");
    let found: Vec<String> = all
        .iter()
        .flat_map(|source| {
            circles(source).unwrap().into_iter().map(move |circle| format!("{}: {circle}", source.display()))
        })
        .collect();
    assert!(found.is_empty(), "move what both need to a place below both:\n{}", found.join("\n"));
}

/// True when a file below this folder has a line for which this holds.
fn any_line(folder: &Path, holds: &dyn Fn(&str) -> bool) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return any_line(&path, holds);
        }
        path.extension().is_some_and(|ending| ending == "rs") && fs::read_to_string(&path).unwrap().lines().any(holds)
    })
}

/// A crate whose manifest leaves its tests out has none: each that has none costs seconds in every run.
#[test]
fn tests_that_a_manifest_leaves_out_are_not_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut all = Vec::new();
    sources(&root, &mut all);
    let is_example = |line: &str| {
        let line = line.trim_start();
        (line.starts_with("///") || line.starts_with("//!")) && line.contains("```")
    };
    let is_test = |line: &str| line.contains("#[test]") || line.contains("::test]") || line.contains("proptest!");
    let (mut left_out, mut lost) = (0, Vec::new());
    for source in all {
        let manifest = fs::read_to_string(source.parent().unwrap().join("Cargo.toml")).unwrap();
        for (setting, holds) in [
            ("doctest = false", &is_example as &dyn Fn(&str) -> bool),
            ("\ntest = false", &is_test as &dyn Fn(&str) -> bool),
        ] {
            if manifest.contains(setting) {
                left_out += 1;
                lost.extend(any_line(&source, holds).then(|| format!("{}: {}", source.display(), setting.trim())));
            }
        }
    }
    assert!(left_out > 10, "the settings are found");
    assert!(
        lost.is_empty(),
        "remove the setting from the crate's Cargo.toml, because these sources have such tests:\n{}",
        lost.join("\n")
    );
}

/// A crate made of these files.
fn planted(files: &[(&str, &str)]) -> Vec<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    circles(folder.path()).unwrap().into_iter().map(|circle| circle.members).collect()
}

#[test]
fn a_planted_circle_is_found() {
    let through_a_re_export = planted(&[
        ("lib.rs", "mod a; mod b; mod c; pub use c::Third;"),
        ("a/mod.rs", "mod first; pub use first::First;"),
        ("a/first.rs", "use super::super::b::Second; pub struct First(Second);"),
        ("b/mod.rs", "mod second; pub(crate) use second::Second;"),
        ("b/second.rs", "pub struct Second(Box<crate::Third>);"),
        ("c/mod.rs", "mod third; pub use third::Third;"),
        ("c/third.rs", "use crate::{a::{First as Other}}; pub struct Third(Option<Other>);"),
    ]);
    assert_eq!(through_a_re_export, [["a", "b", "c"]]);
    let inside = planted(&[
        ("lib.rs", "mod a;"),
        ("a/mod.rs", "mod b; mod c;"),
        ("a/b/mod.rs", "mod one;"),
        ("a/b/one.rs", "use crate::a::c::Two;"),
        ("a/c.rs", "pub struct Two(super::b::one::One);"),
    ]);
    assert_eq!(inside, [["a::b", "a::c"]]);
}

#[test]
fn imports_one_way_in_tests_in_comments_and_among_files_are_none() {
    let fine = planted(&[
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a/mod.rs", "mod first; pub use first::First;"),
        ("a/first.rs", "// use crate::b::Second;\n pub struct First; #[cfg(test)] mod tests { use crate::b::Second; }"),
        ("b/mod.rs", "mod second; #[cfg(test)] mod tests; pub use second::Second;"),
        ("b/second.rs", "use crate::a::First; pub const TEXT: &str = \"crate::c::C\"; pub struct Second(First);"),
        ("b/tests.rs", "use crate::c::C;"),
        ("c.rs", "use crate::b::Second; use super::d::D; pub struct C(Second, D);"),
        ("d.rs", "use crate::c::C; pub struct D;"),
    ]);
    assert_eq!(fine, Vec::<Vec<String>>::new());
}
