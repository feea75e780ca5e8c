//! What the handlers work with.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, Request};
use flotilla_api::Problem;
use flotilla_group::GroupError;
use flotilla_group::accounts::{Accounts, Joins};
use flotilla_group::audit::{AuditLog, Signer};
use flotilla_group::deadletter::{DeadLetters, Replays};
use flotilla_group::desired::DesiredStates;
use flotilla_group::member::Registry;
use flotilla_group::pipeline::{Pipelines, Runs, StageTokens};
use flotilla_group::revision::Revisions;
use flotilla_group::sealing::{KeyRing, newest};
use flotilla_group::secret::Secrets;
use flotilla_group::snapshot::Snapshots;
use flotilla_group::spec::Specs;
use flotilla_store::Store;
use serde::de::DeserializeOwned;

use super::document::Document;
use super::logins::Logins;
use super::logs::Logs;
use super::problem::Failure;
use super::rate::Rate;
use super::sign_in_with::SignIn;
use super::token::Token;

/// Which node types a deploy may use.
#[derive(Clone, Debug, Default)]
pub struct NodeTypes {
    /// The types that replicas have.
    pub known: Vec<String>,
    /// Types beyond these run all the same, and swallow messages visibly.
    pub allow_unknown: bool,
}

/// What the handlers work with.
#[derive(Clone)]
pub struct Api {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) group: String,
    pub(super) types: Arc<NodeTypes>,
    /// The group's keys: credentials are kept encrypted with the newest.
    pub(crate) ring: KeyRing,
    /// The gateway's own token; without one it answers everybody on its machine while there is no user.
    pub(super) token: Option<Token>,
    /// What it says of itself.
    pub(super) document: Document,
    pub(super) accounts: Accounts,
    pub(super) logins: Arc<Logins>,
    /// Another system that says who somebody is.
    pub(super) sign_in: Option<Arc<SignIn>>,
    /// How often each caller may ask.
    pub(super) rate: Arc<Rate>,
    /// How often sign-ins may begin there.
    pub(super) sign_ins: Arc<Rate>,
    /// Browsers reach the admin address over TLS.
    pub(super) tls: bool,
    /// What this gateway collects of the replicas' log lines; none if it cannot.
    pub(super) logs: Option<Logs>,
    /// What alerts are signed with.
    pub(super) alert_secret: Option<Arc<str>>,
}

/// A JSON body; what does not fit is a problem with a code.
pub(super) struct Body<T>(pub(super) T);

impl Api {
    /// An API over a store. `group` is the one that is meant when none is named.
    pub fn new(store: Arc<dyn Store>, group: &str, types: NodeTypes, ring: KeyRing) -> Api {
        Api {
            accounts: Accounts::new(store.clone()),
            token: None,
            document: Document::default(),
            logins: Arc::default(),
            store,
            group: group.to_owned(),
            types: Arc::new(types),
            ring,
            sign_in: None,
            rate: Arc::default(),
            sign_ins: Arc::default(),
            tls: false,
            logs: None,
            alert_secret: None,
        }
    }

    /// The same with what alerts are signed with.
    pub fn with_alert_secret(self, alert_secret: Option<Arc<str>>) -> Api {
        Api { alert_secret, ..self }
    }

    /// The same with log lines.
    pub fn with_logs(self, logs: Option<Logs>) -> Api {
        Api { logs, ..self }
    }

    /// The group's keys as they are now: what is sealed with the newest one or with one that is being replaced can be opened.
    pub(crate) async fn key(&self) -> Result<Option<Arc<str>>, GroupError> {
        self.ring.keys().await
    }

    fn signer(&self) -> Option<Arc<Signer>> {
        self.ring.known().and_then(|keys| Signer::new(newest(&keys))).map(Arc::new)
    }

    /// The same with another system that says who somebody is.
    pub fn with_sign_in(self, sign_in: Option<SignIn>) -> Api {
        Api { sign_in: sign_in.map(Arc::new), ..self }
    }

    pub(crate) fn registry(&self, group: &str) -> Result<Registry, Failure> {
        Ok(Registry::new(self.store.clone(), group)?)
    }

    pub(crate) fn desired(&self, group: &str) -> Result<DesiredStates, Failure> {
        Ok(DesiredStates::new(self.store.clone(), group)?)
    }

    pub(crate) fn revisions(&self, group: &str) -> Result<Revisions, Failure> {
        Ok(Revisions::new(self.store.clone(), group)?)
    }

    pub(crate) fn secrets(&self, group: &str) -> Result<Secrets, Failure> {
        Ok(Secrets::new(self.store.clone(), group)?)
    }

    pub(crate) fn snapshots(&self, group: &str) -> Result<Snapshots, Failure> {
        Ok(Snapshots::new(self.store.clone(), group)?)
    }

    pub(crate) fn dead_letters(&self, group: &str) -> Result<DeadLetters, Failure> {
        Ok(DeadLetters::new(self.store.clone(), group, self.ring.clone())?)
    }

    pub(crate) fn replays(&self, group: &str) -> Result<Replays, Failure> {
        Ok(Replays::new(self.store.clone(), group)?)
    }

    pub(crate) fn audit(&self, group: &str) -> Result<AuditLog, Failure> {
        Ok(AuditLog::new(self.store.clone(), group)?.signed(self.signer()))
    }

    pub(super) fn joins(&self) -> Joins {
        Joins::new(self.store.clone())
    }

    /// The log of what concerns no group.
    pub(super) fn system_audit(&self) -> AuditLog {
        AuditLog::system(self.store.clone()).signed(self.signer())
    }

    pub(crate) fn pipelines(&self) -> Pipelines {
        Pipelines::new(self.store.clone())
    }

    pub(crate) fn runs(&self, pipeline: &str) -> Result<Runs, Failure> {
        Ok(Runs::new(self.store.clone(), pipeline)?)
    }

    pub(crate) fn stage_tokens(&self, pipeline: &str) -> Result<StageTokens, Failure> {
        Ok(StageTokens::new(self.store.clone(), pipeline)?)
    }

    /// Whether only its owners may deploy to a group.
    pub(super) async fn is_protected(&self, group: &str) -> Result<bool, Failure> {
        match self.specs().get(group).await {
            Ok(spec) => Ok(spec.protected),
            // The handler says so to those who may know.
            Err(GroupError::NoGroup(_) | GroupError::BadName { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn specs(&self) -> Specs {
        Specs::new(self.store.clone())
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Body<T>, Failure> {
        match Json::<T>::from_request(request, state).await {
            Ok(Json(value)) => Ok(Body(value)),
            Err(JsonRejection::MissingJsonContentType(_)) => {
                Err(Problem::new(415, "not_json", "send the body with Content-Type: application/json").into())
            }
            Err(error) => Err(Problem::new(error.status().as_u16(), "bad_body", error.body_text()).into()),
        }
    }
}
