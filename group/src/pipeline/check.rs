//! What a pipeline must be.

use std::collections::BTreeSet;

use flotilla_api::pipeline::{Action, GitStage, PipelineSpec, RemoteStage, StageSpec};

use super::window;
use crate::error::GroupError;
use crate::keys;

/// Approvals at most.
const MOST: u32 = 20;
/// A week: for longer another installation is not away, but gone.
const MOST_AWAY: u32 = 7 * 24 * 60;

/// Refuses a pipeline that cannot run.
///
/// # Errors
/// [`GroupError::Invalid`] with the field and what to do, [`GroupError::BadName`].
pub fn check(spec: &PipelineSpec) -> Result<(), GroupError> {
    keys::check("pipeline name", &spec.name)?;
    if spec.stages.len() < 2 {
        let reason = format!("stages: pipeline \"{}\" has {}, it needs two or more", spec.name, spec.stages.len());
        return Err(GroupError::Invalid { field: "stages", reason });
    }
    let mut names = BTreeSet::new();
    let mut groups = BTreeSet::new();
    for stage in &spec.stages {
        let bad = |field: &'static str, reason: String| {
            let reason = format!("stage \"{}\": {reason}", stage.name);
            Err(GroupError::Invalid { field, reason })
        };
        keys::check("stage name", &stage.name)?;
        if !names.insert(&stage.name) {
            return bad("name", "there are two of this name".to_owned());
        }
        match (&stage.group, &stage.remote, &stage.git) {
            (Some(group), None, None) => {
                keys::check("group name", group)?;
                if !groups.insert(group.clone()) {
                    return bad("group", format!("group \"{group}\" is another stage already"));
                }
            }
            (None, Some(there), None) => {
                remote(there).or_else(|(field, reason)| bad(field, reason))?;
                if !groups.insert(there.place()) {
                    return bad("remote", format!("group {} is another stage already", there.place()));
                }
            }
            (None, None, Some(repository)) => git(repository).or_else(|(field, reason)| bad(field, reason))?,
            _ => return bad("group", "it must be either a group, a remote group or a git repository".to_owned()),
        }
        gates(stage)?;
    }
    Ok(())
}

/// A fault of a stage: the field and the reason.
type Fault = (&'static str, String);

fn remote(there: &RemoteStage) -> Result<(), Fault> {
    keys::check("group name", &there.group).map_err(|error| ("group", error.to_string()))?;
    if there.url.contains('@') {
        // Everybody who sees a pipeline sees its URLs, and others read this text.
        return Err(("url", "the url must not have a user or password: give the stage a token".to_owned()));
    }
    if there.parts().is_none() {
        let reason = format!("url \"{}\" must be https://HOST:PORT or http://HOST:PORT, without a path", there.url);
        return Err(("url", reason));
    }
    if !(1..=MOST_AWAY).contains(&there.away_minutes) {
        return Err(("away_minutes", format!("away_minutes {} must be 1 to {MOST_AWAY}", there.away_minutes)));
    }
    if let Some(ca) = &there.ca {
        flotilla_api::client::authorities(ca).map_err(|error| ("ca", format!("ca: {error}")))?;
    }
    Ok(())
}

fn git(git: &GitStage) -> Result<(), Fault> {
    if git.url.trim().is_empty() || git.url.starts_with('-') {
        return Err(("url", format!("git url \"{}\" is none", git.url)));
    }
    let (scheme, rest) = git.url.split_once("://").unwrap_or(("", &git.url));
    let web = scheme.get(..4).is_some_and(|begin| begin.eq_ignore_ascii_case("http"));
    // A `/` that belongs to a password ends no host.
    let who = if scheme.is_empty() { rest.split('/').next().unwrap_or_default() } else { rest };
    let who = who.rsplit_once('@').map(|(who, _)| who);
    let hidden = web && flotilla_flows::shown_url(&git.url) != git.url;
    // `git@HOST:PATH` and `ssh://git@HOST` name a user that is no secret.
    if hidden || who.is_some_and(|who| !web && who.contains(':')) {
        // Everybody who sees a pipeline sees its URLs.
        let reason = "the git url must not have a user or password: use a credential helper of git";
        return Err(("url", reason.to_owned()));
    }
    if git.push.is_none() && git.pull.is_none() {
        return Err(("push", "name the branch to push to or the one to pull from".to_owned()));
    }
    if let Some(branch) = git.push.iter().chain(&git.pull).find(|branch| !is_branch(branch)) {
        return Err(("push", format!("\"{branch}\" is not a branch name")));
    }
    if git.path.starts_with('/') || git.path.split('/').any(|part| matches!(part, ".." | ".git")) {
        return Err(("path", format!("path \"{}\" must lie in the repository", git.path)));
    }
    Ok(())
}

fn gates(stage: &StageSpec) -> Result<(), GroupError> {
    let bad = |field: &'static str, reason: String| {
        Err(GroupError::Invalid { field, reason: format!("stage \"{}\": {reason}", stage.name) })
    };
    if stage.gates.approvals > MOST {
        return bad("approvals", format!("approvals {} must be 0 to {MOST}", stage.gates.approvals));
    }
    if stage.git.is_some() && !matches!(stage.action, Action::CreateSnapshot | Action::None) {
        return bad("action", "a repository gives its newest commit: leave the action out, or write none".to_owned());
    }
    match &stage.gates.window {
        Some(window) => match window::problem(window) {
            Some(reason) => bad("window", reason),
            None => Ok(()),
        },
        None => Ok(()),
    }
}

