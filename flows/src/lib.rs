//! What a flow document says: read, validate, expand, diff, review. Pure, no I/O.

mod choices;
mod credentials;
mod deployment;
mod diff;
mod document;
mod env;
mod expand;
mod flowfuse;
mod known;
mod merge;
mod node_red_settings;
mod node_settings;
mod problem;
mod reach;
mod refusal;
mod review;
mod shown_url;
mod split;

pub use credentials::{CredentialsError, NodeCredentials, encrypt_credentials, read_credentials};
pub use deployment::DeployType;
pub use diff::{Change, Effects, Kind as ChangeKind, diff, effects};
pub use document::{Document, NodeConfig, ParseError, Props};
pub use env::{names_env, substitute_env};
pub use expand::{EnvVar, Expanded, Graph, GraphNode, PROJECT_BROKER, PROJECT_LINK_BROKERS, Scope, ScopeKind, expand};
pub use flowfuse::{FlowFuseError, FlowFuseSnapshot, FlowFuseVar, Translated, is_flowfuse, take_project_broker};
pub use known::{
    UnknownType, VersionConflict, Wanted, is_core_type, is_node_js, libs, npm_package, unknown_types, wanted_modules,
};
pub use merge::{Conflict, Merged, merge};
pub use node_red_settings::{Sorted, unprotected};
pub use node_settings::{BadNodeSetting, Broadcast, NodeSettings, Retained, Share, TickMode};
pub use problem::{Problem, Severity};
pub use refusal::{ALLOW_UNKNOWN, Refusal, refusal};
pub use review::{Finding, review};
pub use shown_url::shown_url;
pub use split::{JoinError, MANIFEST as SPLIT_MANIFEST, SplitFile, join, split};
