//! Refuses settings that have no effect or that no broker can work with.

use thiserror::Error;

use super::Config;
use crate::topic::Filter;

/// A setting that no broker can work with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InvalidSetting {
    /// A bound so low that nothing gets through.
    #[error("{setting} is {value}: it must be {least} or more")]
    TooLow {
        /// The setting.
        setting: &'static str,
        /// What it is.
        value: u64,
        /// What it could be.
        least: u64,
    },
    /// A bound so high that times or sums could not be counted any more.
    #[error("{setting} is {value}: set it to {most} or less")]
    TooHigh {
        /// The setting.
        setting: &'static str,
        /// What it is.
        value: u64,
        /// What it could be.
        most: u64,
    },
    /// Files for TLS without a TLS listener.
    #[error("tls_cert and tls_key are used by tls_listen, which is not set: set it, or leave them out")]
    UnusedTls,
    /// What is denied could never be subscribed.
    #[error("deny_subscribe {0:?} is not a topic filter: # is its last level and + a whole level")]
    DenySubscribe(String),
}

/// The shortest CONNECT has 14 bytes; a broker that takes no more than some has no use.
const LEAST_PACKET: u64 = 64;

/// A hundred years: clocks can still be counted on by so much.
const LONGEST: u64 = 100 * 365 * 86_400;
/// Of bytes and of things in memory: some of them can still be added up.
const MOST: u64 = (usize::MAX / 4) as u64;
/// No MQTT packet is larger (section 1.5.5: four bytes of length).
const LARGEST_PACKET: u64 = 5 + 268_435_455;

impl Config {
    /// Refuses what would make a broker that starts and serves nobody.
    pub(crate) fn check(&self) -> Result<(), InvalidSetting> {
        for (setting, value, least) in [
            ("max_packet", self.max_packet as u64, LEAST_PACKET),
            // [MQTT-3.2.2-20]: CONNACK cannot say 0.
            ("receive_maximum", self.receive_maximum.into(), 1),
            ("max_in_flight", self.max_in_flight.into(), 1),
            // 0 would turn keep alive off for everyone.
            ("server_keep_alive", self.server_keep_alive.unwrap_or(1).into(), 1),
            ("connect_timeout", self.connect_timeout, 1),
            ("out_buffer", self.out_buffer as u64, 1),
            ("max_connections", self.max_connections as u64, 1),
            ("max_connect", self.max_connect as u64, LEAST_PACKET),
            ("max_connections_per_address", self.max_connections_per_address as u64, 1),
            ("max_held_bytes", self.max_held_bytes as u64, 1),
            ("group_queue", self.group_queue as u64, 1),
            ("group_queue_bytes", self.group_queue_bytes as u64, 1),
            ("group_max_age", self.group_max_age, 1),
        ] {
            if value < least {
                return Err(InvalidSetting::TooLow { setting, value, least });
            }
        }
        for (setting, value, most) in [
            ("max_packet", self.max_packet as u64, LARGEST_PACKET),
            ("sys_interval", self.sys_interval, LONGEST),
            ("connect_timeout", self.connect_timeout, LONGEST),
            ("group_max_age", self.group_max_age, LONGEST),
            ("group_linger", self.group_linger, LONGEST),
            ("redispatch_after_ms", self.redispatch_after_ms, LONGEST * 1000),
            ("publisher_patience_ms", self.publisher_patience_ms, LONGEST * 1000),
            ("out_buffer", self.out_buffer as u64, MOST),
            ("max_connections", self.max_connections as u64, MOST),
            ("max_sessions", self.max_sessions as u64, MOST),
            ("max_connect", self.max_connect as u64, LARGEST_PACKET),
            ("max_connections_per_address", self.max_connections_per_address as u64, MOST),
            ("max_subscriptions", self.max_subscriptions as u64, MOST),
            ("max_subscription_bytes", self.max_subscription_bytes as u64, MOST),
            ("max_filter_bytes", self.max_filter_bytes as u64, MOST),
            ("max_retained", self.max_retained as u64, MOST),
            ("max_retained_bytes", self.max_retained_bytes as u64, MOST),
            ("max_held_bytes", self.max_held_bytes as u64, MOST),
            ("session_queue", self.session_queue as u64, MOST),
            ("session_queue_bytes", self.session_queue_bytes as u64, MOST),
            ("group_queue", self.group_queue as u64, MOST),
            ("group_queue_bytes", self.group_queue_bytes as u64, MOST),
        ] {
            if value > most {
                return Err(InvalidSetting::TooHigh { setting, value, most });
            }
        }
        if self.tls_listen.is_none() && (self.tls_cert.is_some() || self.tls_key.is_some()) {
            return Err(InvalidSetting::UnusedTls);
        }
        match self.deny_subscribe.iter().find(|filter| Filter::parse(filter).is_none()) {
            Some(filter) => Err(InvalidSetting::DenySubscribe(filter.clone())),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_serve_nobody_are_refused() {
        let refusal = |change: fn(&mut Config)| {
            let mut config = Config::default();
            change(&mut config);
            config.check().unwrap_err().to_string()
        };
        assert_eq!(Config::default().check(), Ok(()));
        assert_eq!(refusal(|config| config.receive_maximum = 0), "receive_maximum is 0: it must be 1 or more");
        assert_eq!(refusal(|config| config.max_packet = 10), "max_packet is 10: it must be 64 or more");
        assert_eq!(
            refusal(|config| config.sys_interval = u64::MAX),
            "sys_interval is 18446744073709551615: set it to 3153600000 or less"
        );
        assert!(refusal(|config| config.group_linger = u64::MAX).starts_with("group_linger is 18446744073709551615"));
        assert!(refusal(|config| config.session_queue = usize::MAX).starts_with("session_queue is"));
        assert!(refusal(|config| config.server_keep_alive = Some(0)).starts_with("server_keep_alive is 0"));
        assert!(refusal(|config| config.tls_key = Some("key.pem".into())).contains("tls_listen, which is not set"));
        assert!(refusal(|config| config.deny_subscribe = vec!["a#b".into()]).contains("\"a#b\" is not a topic filter"));
    }
}
