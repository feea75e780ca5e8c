//! The flags that say where a flow document and what belongs to it are.

use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value};

/// Where a flow document and what belongs to it are.
#[derive(Args, Clone, Debug, Default)]
pub struct FlowArgs {
    /// Credentials file of the flow (flows_cred.json), plain or encrypted
    #[arg(long, env = "FLOTILLA_CREDENTIALS", value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// Node-RED's credentialSecret, when the credentials are encrypted
    #[arg(long, env = "FLOTILLA_CREDENTIAL_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub credential_secret: Option<String>,
    /// File with environment variables for the flow, one NAME=value per line
    #[arg(long, env = "FLOTILLA_ENV_FILE", value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// Settings under Node-RED's names: settings.js, or a JSON object
    #[arg(long, env = "FLOTILLA_SETTINGS", value_name = "FILE")]
    pub settings: Option<PathBuf>,
    /// Ignore a setting of settings.js: one that protects what flows serve is refused until something else protects it
    #[arg(long, env = "FLOTILLA_WITHOUT_SETTING", value_delimiter = ',', value_name = "NAME")]
    pub without_setting: Vec<String>,
    /// Settings from a user directory
    #[arg(skip)]
    pub found_settings: Option<Map<String, Value>>,
}

impl FlowArgs {
    /// True when settings are given: they replace those of the revision.
    pub fn gives_settings(&self) -> bool {
        self.settings.is_some() || self.found_settings.is_some()
    }
}
