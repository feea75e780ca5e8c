//! A pipeline as its users describe it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A pipeline: an ordered list of stages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PipelineSpec {
    /// The name: 1 to 64 of a-z A-Z 0-9 . _ -
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Two or more.
    pub stages: Vec<StageSpec>,
}

/// A stage: a group, a group of another installation, or a git repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StageSpec {
    /// The name: unique in its pipeline.
    pub name: String,
    /// The group that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The group of another installation that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<RemoteStage>,
    /// The git repository that it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<GitStage>,
    /// What goes on from here to the next stage.
    #[serde(default)]
    pub action: Action,
    /// What has to hold before something comes here.
    #[serde(default)]
    pub gates: Gates,
    /// Settings that are this group's own: none of another stage takes their place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub own_settings: Vec<String>,
}

/// What goes on from a stage to the next: FlowFuse's words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A new snapshot of what the group runs.
    #[default]
    CreateSnapshot,
    /// The newest snapshot.
    UseLatestSnapshot,
    /// The newest snapshot of the revision that the group runs.
    UseActiveSnapshot,
    /// The snapshot that the run names.
    Prompt,
    /// Nothing: a run ends here.
    None,
}

/// What has to hold before a revision comes to a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Gates {
    /// What the review may find that it did not find in what the stage has.
    pub review: ReviewGate,
    /// The flow's own tests, kept with the revision, must pass; a revision without tests does not.
    pub tests: bool,
    /// So many people must approve; the author of the run and of its snapshot do not count.
    pub approvals: u32,
    /// When it may begin.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
}

/// Which new findings of the review stop a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ReviewGate {
    /// Errors.
    #[default]
    Errors,
    /// Errors and warnings.
    Warnings,
    /// None.
    Off,
}

/// A maintenance window.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Window {
    /// When it opens: a cron expression.
    pub cron: String,
    /// For how long it is open.
    pub minutes: u32,
    /// The time zone of the expression, for example Europe/Berlin; UTC without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
}

/// A group of another installation. Its token is given by itself ([`StageToken`](super::StageToken)), kept sealed, and never
/// shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RemoteStage {
    /// Its admin API: `https://HOST:PORT`, or `http://HOST:PORT` where nobody listens in between.
    pub url: String,
    /// The group there.
    pub group: String,
    /// The authority of its certificate, PEM; without it the public ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca: Option<String>,
    /// For how long it may be away before a run fails, in minutes.
    #[serde(default = "RemoteStage::away", skip_serializing_if = "RemoteStage::is_default_away")]
    pub away_minutes: u32,
}

impl RemoteStage {
    /// [`RemoteStage::away_minutes`] where none is given: an hour.
    pub fn away() -> u32 {
        60
    }

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
    fn is_default_away(minutes: &u32) -> bool {
        *minutes == RemoteStage::away()
    }

    /// Whether it is reached over TLS, and its `HOST:PORT`; `None` for a URL that is none of ours.
    pub fn parts(&self) -> Option<(bool, &str)> {
        let (tls, address) = match (self.url.strip_prefix("https://"), self.url.strip_prefix("http://")) {
            (Some(address), _) => (true, address),
            (_, Some(address)) => (false, address),
            _ => return None,
        };
        let (host, port) = address.rsplit_once(':')?;
        let is_named = !host.is_empty() && !host.contains(|c: char| "/?# ".contains(c) || c.is_control());
        (is_named && port.parse::<u16>().is_ok()).then_some((tls, address))
    }

    /// The group and where it is, for people.
    pub fn place(&self) -> String {
        format!("{} at {}", self.group, self.url)
    }
}

/// A git repository. It is reached with the `git` program and its configuration: keys, certificates, helpers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GitStage {
    /// Where it is: `https://`, `ssh://`, `git@HOST:PATH`, or a path.
    pub url: String,
    /// The branch that is pushed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub push: Option<String>,
    /// The branch that is pulled from; without one the branch that is pushed to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<String>,
    /// The file, or with `tabs` the folder, in the repository.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// How the flow document is kept there.
    #[serde(default)]
    pub layout: Layout,
    /// Credentials are kept there, too, encrypted with the variable of the gateway's process of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential_secret_env: Option<String>,
}

/// How a flow document is kept in a repository.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Layout {
    /// One file: `flows.json`, and `flows_cred.json` beside it.
    #[default]
    File,
    /// One file per tab, as `flotilla flows split` writes them.
    Tabs,
}
