//! What a repository has of a flow.

use std::collections::BTreeMap;

use flotilla_flows::{Document, FlowFuseSnapshot, NodeCredentials, SplitFile, is_flowfuse, join, read_credentials};
use flotilla_group::pipeline::{GitStage, Layout};
use flotilla_group::revision::Revision;
use flotilla_group::sealing::seal;
use serde_json::Value;

use super::repository::Repository;
use crate::pipeline::trouble::Trouble;

/// The file of a flow document, where a stage names none.
const FLOWS: &str = "flows.json";
/// The credentials, beside the flow document.
pub(super) const CREDENTIALS: &str = "flows_cred.json";
/// The flow's tests, beside the flow document.
const TESTS: &str = "flows.tests.json";

/// What was pulled.
pub(in crate::pipeline) struct Pulled {
    /// The commit.
    pub(in crate::pipeline) commit: String,
    /// Who made it.
    pub(in crate::pipeline) author: String,
    /// The flow, its credentials sealed with the gateway's key.
    pub(in crate::pipeline) revision: Revision,
    /// Its tests.
    pub(in crate::pipeline) tests: Option<String>,
}

/// Where the files of a stage are: the folder with a `/` at its end, and the name of the document in it.
pub(super) fn place(stage: &GitStage) -> (String, String) {
    let path = stage.path.trim_matches('/');
    match stage.layout {
        Layout::Tabs if path.is_empty() => (String::new(), String::new()),
        Layout::Tabs => (format!("{path}/"), String::new()),
        Layout::File => match path.rsplit_once('/') {
            Some((folder, file)) => (format!("{folder}/"), file.to_owned()),
            None => (String::new(), if path.is_empty() { FLOWS.to_owned() } else { path.to_owned() }),
        },
    }
}

/// The secret of a stage's credentials.
pub(super) fn secret(stage: &GitStage) -> Result<Option<String>, Trouble> {
    let Some(name) = &stage.credential_secret_env else { return Ok(None) };
    std::env::var(name).map(Some).map_err(|_| {
        Trouble::Fails(format!(
            "the variable {name}, which has the secret of the credentials, is not set for the gateway"
        ))
    })
}

/// Pulls the newest commit of a branch.
pub(in crate::pipeline) async fn pull(stage: &GitStage, key: Option<&str>) -> Result<Pulled, Trouble> {
    let branch = stage.pull.as_ref().or(stage.push.as_ref());
    let branch = branch.ok_or_else(|| Trouble::Fails("the stage has no branch to pull from".to_owned()))?;
    let repository = Repository::open(&stage.url).await?;
    let commit = repository.fetch(branch).await?;
    let commit = commit.ok_or_else(|| Trouble::Fails(format!("the repository has no branch \"{branch}\"")))?;
    let author = repository.git(&["log", "-1", "--format=%an", &commit], None).await?.trim().to_owned();
    let secret = secret(stage)?;
    let found = document(&repository, stage, &commit).await?;
    let found = found.ok_or_else(|| {
        let (folder, file) = place(stage);
        Trouble::Fails(format!("branch \"{branch}\" has no flow document at \"{folder}{file}\""))
    })?;
    let mut revision = Revision { flows: found, ..Revision::default() };
    let mut plain = NodeCredentials::new();
    if is_flowfuse(&revision.flows) {
        let snapshot = FlowFuseSnapshot::read(&revision.flows, secret.as_deref());
        let snapshot = snapshot.map_err(|error| Trouble::Fails(error.to_string()))?;
        // Values stay behind, as with every stage: the names block until the next stage has its own.
        revision.env = snapshot.env.keys().map(|name| (name.clone(), String::new())).collect();
        (revision.flows, plain) = (snapshot.flows, snapshot.credentials);
    }
    let (folder, _) = place(stage);
    if let (Some(secret), Some(text)) = (&secret, file(&repository, &commit, &format!("{folder}{CREDENTIALS}")).await?)
    {
        let sealed: Value = serde_json::from_str(&text)
            .map_err(|error| Trouble::Fails(format!("{folder}{CREDENTIALS} is not JSON: {error}")))?;
        plain = read_credentials(&sealed, Some(secret)).map_err(|error| Trouble::Fails(error.to_string()))?;
    }
    if !plain.is_empty() {
        let key = key.ok_or_else(|| {
            Trouble::Fails(
                "credentials are kept sealed with the group's key: start the gateway with FLOTILLA_GROUP_KEY"
                    .to_owned(),
            )
        })?;
        revision.credentials = seal(&plain, key);
    }
    Document::from_value(revision.flows.clone()).map_err(|error| Trouble::Fails(error.to_string()))?;
    let tests = file(&repository, &commit, &format!("{folder}{TESTS}")).await?;
    Ok(Pulled { commit, author, revision, tests })
}

/// The flow document of a commit; `None` when there is none.
pub(super) async fn document(
    repository: &Repository,
    stage: &GitStage,
    commit: &str,
) -> Result<Option<Value>, Trouble> {
    let (folder, name) = place(stage);
    if stage.layout == Layout::File {
        let path = format!("{folder}{name}");
        let Some(text) = file(repository, commit, &path).await? else { return Ok(None) };
        let value = serde_json::from_str(text.trim_start_matches('\u{feff}'));
        return value.map(Some).map_err(|error| Trouble::Fails(format!("{path} is not JSON: {error}")));
    }
    let files: Vec<SplitFile> =
        files(repository, commit, &folder).await?.into_iter().map(|(path, text)| SplitFile { path, text }).collect();
    if !files.iter().any(|file| file.path == flotilla_flows::SPLIT_MANIFEST) {
        return Ok(None);
    }
    join(&files).map(Some).map_err(|error| Trouble::Fails(error.to_string()))
}

/// One file of a commit.
pub(super) async fn file(repository: &Repository, commit: &str, path: &str) -> Result<Option<String>, Trouble> {
    let listed = repository.git(&["ls-tree", "-z", "--name-only", commit, "--", path], None).await?;
    if listed.trim_end_matches('\0') != path {
        return Ok(None);
    }
    Ok(Some(repository.git(&["cat-file", "blob", &format!("{commit}:{path}")], None).await?))
}

/// The JSON files below a folder, by their path in it.
pub(super) async fn files(
    repository: &Repository,
    commit: &str,
    folder: &str,
) -> Result<BTreeMap<String, String>, Trouble> {
    let mut args = vec!["ls-tree", "-r", "-z", "--name-only", commit];
    if !folder.is_empty() {
        args.extend(["--", folder]);
    }
    let listed = repository.git(&args, None).await?;
    let mut found = BTreeMap::new();
    for path in listed.split('\0').filter(|path| path.strip_suffix(".json").is_some()) {
        if let Some(inner) = path.strip_prefix(folder) {
            let text = repository.git(&["cat-file", "blob", &format!("{commit}:{path}")], None).await?;
            found.insert(inner.to_owned(), text);
        }
    }
    Ok(found)
}
