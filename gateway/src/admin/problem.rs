//! Errors as `application/problem+json` (RFC 9457).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flotilla_api::problem::Part;
use flotilla_api::problem::{CONTENT_TYPE, Problem};
use flotilla_group::GroupError;
use flotilla_group::placement::PlacementError;
use flotilla_store::StoreError;

/// Why a request is refused, as an answer.
#[derive(Debug)]
pub struct Failure(pub Problem);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let retry_after_s = self.0.retry_after_s;
        let mut response = (status, Json(self.0)).into_response();
        let kind = HeaderValue::from_static(CONTENT_TYPE);
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if let Some(seconds) = retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.get().into());
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<GroupError> for Failure {
    fn from(error: GroupError) -> Failure {
        let (status, code, field) = match &error {
            GroupError::Store(_) => (503, "store_unavailable", None),
            GroupError::NoRevision(_) => (404, "no_such_revision", Some("revision")),
            GroupError::BadName { .. } => (400, "bad_name", Some("name")),
            GroupError::IdTaken { .. } => (409, "id_taken", Some("id")),
            GroupError::Corrupt { .. } => (500, "store_corrupt", None),
            GroupError::NewerRecord { .. } => (500, "newer_record", None),
            GroupError::RolloutActive { .. } => (409, "rollout_active", None),
            GroupError::Unchanged { .. } => (409, "unchanged", Some("revision")),
            GroupError::Rules { field, .. } => (400, "bad_rules", Some(*field)),
            GroupError::NoRollout { .. } => (409, "no_rollout", None),
            GroupError::Missing { .. } => (409, "missing_keys", None),
            GroupError::BaseChanged { .. } => (409, "base_changed", Some("base")),
            GroupError::NoKeyName { .. } => (404, "no_such_key", Some("name")),
            GroupError::NoPrevious { .. } => (409, "no_previous_revision", Some("revision")),
            GroupError::NoGroup(_) => (404, "no_such_group", Some("group")),
            GroupError::GroupExists(_) => (409, "group_exists", Some("name")),
            GroupError::GroupInUse { .. } | GroupError::EndingLost { .. } => (409, "group_in_use", None),
            GroupError::NoReplica(_) => (404, "no_such_replica", Some("replica")),
            GroupError::MemberElsewhere { .. } => (409, "member_elsewhere", Some("replica")),
            GroupError::IsMember { .. } => (409, "is_member", Some("replica")),
            GroupError::NotMember { .. } => (409, "not_member", Some("replica")),
            GroupError::Key { field, .. } => (422, "bad_key", Some(*field)),
            GroupError::Busy { .. } => (409, "busy", None),
            GroupError::NoUser(_) => (404, "no_such_user", Some("user")),
            GroupError::UserExists(_) => (409, "user_exists", Some("name")),
            GroupError::NoToken(_) => (404, "no_such_token", Some("id")),
            GroupError::NoSuch { code, .. } => (404, *code, None),
            GroupError::Invalid { field, .. } => (400, "bad_value", Some(*field)),
            GroupError::Conflict { code, .. } => (409, *code, None),
            GroupError::NoHost(_) => (404, "no_such_host", Some("host")),
            GroupError::HostAlive(_) => (409, "host_alive", Some("host")),
            GroupError::HostTaken { .. } => (409, "host_taken", Some("host")),
            GroupError::Placement(error) => match error {
                PlacementError::NoServerGroup(_) => (404, "no_such_server_group", Some("server_group")),
                PlacementError::ServerGroupExists(_) => (409, "server_group_exists", Some("name")),
                PlacementError::BadRules(_) => (400, "bad_rules", Some("rules")),
                PlacementError::InServerGroup { .. } => (409, "in_server_group", Some("group")),
                PlacementError::Upgrade { code, .. } => (409, *code, None),
                PlacementError::NoValidHost(_) => (409, "no_valid_host", None),
            },
        };
        let mut problem = Problem::new(status, code, error.to_string());
        if let GroupError::Placement(PlacementError::NoValidHost(none)) = &error {
            let part = |(host, why): &(String, String)| Part {
                code: "host".into(),
                name: host.clone(),
                detail: why.clone(),
                ..Part::default()
            };
            problem.problems = none.hosts.iter().map(part).collect();
        }
        Failure(match field {
            Some(field) => problem.of_field(field),
            None => problem,
        })
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Failure {
        Failure(problem)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        GroupError::from(error).into()
    }
}
