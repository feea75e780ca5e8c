//! By which rules a rollout goes: flags of `deploy` and `rollback`.

use clap::Args;
use flotilla_api::rollout::Rules;
use flotilla_api::{Client, ClientError};
use flotilla_flows::DeployType;

use crate::exit::Exit;

/// By which rules a rollout goes. Without any, the group's own rules.
#[derive(Args, Clone, Debug)]
pub struct RulesArgs {
    /// Fewest replicas that stay ready [default: all but one]
    #[arg(long, value_name = "N")]
    min_available: Option<usize>,
    /// Move replicas even if the others of the group are away: none has to stay ready
    #[arg(long, conflicts_with = "min_available")]
    even_if_alone: bool,
    /// Fewest hosts with ready replicas
    #[arg(long, value_name = "N")]
    min_hosts: Option<usize>,
    /// Fewest zones with ready replicas
    #[arg(long, value_name = "N")]
    min_zones: Option<usize>,
    /// Seconds that a replica must stay healthy with the new revision
    #[arg(long, value_name = "SECONDS")]
    probation: Option<f64>,
    /// Seconds that a replica has to become ready with the new revision
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
    /// The rules of a rollout in a group; `None` for the group's own.
    pub async fn rules(&self, client: &Client, group: &str) -> Result<Option<Rules>, ClientError> {
        if self.min_available.is_none()
            && !self.even_if_alone
            && self.min_hosts.is_none()
            && self.min_zones.is_none()
            && self.probation.is_none()
            && self.ready_timeout.is_none()
            && self.error_factor.is_none()
            && self.deploy_type.is_none()
        {
            return Ok(None);
        }
        let mut rules = match client.group(group).await {
            Ok(group) => group.rollout,
            Err(error) if Exit::of_client(&error) == Exit::NotFound => Rules::default(),
            Err(error) => return Err(error),
        };
        let ms = |seconds: f64| (seconds.max(0.0) * 1000.0) as u64;
        let alone = self.even_if_alone.then_some(0);
        rules.min_available = self.min_available.or(alone).or(rules.min_available);
        rules.min_hosts = self.min_hosts.or(rules.min_hosts);
        rules.min_zones = self.min_zones.or(rules.min_zones);
        rules.probation_ms = self.probation.map_or(rules.probation_ms, ms);
        rules.ready_ms = self.ready_timeout.map_or(rules.ready_ms, ms);
        rules.error_factor = self.error_factor.unwrap_or(rules.error_factor);
        rules.deploy_type = match self.deploy_type.as_deref() {
            Some("full") => DeployType::Full,
            Some("flows") => DeployType::Flows,
            Some(_) => DeployType::Nodes,
            None => rules.deploy_type,
        };
        Ok(Some(rules))
    }
}
