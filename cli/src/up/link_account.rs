//! The group's own user at the embedded broker, for its project links: it hears what is sent to the group and what is
//! broadcast.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use flotilla_broker::Account;
use flotilla_nodes_network::project::{ProjectWire, rights};
use serde_json::{Map, Value};

use super::args::UpArgs;

/// The group's user. Its password is made anew with each start and known to the replicas alone.
pub(super) fn account(args: &UpArgs, settings: &Map<String, Value>) -> Account {
    let group = &args.engine.group;
    let own = settings.get("flowforge");
    let said = |name: &str| own?.get(name)?.as_str().filter(|id| !id.is_empty());
    let given = args.engine.project_team.as_deref();
    let team = said("teamID").or(given).unwrap_or(ProjectWire::TEAM);
    let projects = [Some(group.as_str()), said("projectID")];
    let mut lines: Vec<String> = projects.into_iter().flatten().flat_map(|project| rights(team, project)).collect();
    // Messages of links that failed for good are published as those of other nodes.
    lines.push(format!("publish flotilla/dead-letter/{group}/#"));
    let password = rand::random::<[u8; 24]>().iter().map(|byte| format!("{byte:02x}")).collect();
    Account { name: format!("project-link-{group}"), password, rights: lines }
}

/// Where the group's replicas, on this machine, find the broker as this user.
pub(super) fn door(account: &Account, at: SocketAddr) -> String {
    let ip = match at.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    format!("mqtt://{}:{}@{}", account.name, account.password, SocketAddr::new(ip, at.port()))
}
