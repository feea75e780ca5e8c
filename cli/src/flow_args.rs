//! The flags that say where a flow document and what belongs to it are.

use std::path::PathBuf;

use clap::Args;

/// Where a flow document and what belongs to it are.
#[derive(Args, Clone, Debug)]
pub struct FlowArgs {
    /// Credentials file of the flow (flows_cred.json), plain or encrypted
    #[arg(long, env = "FLOTILLA_CREDENTIALS", value_name = "FILE")]
    pub credentials: Option<PathBuf>,
    /// Node-RED's credentialSecret, when the credentials are encrypted
    #[arg(long, env = "FLOTILLA_CREDENTIAL_SECRET", value_name = "SECRET", hide_env_values = true)]
    pub credential_secret: Option<String>,
    /// File with environment variables for the flow, NAME=value a line
    #[arg(long, env = "FLOTILLA_ENV_FILE", value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// File with settings under Node-RED's names, in JSON
    #[arg(long, env = "FLOTILLA_SETTINGS", value_name = "FILE")]
    pub settings: Option<PathBuf>,
}
