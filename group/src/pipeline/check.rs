//! What a pipeline must be.

use std::collections::BTreeSet;

use flotilla_api::pipeline::{Action, PipelineSpec, StageSpec};

use super::window;
use crate::error::GroupError;
use crate::keys;

/// Approvals at most.
const MOST: u32 = 20;

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
        match (&stage.group, &stage.git) {
            (Some(group), None) => {
                keys::check("group name", group)?;
                if !groups.insert(group) {
                    return bad("group", format!("group \"{group}\" is another stage already"));
                }
            }
            (None, Some(git)) => {
                if git.url.trim().is_empty() || git.url.starts_with('-') {
                    return bad("url", format!("git url \"{}\" is none", git.url));
                }
                let web = git.url.strip_prefix("https://").or_else(|| git.url.strip_prefix("http://"));
                if web.is_some_and(|rest| rest.split('/').next().unwrap_or_default().contains('@')) {
                    // Everybody who sees a pipeline sees its URLs.
                    return bad(
                        "url",
                        "a user or password does not belong into the git url: use a credential helper of git"
                            .to_owned(),
                    );
                }
                if git.push.is_none() && git.pull.is_none() {
                    return bad("push", "name the branch to push to or the one to pull from".to_owned());
                }
                for branch in git.push.iter().chain(&git.pull) {
                    if !is_branch(branch) {
                        return bad("push", format!("\"{branch}\" is no name of a branch"));
                    }
                }
                if git.path.starts_with('/') || git.path.split('/').any(|part| matches!(part, ".." | ".git")) {
                    return bad("path", format!("path \"{}\" must lie in the repository", git.path));
                }
            }
            _ => return bad("group", "it must be either a group or a git repository".to_owned()),
        }
        gates(stage)?;
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
        for (told, what) in [
            (problem(&json!({"name": "a"})), "two of this name"),
            (problem(&json!({"group": "a"})), "another stage already"),
            (problem(&json!({"group": null})), "either a group or a git repository"),
            (problem(&json!({"gates/approvals": 21})), "approvals 21"),
            (problem(&json!({"gates/window": {"cron": "every day", "minutes": 1}})), "every day"),
            (problem(&json!({"gates/window": {"cron": "0 6 * * *", "minutes": 0}})), "minutes 0"),
            (problem(&json!({"gates/window": {"cron": "0 6 * * *", "minutes": 1, "zone": "Mars"}})), "Mars"),
            (git("--upload-pack=x", "main", ""), "--upload-pack"),
            (git("x", "-f", ""), "no name of a branch"),
            (git("x", "main", "../x"), "must lie in the repository"),
        ] {
            assert!(told.contains("stage \"") && told.contains(what), "{told}");
        }
    }
}
