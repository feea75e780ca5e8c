//! Addresses on the command line: names as well as IP addresses.

use std::net::{SocketAddr, ToSocketAddrs};

/// `HOST:PORT` as it is, checked: the name is looked up when it is used.
pub fn host_and_port(text: &str) -> Result<String, String> {
    let text = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    if text.parse::<SocketAddr>().is_ok() {
        return Ok(text.to_owned());
    }
    let fits = |host: &str| !host.is_empty() && host.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    match text.rsplit_once(':') {
        Some((host, port)) if fits(host) && port.parse::<u16>().is_ok() => Ok(text.to_owned()),
        Some((host, port)) if fits(host) => Err(format!("port \"{port}\" must be a number from 0 to 65535")),
        Some(_) => Err("it must be HOST:PORT, for example localhost:1881, 10.0.0.5:1881 or [::1]:1881".to_owned()),
        None => Err("the port is missing: write HOST:PORT, for example localhost:1881".to_owned()),
    }
}

/// The same with `https://` before it where TLS is meant.
pub fn admin(text: &str) -> Result<String, String> {
    match text.strip_prefix("https://") {
        Some(rest) => Ok(format!("https://{}", host_and_port(rest)?)),
        None => host_and_port(text),
    }
}

/// The address that `HOST:PORT` stands for now, IPv4 before IPv6: for sockets that listen.
pub fn resolve(text: &str) -> Result<SocketAddr, String> {
    let text = host_and_port(text)?;
    let found = text.to_socket_addrs().map_err(|error| format!("{text} cannot be looked up: {error}"))?;
    found.min_by_key(SocketAddr::is_ipv6).ok_or_else(|| format!("{text} has no address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_pass_and_the_rest_is_explained() {
        for good in ["localhost:1881", "gateway:1881", "10.0.0.5:1", "[::1]:1881", "a_b-c.example.com:0"] {
            assert_eq!(host_and_port(good).as_deref(), Ok(good));
        }
        assert_eq!(host_and_port("http://gateway:1881/").as_deref(), Ok("gateway:1881"));
        for (bad, why) in [
            ("gateway", "port is missing"),
            ("gateway:x", "port \"x\""),
            (":1881", "HOST:PORT"),
            ("a b:1", "HOST:PORT"),
            ("h:70000", "port"),
        ] {
            let error = host_and_port(bad).expect_err(bad);
            assert!(error.contains(why), "{bad}: {error}");
        }
        assert_eq!(resolve("localhost:7"), Ok(SocketAddr::from(([127, 0, 0, 1], 7))));
    }
}
