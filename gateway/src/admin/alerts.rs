//! Alerts of a group.

use std::time::{SystemTime, UNIX_EPOCH};

use axum::Json;
use axum::extract::State;
use flotilla_api::Problem;
use flotilla_api::alert::{Alert, AlertKind, AlertTest, Alerts};
use flotilla_group::alert::Books;

use super::api::Api;
use super::caller::Caller;
use super::parameters::Path;
use super::problem::Failure;
use crate::alerts::Webhook;

/// `GET /api/v1/groups/{group}/alerts`.
pub(super) async fn list(State(api): State<Api>, Path(group): Path<String>) -> Result<Json<Alerts>, Failure> {
    api.specs().get(&group).await?;
    Ok(Json(Books::new(api.store.clone(), &group)?.load().await?.0))
}

/// `POST /api/v1/groups/{group}/alerts/test`: sends an alert that says it is a test to the group's webhook, once.
pub(super) async fn test(
    State(api): State<Api>,
    Path(group): Path<String>,
    caller: Caller,
) -> Result<Json<AlertTest>, Failure> {
    let rules = api.specs().get(&group).await?.alerts;
    if rules.webhook.is_empty() {
        let detail = format!("group \"{group}\" has no alerts.webhook: set it with `flotilla group edit {group}`");
        return Err(Problem::new(409, "no_webhook", detail).of_field("alerts.webhook").into());
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    let alert = Alert {
        id: format!("test-{now}"),
        group: group.clone(),
        kind: AlertKind::ReplicaCrashed,
        cause: "test".to_owned(),
        text: format!("{} tests the way of alerts: nothing is wrong", caller.name()),
        ready_before: 0,
        since_ms: now,
        ended_ms: Some(now),
        test: true,
    };
    let failed = |error: crate::alerts::WebhookError| Problem::new(502, "webhook_failed", error.to_string());
    let webhook = Webhook::new(&rules.webhook, api.alert_secret.clone()).map_err(failed)?;
    let status = webhook.send(&alert).await.map_err(failed)?;
    api.audit(&group)?.write(caller.entry("alert-test", String::new())).await?;
    Ok(Json(AlertTest { webhook: rules.webhook, status, signed: api.alert_secret.is_some() }))
}
