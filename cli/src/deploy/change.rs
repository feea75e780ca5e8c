//! What of a revision changes besides the flow document: flags of `deploy`.

use clap::Args;
use flotilla_api::deploy::Deploy;
use serde_json::Value;

use crate::exit::{Exit, Failure};

/// Single values. Files replace all of their kind (`--env-file`, `--settings`, `--credentials`); what is not given stays.
#[derive(Args, Clone, Debug, Default)]
pub struct ChangeArgs {
    /// Set an environment variable; the others stay
    #[arg(long = "env", value_name = "NAME=VALUE")]
    env: Vec<String>,
    /// Remove an environment variable
    #[arg(long, value_name = "NAME")]
    unset: Vec<String>,
    /// Set a setting under Node-RED's name, to JSON or text; the others stay
    #[arg(long = "set", value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Remove a setting
    #[arg(long, value_name = "NAME")]
    unset_setting: Vec<String>,
    /// Set a credential; the others stay
    #[arg(long, value_name = "NODE.FIELD=VALUE")]
    credential: Vec<String>,
    /// Remove a credential, or all of a node
    #[arg(long, value_name = "NODE[.FIELD]")]
    unset_credential: Vec<String>,
    /// Refuse if the group runs another revision than this one
    #[arg(long, value_name = "REVISION")]
    base: Option<String>,
}

impl ChangeArgs {
    /// The deploy with these changes.
    pub fn apply(&self, deploy: Deploy) -> anyhow::Result<Deploy> {
        let json = |text: &str| serde_json::from_str(text).unwrap_or_else(|_| Value::from(text));
        Ok(Deploy {
            base: self.base.clone(),
            set_env: self.env.iter().map(|pair| split("--env", pair)).collect::<Result<_, _>>()?,
            unset_env: self.unset.clone(),
            set_settings: self
                .set
                .iter()
                .map(|pair| split("--set", pair).map(|(name, value)| (name, json(&value))))
                .collect::<Result<_, _>>()?,
            unset_settings: self.unset_setting.clone(),
            set_credentials: self
                .credential
                .iter()
                .map(|pair| split("--credential", pair))
                .collect::<Result<_, _>>()?,
            unset_credentials: self.unset_credential.clone(),
            ..deploy
        })
    }
}

/// `NAME=VALUE` of a flag.
pub fn split(flag: &str, pair: &str) -> Result<(String, String), Failure> {
    match pair.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(Failure::new(Exit::Usage, format!("{flag} {pair}: write NAME=VALUE"))),
    }
}
