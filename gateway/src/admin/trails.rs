//! Trails of a group: where recorded deliveries went, and which are recorded.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use flotilla_api::trail::{Trail, TrailFilter, TrailRule, Trails};
use flotilla_api::{Client, ClientError, Problem};
use flotilla_group::trail::TrailRules;
use futures::FutureExt as _;

use super::api::{Api, Of};
use super::body::Body;
use super::caller::Caller;
use super::parameters::{Path, Query};
use super::problem::Failure;
use crate::replicas::Control;

/// `GET /api/v1/groups/{group}/trails`: the newest first.
pub(super) async fn list(
    State(api): State<Api>,
    Path(group): Path<String>,
    Query(filter): Query<TrailFilter>,
) -> Result<Json<Trails>, Failure> {
    api.specs().get(&group).await?;
    let path = format!("/control/v1/trails?{}", filter.query());
    let ask = move |client: Client| {
        let path = path.clone();
        async move { client.get::<Vec<Trail>>(&path).await }.boxed()
    };
    let replies = Control::new(api.store.clone(), &group).ask(|_| true, ask).await?;
    let mut all: Vec<Trail> = replies.answers.into_iter().flat_map(|(_, trails)| trails).collect();
    if group == api.group {
        // What this gateway answered itself; another gateway has its own.
        all.extend(api.misses.trails());
    }
    let rule = TrailRules::new(api.store.clone(), &group)?.get().await?.map(|(rule, _)| rule);
    Ok(Json(Trails { trails: filter.of(all), rule, unanswered: replies.unanswered }))
}

/// `GET /api/v1/groups/{group}/trails/rule`.
pub(super) async fn rule(State(api): State<Api>, Path(group): Path<String>) -> Result<Json<TrailRule>, Failure> {
    api.specs().get(&group).await?;
    let rule = TrailRules::new(api.store.clone(), &group)?.get().await?;
    let (rule, _) = rule.ok_or_else(|| {
        Problem::new(404, "no_rule", format!("group \"{group}\" records failures alone: `flotilla trail --help`"))
    })?;
    Ok(Json(rule))
}

/// `PUT /api/v1/groups/{group}/trails/rule`: takes the place of the rule before.
pub(super) async fn set_rule(
    Of(api): Of,
    Path(group): Path<String>,
    caller: Caller,
    Body(rule): Body<TrailRule>,
) -> Result<StatusCode, Failure> {
    api.specs().get(&group).await?;
    let rule = understood(&api, &group, rule).await?;
    TrailRules::new(api.store.clone(), &group)?.set(Some(&rule)).await?;
    api.audit(&group)?.write(caller.entry("trail-rule", format!("records {rule}"))).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /api/v1/groups/{group}/trails/rule`: nothing but failures is recorded.
pub(super) async fn remove_rule(Of(api): Of, Path(group): Path<String>, caller: Caller) -> Result<StatusCode, Failure> {
    api.specs().get(&group).await?;
    TrailRules::new(api.store.clone(), &group)?.set(None).await?;
    api.audit(&group)?.write(caller.entry("trail-rule", "records failures alone".to_owned())).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The rule with the node's id in it, as a replica that runs the flow understands it.
async fn understood(api: &Api, group: &str, rule: TrailRule) -> Result<TrailRule, Failure> {
    let ask = move |client: Client| {
        let rule = rule.clone();
        // A refusal is an answer, too.
        async move {
            match client.post::<TrailRule>("/control/v1/trails/rule", &rule).await {
                Err(ClientError::Refused(problem)) => Ok(Err(problem)),
                other => other.map(Ok),
            }
        }
        .boxed()
    };
    let replies = Control::new(api.store.clone(), group).ask(|_| true, ask).await?;
    let (mut refused, mut understood) = (None, None);
    for (_, answer) in replies.answers {
        match answer {
            Ok(rule) => understood = Some(rule),
            Err(problem) => refused = Some(problem),
        }
    }
    match (understood, refused) {
        (Some(rule), _) => Ok(rule),
        (None, Some(problem)) => Err(problem.into()),
        (None, None) => {
            let detail =
                format!("no replica of group \"{group}\" answers, so nobody can record: see `flotilla status`");
            Err(Problem::new(409, "no_replicas", detail).into())
        }
    }
}