/// What `git check-ref-format` allows, and a little less.
fn is_branch(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/');
    !name.is_empty()
        && name.len() <= 200
        && name.chars().all(fits)
        && !name.starts_with(['-', '/', '.'])
        && !name.ends_with(['/', '.'])
        && !name.contains("..")
        && !name.contains("//")
        && !name.contains("/.")
        && std::path::Path::new(name).extension().is_none_or(|end| end != "lock")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problem(change: &serde_json::Value) -> String {
        let mut spec = json!({"name": "p", "stages": [{"name": "a", "group": "a"}, {"name": "b", "group": "b"}]});
        for (path, value) in change.as_object().unwrap() {
            let mut place = &mut spec["stages"][1];
            for part in path.split('/') {
                place = &mut place[part];
            }
            *place = value.clone();
        }
        check(&serde_json::from_value(spec).unwrap()).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn a_pipeline_that_cannot_run_is_refused_with_the_stage_and_the_reason() {
        assert_eq!(problem(&json!({})), "");
        assert_eq!(
            problem(&json!({"gates/window": {"cron": "0 6 * * SAT", "minutes": 120, "zone": "Europe/Berlin"}})),
            ""
        );
        let git = |url: &str, push: &str, path: &str| {
            problem(&json!({"group": null, "git": {"url": url, "push": push, "path": path}}))
        };
        assert_eq!(git("/srv/flows.git", "main", "plant/flows.json"), "");
        assert_eq!(git("ssh://git@h/a.git", "main", "plant/flows.json"), "");
        let there = |url: &str, group: &str| problem(&json!({"group": null, "remote": {"url": url, "group": group}}));
        assert_eq!(there("https://b.example.com:1881", "b"), "");
        assert_eq!(there("http://[::1]:1881", "b"), "");
        for (told, what) in [
            (problem(&json!({"name": "a"})), "two of this name"),
            (problem(&json!({"group": "a"})), "another stage already"),
            (problem(&json!({"group": null})), "either a group, a remote group or a git repository"),
            (problem(&json!({"remote": {"url": "https://b:1", "group": "b"}})), "either a group"),
            (there("b.example.com:1881", "b"), "https://HOST:PORT"),
            (there("https://b.example.com/path", "b"), "https://HOST:PORT"),
            (there("https://b.example.com:70000", "b"), "https://HOST:PORT"),
            (there("https://flo_token@b.example.com:1881", "b"), "give the stage a token"),
            (there("https://b.example.com:1881", "b c"), "b c"),
            (
                problem(&json!({"group": null, "remote": {"url": "http://b:1", "group": "b", "away_minutes": 0}})),
                "away_minutes 0",
            ),
            (
                problem(&json!({"group": null, "remote": {"url": "https://b:1", "group": "b", "ca": "x"}})),
                "certificate",
            ),
            (problem(&json!({"gates/approvals": 21})), "approvals 21"),
            (problem(&json!({"gates/window": {"cron": "every day", "minutes": 1}})), "every day"),
            (problem(&json!({"gates/window": {"cron": "0 6 * * *", "minutes": 0}})), "minutes 0"),
            (problem(&json!({"gates/window": {"cron": "0 6 * * *", "minutes": 1, "zone": "Mars"}})), "Mars"),
            (git("https://bot:hush@h/a.git", "main", "f.json"), "must not have a user or password"),
            (git("ssh://git:hush@h/a.git", "main", "f.json"), "must not have a user or password"),
            (git("ssh://git:hu/sh@h/a.git", "main", "f.json"), "must not have a user or password"),
            (git("https://bot:hu/sh@h/a.git", "main", "f.json"), "must not have a user or password"),
            (git("HTTPS://token@h/a.git", "main", "f.json"), "must not have a user or password"),
            (git("--upload-pack=x", "main", ""), "--upload-pack"),
            (git("x", "-f", ""), "not a branch name"),
            (git("x", "main", "../x"), "must lie in the repository"),
        ] {
            assert!(told.contains("stage \"") && told.contains(what), "{told}");
        }
    }
}
