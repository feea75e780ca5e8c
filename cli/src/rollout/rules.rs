//! By which rules a rollout goes: flags of `deploy` and `rollback`.

use clap::Args;
use serde_json::{Value, json};

/// By which rules a rollout goes. Without any, the group's own rules.
#[derive(Args, Clone, Debug)]
pub struct RulesArgs {
    /// Replicas that stay ready at least [default: all but one]
    #[arg(long, value_name = "N")]
    min_available: Option<usize>,
    /// Seconds that a replica must stay well with the new revision
    #[arg(long, value_name = "SECONDS")]
    probation: Option<f64>,
    /// Seconds that a replica gets to be ready with the new revision
    #[arg(long, value_name = "SECONDS")]
    ready_timeout: Option<f64>,
    /// The new revision may fail this many times the old one's share of deliveries
    #[arg(long, value_name = "FACTOR")]
    error_factor: Option<f64>,
    /// What restarts in each replica: everything, flows with a change, or only nodes that changed [default: nodes]
    #[arg(long = "type", value_name = "TYPE", value_parser = ["full", "flows", "nodes"])]
    deploy_type: Option<String>,
}

impl RulesArgs {
    /// The rules as the admin API takes them; null for the group's own.
    pub fn to_json(&self, group: &Value) -> Value {
        if self.min_available.is_none()
            && self.probation.is_none()
            && self.ready_timeout.is_none()
            && self.error_factor.is_none()
            && self.deploy_type.is_none()
        {
            return Value::Null;
        }
        let mut rules = if group["rollout"].is_object() { group["rollout"].clone() } else { json!({}) };
        let ms = |seconds: f64| Value::from((seconds.max(0.0) * 1000.0) as u64);
        if let Some(least) = self.min_available {
            rules["min_available"] = Value::from(least);
        }
        if let Some(seconds) = self.probation {
            rules["probation_ms"] = ms(seconds);
        }
        if let Some(seconds) = self.ready_timeout {
            rules["ready_ms"] = ms(seconds);
        }
        if let Some(factor) = self.error_factor {
            rules["error_factor"] = Value::from(factor);
        }
        if let Some(deploy_type) = &self.deploy_type {
            rules["deploy_type"] = Value::from(deploy_type.as_str());
        }
        rules
    }
}
