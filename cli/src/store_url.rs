//! Which store: what every subcommand that opens one takes.

use clap::Args;

/// Where a group's state is.
#[derive(Args, Clone, Debug)]
pub struct StoreUrl {
    /// Store: sqlite:PATH, postgres://, redis:// or nats://
    #[arg(
        long,
        env = "FLOTILLA_STORE",
        default_value = "sqlite:.flotilla/store.db",
        value_name = "URL",
        hide_env_values = true
    )]
    pub store: String,
}

impl StoreUrl {
    /// True when the store is at an address of another machine, so that what uses it may be there, too.
    pub fn is_elsewhere(&self) -> bool {
        let Some((scheme, rest)) = self.store.split_once("://") else { return false };
        if scheme == "sqlite" {
            return false;
        }
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let hosts = authority.rsplit_once('@').map_or(authority, |(_, hosts)| hosts);
        hosts.split(',').any(|host| {
            let host = match host.strip_prefix('[') {
                Some(ipv6) => ipv6.split(']').next().unwrap_or_default(),
                None => host.split(':').next().unwrap_or_default(),
            };
            let here = host.is_empty()
                || host == "localhost"
                || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback());
            !here
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_on_another_machine_is_told_from_one_on_this() {
        let elsewhere = |url: &str| StoreUrl { store: url.to_owned() }.is_elsewhere();
        for here in [
            "sqlite:/a/b.db",
            "redis://localhost:6379/0",
            "nats://[::1]:4222",
            "postgres:///db",
            "redis://u:p@127.0.0.1",
        ] {
            assert!(!elsewhere(here), "{here}");
        }
        for there in
            ["redis://redis", "postgres://u:p@10.0.0.1:5432/db", "nats://127.0.0.1,nats-2:4222", "redis://[fd00::1]"]
        {
            assert!(elsewhere(there), "{there}");
        }
    }
}
