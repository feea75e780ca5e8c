//! Who sends a request.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use flotilla_api::Problem;
use flotilla_api::audit::{AuditEntry, Origin};
use flotilla_group::rights::{Limits, Principal, Refused, Right, Target};

use super::api::Api;
use super::problem::Failure;

/// How a request came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// From `flotilla`.
    Cli,
    /// From another client of the API.
    Api,
    /// Over Node-RED's admin API.
    Editor,
    /// From a page of our own, in a browser.
    Page,
}

/// Who sends a request: known from its credential, and from nothing that the request says. Handlers get it from the guard.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) principal: Arc<Principal>,
    /// What was shown, for the audit log.
    pub(super) credential: Arc<str>,
    pub(super) source: Source,
    pub(super) address: Option<IpAddr>,
    /// How long the token that was shown is still good; `None`: without an end, or it is that of a login.
    pub(super) expires_s: Option<u64>,
}

impl Source {
    pub(super) fn word(self) -> &'static str {
        match self {
            Source::Cli => "cli",
            Source::Api => "api",
            Source::Editor => "editor",
            Source::Page => "page",
        }
    }
}

impl Caller {
    /// Nobody: what a route that is open to all gets.
    pub(super) fn nobody(source: Source, address: Option<IpAddr>) -> Caller {
        let principal = Principal { name: "nobody".to_owned(), grants: Vec::new(), limits: Limits::default() };
        Caller { principal: Arc::new(principal), credential: "".into(), source, address, expires_s: None }
    }

    /// The name for the audit log.
    pub(super) fn name(&self) -> &str {
        &self.principal.name
    }

    /// For the audit log.
    pub(super) fn origin(&self) -> Origin {
        Origin {
            actor: self.principal.name.clone(),
            source: self.source.word().to_owned(),
            credential: self.credential.to_string(),
            address: self.address.map(|address| address.to_string()).unwrap_or_default(),
        }
    }

    /// An entry about what they did.
    pub(super) fn entry(&self, action: &str, why: impl Into<String>) -> AuditEntry {
        self.origin().entry(action, why)
    }

    /// Whether it is this token that was shown.
    pub(super) fn shows_token(&self, id: &str) -> bool {
        !id.is_empty() && self.credential.starts_with("token ") && self.credential.ends_with(&format!("({id})"))
    }

    /// Whether they may look at a group.
    pub(super) fn sees(&self, group: &str) -> bool {
        self.principal.sees(group)
    }

    /// Whether they may deploy to any group at all.
    pub(super) fn may_deploy(&self) -> bool {
        self.principal.may(Right::Deploy, Target::default()).is_ok()
    }

    /// Refuses what they may not do beside what the route asks for, in no group in particular.
    pub(super) fn require_any(&self, right: Right) -> Result<(), Failure> {
        self.principal.may(right, Target::default()).map_err(|refused| refusal(&refused).into())
    }

    /// Refuses those who may not deploy to a group beside the one in the path.
    pub(super) async fn require_deploy(&self, api: &Api, group: &str) -> Result<(), Failure> {
        let target = Target { group: Some(group), protected: api.is_protected(group).await?, ..Target::default() };
        self.principal.may(Right::Deploy, target).map_err(|refused| refusal(&refused).into())
    }

    /// Refuses what they may not do to a group beside the one in the path. For deploys see [`Caller::require_deploy`].
    pub(super) fn require(&self, right: Right, group: &str) -> Result<(), Failure> {
        let target = Target { group: Some(group), ..Target::default() };
        self.principal.may(right, target).map_err(|refused| refusal(&refused).into())
    }
}

/// A refusal as an answer: it names the right that is missing.
pub(super) fn refusal(refused: &Refused) -> Problem {
    Problem { right: Some(refused.right.word().into()), ..Problem::new(403, "forbidden", refused.reason.clone()) }
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Infallible;

    /// The guard is in front of every route, so it has put the caller there; without it the request is nobody's.
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Caller, Infallible> {
        Ok(parts.extensions.get::<Caller>().cloned().unwrap_or_else(|| Caller::nobody(Source::Api, None)))
    }
}
