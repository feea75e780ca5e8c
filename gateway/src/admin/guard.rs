//! The guard of one route: lets those in who have the right that the route names.

use std::sync::Arc;

use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use flotilla_api::Problem;
use flotilla_group::GroupError;
use flotilla_group::host::Hosts;
use flotilla_group::rights::{Right, Target};

use super::api::Api;
use super::caller::{Caller, Source, refusal};
use super::gate::Gate;
use super::precondition::Precondition;
use super::problem::Failure;
use super::refusals::Refusals;
use super::versioned::Versioned;

/// What all guards share.
pub(super) struct Post {
    pub(super) gate: Gate,
    pub(super) api: Api,
    pub(super) refusals: Refusals,
}

/// The guard of one route.
#[derive(Clone)]
pub(super) struct Guard {
    pub(super) post: Arc<Post>,
    pub(super) right: Right,
    /// It is of Node-RED's admin API, which is about the gateway's own group.
    pub(super) of_node_red: bool,
    /// It is a page.
    pub(super) is_page: bool,
    /// The route, for the audit log: `POST /api/v1/groups/{group}/deploy`.
    pub(super) route: Arc<str>,
    /// What it shows or changes the version of.
    pub(super) versioned: Option<Versioned>,
}

/// Lets a request in, or answers 401 or 403.
pub(super) async fn guard(
    State(guard): State<Guard>,
    params: Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let params = match params {
        Ok(params) => params,
        Err(error) => {
            let detail = format!("{}: a path is UTF-8, percent-encoded", error.body_text());
            return Failure(Problem::new(error.status().as_u16(), "bad_path", detail)).into_response();
        }
    };
    let (mut parts, body) = request.into_parts();
    let gate = &guard.post.gate;
    let admitted = match guard.right {
        Right::Open => Ok(Gate::anybody(&parts)),
        _ => gate.admit(&parts).await,
    };
    let caller = match admitted {
        Ok(caller) if guard.of_node_red => Caller { source: Source::Editor, ..caller },
        Ok(caller) if guard.is_page => Caller { source: Source::Page, ..caller },
        Ok(caller) => caller,
        Err(failure) => return failure.into_response(),
    };
    let param = |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value);
    let own = guard.of_node_red.then_some(guard.post.api.group.as_str());
    if let Err(failure) = guard.authorize(&caller, param("group").or(own), param("replica"), param("host")).await {
        return failure.into_response();
    }
    // After the rights: whoever may not look is told nothing of a version.
    let mark = guard.versioned.and_then(|versioned| versioned.mark(param));
    let about = match guard.of_node_red || guard.is_page {
        true => Ok(Precondition::None),
        false => Precondition::of(&guard.post.api, (&parts.method, &parts.headers), guard.versioned, mark).await,
    };
    let about = match about {
        Ok(about) => about,
        Err(failure) => return failure.into_response(),
    };
    if let Precondition::Change(held) = &about {
        parts.extensions.insert(held.clone());
    }
    parts.extensions.insert(caller);
    about.answer(next.run(Request::from_parts(parts, body)).await)
}

impl Guard {
    async fn authorize(
        &self,
        caller: &Caller,
        group: Option<&str>,
        replica: Option<&str>,
        host: Option<&str>,
    ) -> Result<(), Failure> {
        // Whoever shows nothing has nothing to be told apart by; what is slow there has bounds of its own.
        if self.right != Right::Open {
            self.post.api.rate.take(caller.name())?;
        }
        let owns_host = match (replica, host) {
            (Some(replica), _) => self.post.api.joins().owner(replica).await?.as_deref() == Some(caller.name()),
            (_, Some(host)) if self.right == Right::ManageHost => self.owns(caller, host).await?,
            _ => false,
        };
        let target = Target { group, protected: self.is_protected(group).await?, owns_host };
        let Err(refused) = caller.principal.may(self.right, target) else { return Ok(()) };
        let problem = refusal(&refused);
        self.audit(caller, group, &problem).await;
        Err(problem.into())
    }

    /// Whether a host is the caller's. One that is not there is nobody's.
    async fn owns(&self, caller: &Caller, host: &str) -> Result<bool, Failure> {
        match Hosts::new(self.post.api.store.clone()).get(host).await {
            Ok(known) if known.facts.owner != caller.name() || known.facts.owner.is_empty() => Ok(false),
            // Not another one who got the name later.
            Ok(known) => {
                let user = self.post.api.accounts.users().find(caller.name()).await?;
                Ok(user.is_some_and(|user| user.id == known.facts.owner_id))
            }
            Err(GroupError::NoHost(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Only deploys ask for it.
    async fn is_protected(&self, group: Option<&str>) -> Result<bool, Failure> {
        match group.filter(|_| self.right == Right::Deploy) {
            Some(group) => self.post.api.is_protected(group).await,
            None => Ok(false),
        }
    }

    /// Writes a refusal into the group's audit log. Who is refused again and again fills no log.
    async fn audit(&self, caller: &Caller, group: Option<&str>, problem: &Problem) {
        metrics::counter!("flotilla_admin_refused_total", "reason" => "forbidden").increment(1);
        let Some(times) = self.post.refusals.count(caller.name(), &self.route, group) else { return };
        tracing::warn!(who = caller.name(), route = %self.route, group, times, "refused: {}", problem.detail);
        let written = async {
            let api = &self.post.api;
            let log = match group {
                // What is no group has no log.
                Some(group) if api.specs().get(group).await.is_ok() => api.audit(group)?,
                _ => api.system_audit(),
            };
            let entry = caller.entry("refused", format!("{}: {}", self.route, problem.detail));
            let entry = flotilla_api::audit::AuditEntry { result: "refused".to_owned(), ..entry };
            log.write(entry).await?;
            Ok::<(), Failure>(())
        };
        if let Err(Failure(problem)) = written.await {
            tracing::warn!("a refusal is not in the audit log: {problem}");
        }
    }
}
