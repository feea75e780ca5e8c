//! What the handlers work with.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use flotilla_api::Problem;
use flotilla_balancer::Misses;
use flotilla_group::GroupError;
use flotilla_group::accounts::{Accounts, Joins};
use flotilla_group::audit::{AuditLog, Signer};
use flotilla_group::deadletter::{DeadLetters, Replays};
use flotilla_group::desired::{DesiredStates, Transfers};
use flotilla_group::member::Registry;
use flotilla_group::pipeline::{Pipelines, Runs, StageTokens};
use flotilla_group::revision::Revisions;
use flotilla_group::sealing::{KeyRing, newest};
use flotilla_group::secret::Secrets;
use flotilla_group::session::Sessions;
use flotilla_group::snapshot::Snapshots;
use flotilla_group::spec::Specs;
use flotilla_group::version::Held;
use flotilla_store::Store;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::document::Document;
use super::left::SessionEnder;
use super::logins::Logins;
use super::logs::Logs;
use super::problem::Failure;
use super::rate::Rate;
use super::sign_in_with::SignIn;
use super::token::Token;

/// So many may follow log lines or debug messages at once: each may be slow, and what waits for it takes memory.
const STREAMS: usize = 64;

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
    /// Places for those that follow something.
    pub(super) streams: Arc<Semaphore>,
    /// Ends what groups leave at MQTT brokers.
    pub(super) ender: Option<Arc<dyn SessionEnder>>,
    /// Requests of its own group that no replica answered.
    pub(super) misses: Arc<Misses>,
}

/// The API for a change: what it reads and writes of the thing in its path is of the version that the request names.
pub(super) struct Of(pub(super) Api);

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
            streams: Arc::new(Semaphore::new(STREAMS)),
            ender: None,
            misses: Arc::default(),
        }
    }

    /// The same over another store.
    fn over(&self, store: Arc<dyn Store>) -> Api {
        Api { accounts: Accounts::new(store.clone()), store, ..self.clone() }
    }

    /// The same with what alerts are signed with.
    pub fn with_alert_secret(self, alert_secret: Option<Arc<str>>) -> Api {
        Api { alert_secret, ..self }
    }

    /// The same with what ends the MQTT sessions of groups that are removed.
    pub fn with_session_ender(self, ender: Arc<dyn SessionEnder>) -> Api {
        Api { ender: Some(ender), ..self }
    }

    /// The same with the requests that this gateway answered itself.
    pub fn with_misses(self, misses: Arc<Misses>) -> Api {
        Api { misses, ..self }
    }

    /// The same with log lines.
    pub fn with_logs(self, logs: Option<Logs>) -> Api {
        Api { logs, ..self }
    }

    /// The group's keys as they are now: what is sealed with the newest one or with one that is being replaced can be opened.
    pub(crate) async fn key(&self) -> Result<Option<Arc<str>>, GroupError> {
        self.ring.keys().await
    }

    /// True when a group that is not there has no replicas and has left MQTT sessions at brokers.
    pub(super) async fn is_left(&self, group: &str) -> Result<bool, Failure> {
        let sessions = self.sessions(group)?;
        Ok((sessions.are_owed().await? || !sessions.list().await?.is_empty())
            && self.registry(group)?.list().await?.is_empty())
    }

    fn signer(&self) -> Option<Arc<Signer>> {
        self.ring.known().and_then(|keys| Signer::new(newest(&keys))).map(Arc::new)
    }

    /// The same with another system that says who somebody is.
    pub fn with_sign_in(self, sign_in: Option<SignIn>) -> Api {
        Api { sign_in: sign_in.map(Arc::new), ..self }
    }

    pub(super) fn sessions(&self, group: &str) -> Result<Sessions, Failure> {
        Ok(Sessions::new(self.store.clone(), group)?)
    }

    pub(crate) fn registry(&self, group: &str) -> Result<Registry, Failure> {
        Ok(Registry::new(self.store.clone(), group)?)
    }

    pub(crate) fn desired(&self, group: &str) -> Result<DesiredStates, Failure> {
        Ok(DesiredStates::new(self.store.clone(), group)?)
    }

    pub(super) fn transfers(&self, group: &str) -> Result<Transfers, Failure> {
        Ok(Transfers::new(self.store.clone(), group)?)
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

    /// A place for one that follows something, for as long as it does.
    ///
    /// # Errors
    /// 429 when all are taken.
    pub(super) fn stream(&self) -> Result<OwnedSemaphorePermit, Problem> {
        self.streams.clone().try_acquire_owned().map_err(|_| {
            let detail = format!("{STREAMS} clients follow this gateway already: end one, or ask without follow=true");
            Problem::new(429, "too_many_streams", detail).retry_after(5)
        })
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

impl FromRequestParts<Api> for Of {
    type Rejection = Infallible;

    /// The guard has put the store of the change there.
    async fn from_request_parts(parts: &mut Parts, api: &Api) -> Result<Of, Infallible> {
        let held = parts.extensions.get::<Arc<Held>>().cloned();
        Ok(Of(held.map_or_else(|| api.clone(), |held| api.over(held))))
    }
}
