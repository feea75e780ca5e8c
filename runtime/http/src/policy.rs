//! What the settings of a revision say about every request, read once per change of the settings.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use flotilla_engine::settings::Settings;
use serde_json::Value as Json;

use super::cors::Cors;
use super::files::Files;
use super::node_root::node_root;
use super::trust::Trust;

/// A client waits this long at most; setting `httpNodeTimeout` in milliseconds.
const DEADLINE: Duration = Duration::from_secs(120);

/// What the settings say.
pub(super) struct Policy {
    pub(super) cors: Option<Cors>,
    /// `httpNodeCors` is not set: preflights are answered as Node-RED's admin API does.
    pub(super) default_preflights: bool,
    pub(super) trust: Trust,
    /// `httpNodeAuth`: what requests to nodes have to show.
    pub(super) auth: Option<Json>,
    /// Served where no node answers.
    pub(super) files: Files,
    /// Where HTTP nodes are: `httpNodeAuth` protects all that is below it.
    root: Option<String>,
    /// How long a flow may take for an answer.
    pub(super) deadline: Duration,
}

impl Policy {
    fn read(settings: &Settings) -> Policy {
        let cors = settings.node_red.get("httpNodeCors");
        Policy {
            cors: Cors::from_setting(cors),
            default_preflights: cors.is_none(),
            files: Files::read(settings),
            root: node_root(&settings.node_red),
            auth: settings.node_red.get("httpNodeAuth").cloned(),
            trust: Trust::of(settings.node_red.get("trustProxy"), settings.share_subscriptions),
            deadline: settings.number("httpNodeTimeout").map_or(DEADLINE, flotilla_value::wait_ms),
        }
    }
}

impl Policy {
    /// True for a path below `httpNodeRoot`, however it is written: routes and file systems may take `/API` and `/%61pi` for
    /// `/api`.
    pub(super) fn is_below_root(&self, path: &str) -> bool {
        let Some(root) = &self.root else { return false };
        let decoded = percent_encoding::percent_decode_str(path).decode_utf8_lossy().to_lowercase();
        decoded.strip_prefix(&root.to_lowercase()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// The policy of the settings that it was asked for last.
#[derive(Default)]
pub(super) struct Policies(RefCell<Option<(Arc<Settings>, Rc<Policy>)>>);

impl Policies {
    /// The policy of these settings.
    pub(super) fn of(&self, settings: &Arc<Settings>) -> Rc<Policy> {
        let mut last = self.0.borrow_mut();
        match &*last {
            Some((read, policy)) if Arc::ptr_eq(read, settings) => policy.clone(),
            _ => {
                let policy = Rc::new(Policy::read(settings));
                *last = Some((settings.clone(), policy.clone()));
                policy
            }
        }
    }
}
