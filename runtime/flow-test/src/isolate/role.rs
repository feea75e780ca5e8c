//! Which types are isolated, and what stands in their place.

use super::product::PRODUCT;

/// What an isolated node is to its flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Messages come from outside: what a test injects at it leaves it, as if received. What the flow itself sends it (an
    /// action for an mqtt in) ends there.
    Input,
    /// Messages go outside: they end here. An answer, if the test has one, is sent on.
    Output,
    /// Messages go outside and come back: the test's answer is sent on; without one the message ends here.
    Request,
    /// Messages go outside and are sent on unchanged, as `file` does once it has written.
    PassOn,
    /// A configuration node: it opens nothing.
    Config,
}

/// The types that reach out of the process.
const ISOLATED: &[(&str, Role)] = &[
    ("exec", Role::Request),
    ("file", Role::PassOn),
    ("file in", Role::Request),
    ("http in", Role::Input),
    ("http request", Role::Request),
    ("http response", Role::Output),
    ("mqtt in", Role::Input),
    ("mqtt out", Role::Output),
    ("mqtt-broker", Role::Config),
    ("project link broker", Role::Config),
    ("project link call", Role::Request),
    ("project link in", Role::Input),
    ("project link out", Role::Output),
    ("tcp in", Role::Input),
    ("tcp out", Role::Output),
    ("tcp request", Role::Request),
    ("tls-config", Role::Config),
    ("udp in", Role::Input),
    ("udp out", Role::Output),
    ("watch", Role::Input),
    ("websocket in", Role::Input),
    ("websocket out", Role::Output),
    ("websocket-client", Role::Config),
    ("websocket-listener", Role::Config),
];

impl Role {
    /// The role of a type; `None` for one that is never isolated. Types that are not known here (`--allow-unknown`) are
    /// requests: nobody knows what they send.
    pub fn of(kind: &str) -> Option<Role> {
        let listed = ISOLATED.iter().find(|(name, _)| *name == kind).map(|(_, role)| *role);
        let known = kind.starts_with("subflow") || PRODUCT.has(kind);
        listed.or((!known).then_some(Role::Request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_isolated_type_is_in_the_table_and_of_the_right_kind() {
        for (name, role) in ISOLATED {
            assert!(PRODUCT.has(name), "{name}");
            let is_config =
                ["mqtt-broker", "project link broker", "tls-config", "websocket-client", "websocket-listener"]
                    .contains(name);
            assert_eq!(is_config, *role == Role::Config, "{name}");
        }
        assert!(PRODUCT.iter().filter(|known| known.deny().is_some()).all(|known| Role::of(known.name()).is_some()));
        assert_eq!(Role::of("function"), None);
        assert_eq!(Role::of("modbus-read"), Some(Role::Request));
    }
}
