//! What a machine is called and where it is: what every subcommand takes that is a host.

use std::collections::BTreeMap;

use clap::Args;
use flotilla_api::placement::HostFacts;

use crate::machine;
use crate::placement::label;

/// What a machine is called, and where it is.
#[derive(Args, Clone, Debug)]
pub struct MachineArgs {
    /// Name of this machine among all hosts [default: its hostname]
    #[arg(long, env = "FLOTILLA_HOST", value_name = "NAME")]
    pub host: Option<String>,
    /// Zone of this machine: what fails together, such as a building or an availability zone
    #[arg(long, env = "FLOTILLA_ZONE", default_value = "", hide_default_value = true, value_name = "ZONE")]
    pub zone: String,
    /// Rack of this machine
    #[arg(long, env = "FLOTILLA_RACK", default_value = "", hide_default_value = true, value_name = "RACK")]
    pub rack: String,
    /// Label that groups may require in `"placement": {"labels": ...}`
    #[arg(long, env = "FLOTILLA_LABEL", value_delimiter = ',', value_name = "KEY=VALUE", value_parser = label)]
    pub label: Vec<(String, String)>,
}

impl MachineArgs {
    /// What is said of the host.
    pub fn facts(&self) -> HostFacts {
        HostFacts {
            name: self.host.clone().unwrap_or_else(machine::name),
            zone: self.zone.clone(),
            rack: self.rack.clone(),
            labels: self.label.iter().cloned().collect::<BTreeMap<_, _>>(),
            ..HostFacts::default()
        }
    }
}
