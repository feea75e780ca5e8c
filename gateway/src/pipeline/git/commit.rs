//! A flow as a new commit of a branch.

use flotilla_flows::{Document, NodeCredentials, encrypt_credentials, merge, split};
use flotilla_group::pipeline::{GitStage, Layout};
use serde_json::Value;

use super::content::{CREDENTIALS, document, files, place, secret};
use super::repository::Repository;
use crate::pipeline::trouble::Trouble;

/// Where the new tree is put together.
const INDEX: &str = "flotilla-index";

/// What is pushed.
pub(in crate::pipeline) struct Push<'a> {
    /// The flow document.
    pub(in crate::pipeline) flows: &'a Value,
    /// Its credentials, in plain.
    pub(in crate::pipeline) credentials: NodeCredentials,
    /// The document that it is a change of: what was last pushed from where it comes from, or pulled there.
    pub(in crate::pipeline) base: Option<Value>,
    /// Who made it.
    pub(in crate::pipeline) author: &'a str,
    /// The message of the commit.
    pub(in crate::pipeline) message: &'a str,
}

/// Pushes; the branch's newest commit then. What others pushed meanwhile is merged, node by node, and never overwritten.
///
/// # Errors
/// [`Trouble::Fails`] naming each node that both changed.
pub(in crate::pipeline) async fn push(stage: &GitStage, what: &Push<'_>) -> Result<String, Trouble> {
    let branch = stage.push.as_ref();
    let branch = branch.ok_or_else(|| Trouble::Fails("the stage has no branch to push to".to_owned()))?;
    let repository = Repository::open(&stage.url).await?;
    let tip = repository.fetch(branch).await?;
    let read = |value: &Value| Document::from_value(value.clone()).map_err(|error| Trouble::Fails(error.to_string()));
    let ours = read(what.flows)?;
    let theirs = match &tip {
        Some(tip) => document(&repository, stage, tip).await?,
        None => None,
    };
    let flows = match &theirs {
        Some(theirs) => {
            let theirs = read(theirs)?;
            match &what.base {
                Some(base) => joined(&read(base)?, &ours, &theirs, branch)?,
                None if theirs.to_value() == ours.to_value() => ours,
                None => {
                    let (folder, file) = place(stage);
                    let why = format!(
                        "branch \"{branch}\" has a flow document at \"{folder}{file}\" that did not come from here: pull it first, in a \
                         stage with this repository, or choose another path"
                    );
                    return Err(Trouble::Fails(why));
                }
            }
        }
        None => ours,
    };
    let commit = commit(&repository, stage, tip.as_deref(), &flows, what).await?;
    if tip.as_ref() == Some(&commit) {
        return Ok(commit);
    }
    if !repository.push(&commit, branch).await? {
        return Err(Trouble::Waits(format!("branch \"{branch}\" moved meanwhile: it is fetched again")));
    }
    Ok(commit)
}

/// The changes of both sides.
fn joined(base: &Document, ours: &Document, theirs: &Document, branch: &str) -> Result<Document, Trouble> {
    let merged = merge(base, ours, theirs);
    if !merged.conflicts.is_empty() {
        let list: Vec<String> = merged.conflicts.iter().map(ToString::to_string).collect();
        let why = format!(
            "branch \"{branch}\" moved, and both changed the same; nothing was pushed: {}. Pull it, decide, and run again",
            list.join("; ")
        );
        return Err(Trouble::Fails(why));
    }
    Document::from_value(merged.flows).map_err(|error| Trouble::Fails(error.to_string()))
}

/// A commit with the document on top of `tip`, or `tip` when that has it already.
async fn commit(
    repository: &Repository,
    stage: &GitStage,
    tip: Option<&str>,
    flows: &Document,
    what: &Push<'_>,
) -> Result<String, Trouble> {
    let (folder, name) = place(stage);
    let mut new: Vec<(String, String)> = match stage.layout {
        Layout::Tabs => split(flows).into_iter().map(|file| (format!("{folder}{}", file.path), file.text)).collect(),
        Layout::File => {
            let mut text = Vec::new();
            let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
            let mut serializer = serde_json::Serializer::with_formatter(&mut text, indent);
            serde::Serialize::serialize(&flows.to_value(), &mut serializer)
                .map_err(|error| Trouble::Fails(error.to_string()))?;
            vec![(format!("{folder}{name}"), String::from_utf8_lossy(&text).into_owned() + "\n")]
        }
    };
    if let Some(secret) = secret(stage)?.filter(|_| !what.credentials.is_empty()) {
        let sealed = encrypt_credentials(&what.credentials, &secret);
        new.push((format!("{folder}{CREDENTIALS}"), format!("{sealed:#}\n")));
    }
    let index = [("GIT_INDEX_FILE", INDEX)];
    match tip {
        Some(tip) => drop(repository.git_with(&["read-tree", tip], None, &index).await?),
        None => drop(repository.git_with(&["read-tree", "--empty"], None, &index).await?),
    }
    if let (Layout::Tabs, Some(tip)) = (stage.layout, tip) {
        let ours = |path: &str| {
            path.starts_with("tabs/") || path.starts_with("subflows/") || matches!(path, "global.json" | "order.json")
        };
        for old in files(repository, tip, &folder).await?.into_keys().filter(|path| ours(path)) {
            let path = format!("{folder}{old}");
            if !new.iter().any(|(path_of_new, _)| *path_of_new == path) {
                repository.git_with(&["update-index", "--force-remove", "--", &path], None, &index).await?;
            }
        }
    }
    for (path, text) in &new {
        let blob = repository.git(&["hash-object", "-w", "--stdin"], Some(text.as_bytes())).await?;
        let info = format!("100644,{},{path}", blob.trim());
        repository.git_with(&["update-index", "--add", "--cacheinfo", &info], None, &index).await?;
    }
    let tree = repository.git_with(&["write-tree"], None, &index).await?.trim().to_owned();
    if let Some(tip) = tip
        && repository.git(&["rev-parse", &format!("{tip}^{{tree}}")], None).await?.trim() == tree
    {
        return Ok(tip.to_owned());
    }
    let author = if what.author.is_empty() { "flotilla" } else { what.author };
    let email = format!("{}@localhost", author.replace(|c: char| !c.is_ascii_alphanumeric(), "-"));
    let who = [
        ("GIT_AUTHOR_NAME", author),
        ("GIT_AUTHOR_EMAIL", email.as_str()),
        ("GIT_COMMITTER_NAME", "Flotilla"),
        ("GIT_COMMITTER_EMAIL", "flotilla@localhost"),
    ];
    let mut args = vec!["commit-tree", tree.as_str()];
    if let Some(tip) = tip {
        args.extend(["-p", tip]);
    }
    let commit = repository.git_with(&args, Some(what.message.as_bytes()), &who).await?;
    Ok(commit.trim().to_owned())
}
