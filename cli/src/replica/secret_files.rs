//! `NAME_FILE` and Docker secrets: the value of `NAME` is the content of a file.

use std::collections::BTreeMap;
use std::path::Path;

/// What `NAME_FILE` ends with.
const SUFFIX: &str = "_FILE";
/// Where Docker and Compose put secrets: variables of the process that name a file there count, too.
const SECRETS: &str = "/run/secrets/";
/// A larger file is no secret.
const LARGEST: u64 = 64 * 1024;

/// The variables of a flow, later ones over earlier ones. Where `NAME_FILE` names a file and `NAME` is not set, `NAME` is
/// what the file holds, without a line end behind it.
pub(super) fn resolve(vars: impl Iterator<Item = (String, String)>) -> BTreeMap<String, String> {
    let mut env: BTreeMap<String, String> = vars.collect();
    let own = env.clone().into_iter();
    let outside = std::env::vars().filter(|(name, path)| path.starts_with(SECRETS) && !name.starts_with("FLOTILLA_"));
    for (name, path) in own.chain(outside) {
        let Some(name) = name.strip_suffix(SUFFIX).filter(|name| !name.is_empty()) else { continue };
        if env.contains_key(name) || std::env::var_os(name).is_some() {
            continue;
        }
        match read(Path::new(&path)) {
            Ok(value) => drop(env.insert(name.to_owned(), value)),
            Err(error) => {
                tracing::warn!(%error, path, "{name}{SUFFIX} names a file that cannot be read; {name} is not set");
            }
        }
    }
    env
}

fn read(path: &Path) -> std::io::Result<String> {
    let size = std::fs::metadata(path)?.len();
    if size > LARGEST {
        return Err(std::io::Error::other(format!("it has {size} bytes: a secret has at most {LARGEST}")));
    }
    Ok(std::fs::read_to_string(path)?.trim_end_matches(['\r', '\n']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_gives_the_value_unless_there_is_one() {
        let folder = tempfile::TempDir::new().unwrap();
        let file = folder.path().join("secret");
        std::fs::write(&file, "hush\n").unwrap();
        let path = file.display().to_string();
        let vars = [("A_FILE", path.as_str()), ("B_FILE", &path), ("B", "own"), ("C_FILE", "/nowhere/x")];
        let env = resolve(vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        assert_eq!((env["A"].as_str(), env["B"].as_str(), env.get("C")), ("hush", "own", None));
    }
}
