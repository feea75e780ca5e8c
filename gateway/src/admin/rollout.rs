//! Rollouts: status, pause, resume, cancel.

use axum::Json;
use axum::extract::{Path, State};
use flotilla_group::course::Course;
use flotilla_group::rollout::{Action, Rollout, Seen, decide};
use serde::{Deserialize, Serialize};

use super::api::{Api, Body};
use super::problem::Problem;

/// A group's course as the API shows it.
#[derive(Serialize)]
pub(super) struct Shown {
    #[serde(flatten)]
    course: Course,
    /// The revision that the group ends with.
    goal: String,
    /// What the rollout waits for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    waits_for: Option<String>,
    /// Who holds the upgrade lease and takes the next step.
    #[serde(skip_serializing_if = "Option::is_none")]
    driver: Option<String>,
}

/// Who pauses, resumes or cancels.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
pub(super) struct By {
    #[serde(default)]
    actor: String,
}

/// `GET /api/v1/groups/{group}/rollout`
pub(super) async fn status(State(api): State<Api>, Path(group): Path<String>) -> Result<Json<Shown>, Problem> {
    let courses = api.courses(&group)?;
    let Some((course, _)) = courses.load().await? else {
        return Err(Problem::new(404, "no_revision", format!("group \"{group}\" has no revision yet: deploy one")));
    };
    let (mut waits_for, mut driver) = (None, None);
    if let Some(rollout) = course.active() {
        driver = courses.driver().await?;
        let seen = Seen { now_ms: courses.now_ms().await?, replicas: api.registry(&group)?.staying().await? };
        if let Action::Wait { why } = decide(rollout, &seen) {
            waits_for = Some(why);
        }
    }
    Ok(Json(Shown { goal: course.goal().to_owned(), waits_for, driver, course }))
}

/// `POST /api/v1/groups/{group}/rollout/{pause|resume|cancel}`
pub(super) async fn change(
    State(api): State<Api>,
    Path((group, what)): Path<(String, String)>,
    Body(by): Body<By>,
) -> Result<Json<Rollout>, Problem> {
    let change = match what.as_str() {
        "pause" => Rollout::pause,
        "resume" => Rollout::resume,
        "cancel" => Rollout::cancel,
        other => {
            let detail = format!("a rollout cannot \"{other}\": use pause, resume or cancel");
            return Err(Problem::new(404, "not_found", detail));
        }
    };
    let actor = if by.actor.is_empty() { "admin" } else { by.actor.as_str() };
    Ok(Json(api.courses(&group)?.change(actor, change).await?))
}
