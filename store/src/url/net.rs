//! URLs of stores that are servers: `scheme://user:password@host:port/path?settings`.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::contract::{Result, StoreError};

use super::parse::{bad_url, take_params};

/// A password. It shows nowhere.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(String);

/// Where a server is and as whom to go there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NetUrl {
    /// The host's name or address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// More hosts of the same store, `host:port,host:port` in the URL: one of them answers.
    pub others: Vec<(String, u16)>,
    /// From the URL, else from `FLOTILLA_STORE_USER`.
    pub user: Option<String>,
    /// From the URL, else from `FLOTILLA_STORE_PASSWORD`.
    pub password: Option<Secret>,
    /// What follows the host, without its first `/`: a database.
    pub path: String,
    /// How long an operation may take.
    pub timeout: Duration,
    /// `?namespace=`: keeps several installations on one server apart. Default `flotilla`.
    pub namespace: String,
    /// `?replicas=`: on how many servers a NATS bucket is. Default 1.
    pub replicas: usize,
    /// `?sentinel=`: the hosts are Redis sentinels, and this is the name of the master that they watch.
    pub sentinel: Option<String>,
    /// Whether the connection is encrypted and the server's certificate checked.
    pub tls: bool,
    /// `?ca=` or `FLOTILLA_STORE_CA`: certificates (PEM) to trust instead of the public ones.
    pub ca: Option<PathBuf>,
    /// `?cert=` and `?key=`: the certificate and key (PEM) to show to the server.
    pub identity: Option<(PathBuf, PathBuf)>,
}

impl Secret {
    /// The password itself, for the client library only.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(hidden)")
    }
}

impl NetUrl {
    /// Reads a URL. `tls_schemes` are those that mean an encrypted connection.
    pub(crate) fn parse(text: &str, default_port: u16, tls_schemes: &[&str]) -> Result<NetUrl> {
        let read = NetUrl::read(text, default_port, tls_schemes);
        if !has_bare_password(text) {
            return read;
        }
        // What was taken for a host, port or setting may be a part of the password.
        read.map_err(|error| match error {
            StoreError::BadUrl { field, reason, .. } => {
                let reason = format!("{reason}; in a password / ? # , and @ are written %2F %3F %23 %2C and %40");
                bad_url(field, "(hidden)", reason)
            }
            other => other,
        })
    }

    fn read(text: &str, default_port: u16, tls_schemes: &[&str]) -> Result<NetUrl> {
        let default_port = if text.contains("sentinel=") { SENTINEL_PORT } else { default_port };
        let (text, others) = split_hosts(text, default_port)?;
        // The URL itself may hold a password: no message repeats it.
        let url = Url::parse(&text).map_err(|error| {
            bad_url("address", "(hidden)", format!("{error}: write scheme://user:password@host:port"))
        })?;
        // The part of a password that begins like a port and a path.
        if url.path().contains('@') {
            return Err(bad_url(
                "address",
                "(hidden)",
                "there is an @ behind the host; in a password / is written %2F",
            ));
        }
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| bad_url("host", "", "it is missing: write scheme://host:port"))?;
        let params = take_params(url.query_pairs())?;
        let mut parsed = NetUrl {
            host: host.trim_start_matches('[').trim_end_matches(']').to_owned(),
            port: url.port().unwrap_or(default_port),
            others,
            user: decode("user", url.username())?
                .filter(|user| !user.is_empty())
                .or_else(|| env("FLOTILLA_STORE_USER")),
            password: url.password().map(|password| decode("password", password)).transpose()?.flatten().map(Secret),
            path: url.path().trim_start_matches('/').to_owned(),
            timeout: params.timeout,
            namespace: "flotilla".to_owned(),
            replicas: 1,
            sentinel: None,
            tls: tls_schemes.contains(&url.scheme()),
            ca: None,
            identity: None,
        };
        let (mut cert, mut key) = (None, None);
        for (name, value) in params.rest {
            match name.as_str() {
                "namespace" => parsed.namespace = namespace(value)?,
                "replicas" if NATS.contains(&url.scheme()) => parsed.replicas = replicas(&value)?,
                "sentinel" if REDIS.contains(&url.scheme()) => parsed.sentinel = Some(value),
                "ca" => parsed.ca = Some(file("ca", value)?),
                "cert" => cert = Some(file("cert", value)?),
                "key" => key = Some(file("key", value)?),
                "sslmode" => parsed.tls = sslmode(&value)?,
                _ => return Err(bad_url("setting", name, "it is not known: use timeout, namespace, ca, cert, key")),
            }
        }
        if REDIS.contains(&url.scheme()) && parsed.sentinel.is_none() && !parsed.others.is_empty() {
            let reason = "several hosts of Redis are its sentinels: add ?sentinel= with the name of the master";
            return Err(bad_url("host", &parsed.host, reason));
        }
        parsed.identity = match (cert, key) {
            (Some(cert), Some(key)) => Some((cert, key)),
            (None, None) => None,
            _ => return Err(bad_url("cert", "", "cert and key go together: name both files")),
        };
        parsed.password = parsed.password.or_else(|| env("FLOTILLA_STORE_PASSWORD").map(Secret));
        parsed.ca = parsed.ca.or_else(|| env("FLOTILLA_STORE_CA").map(PathBuf::from));
        Ok(parsed)
    }

    /// Where it is, for messages.
    pub(crate) fn place(&self, kind: &str) -> String {
        format!("{kind} ({}:{})", self.host, self.port)
    }
}

/// The schemes of NATS.
const NATS: [&str; 2] = ["nats", "tls"];
/// The schemes whose URLs may name several hosts.
const SEVERAL: [&str; 6] = ["nats", "tls", "postgres", "postgresql", "redis", "rediss"];
/// The schemes of Redis.
const REDIS: [&str; 2] = ["redis", "rediss"];
/// Where Redis sentinels listen.
const SENTINEL_PORT: u16 = 26_379;

/// True when there is an `@` behind what a URL has as its end of the host: in a password that is not percent-encoded.
fn has_bare_password(text: &str) -> bool {
    let rest = text.split_once("://").map_or(text, |(_, rest)| rest);
    rest.find(['/', '?', '#', ',']).is_some_and(|end| rest[end..].contains('@'))
}

/// The URL with its first host only, and the other hosts.
fn split_hosts(text: &str, default_port: u16) -> Result<(String, Vec<(String, u16)>)> {
    let Some((scheme, rest)) = text.split_once("://") else { return Ok((text.to_owned(), Vec::new())) };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let begin = rest[..end].rfind('@').map_or(0, |at| at + 1);
    let Some((first, others)) = rest[begin..end].split_once(',') else { return Ok((text.to_owned(), Vec::new())) };
    if !SEVERAL.contains(&scheme) {
        return Err(bad_url(
            "host",
            &rest[begin..end],
            "only postgres:, nats:, tls: and redis: take several: name one",
        ));
    }
    let read = |host: &str| {
        // IPv6 addresses are in brackets.
        let colon = host.rfind(':').filter(|at| !host[*at..].contains(']'));
        let (name, port) = colon.map_or((host, None), |at| (&host[..at], Some(&host[at + 1..])));
        let port = port.map_or(Ok(default_port), str::parse);
        let port = port.map_err(|_| bad_url("port", host, "it is not a port: write host:port,host:port"))?;
        let name = name.trim_start_matches('[').trim_end_matches(']');
        if name.is_empty() {
            return Err(bad_url("host", host, "it is missing: write host:port,host:port"));
        }
        Ok((name.to_owned(), port))
    };
    let others = others.split(',').map(read).collect::<Result<_>>()?;
    Ok((format!("{scheme}://{}{first}{}", &rest[..begin], &rest[end..]), others))
}

fn replicas(value: &str) -> Result<usize> {
    let number = value.parse().ok().filter(|number| (1..=5).contains(number));
    number.ok_or_else(|| bad_url("replicas", value, "write 1, 3 or 5: on how many servers the bucket is to be"))
}

fn env(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn decode(field: &'static str, text: &str) -> Result<Option<String>> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
    decoded
        .map(|text| Some(text.into_owned()))
        .map_err(|_| bad_url(field, "(hidden)", "it is not UTF-8 after decoding"))
}

fn namespace(value: String) -> Result<String> {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if (1..=32).contains(&value.len()) && value.chars().all(fits) && !value.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(value);
    }
    Err(bad_url("namespace", value, "use 1 to 32 of a-z, 0-9 and _, and begin with a letter"))
}

fn file(field: &'static str, value: String) -> Result<PathBuf> {
    let path = PathBuf::from(&value);
    if path.is_file() { Ok(path) } else { Err(bad_url(field, value, "there is no such file")) }
}

fn sslmode(value: &str) -> Result<bool> {
    match value {
        "disable" => Ok(false),
        "require" | "verify-ca" | "verify-full" => Ok(true),
        _ => Err(bad_url("sslmode", value, "write disable or require (which checks the server's certificate)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_url() {
        let url =
            NetUrl::parse("rediss://u%40x:p%3Aw@[::1]:7000/3?timeout=1s&namespace=b_1", 6379, &["rediss"]).unwrap();
        assert_eq!((url.host.as_str(), url.port, url.path.as_str(), url.tls), ("::1", 7000, "3", true));
        assert_eq!((url.user.as_deref(), url.password.as_ref().map(Secret::reveal)), (Some("u@x"), Some("p:w")));
        assert_eq!((url.timeout, url.namespace.as_str()), (Duration::from_secs(1), "b_1"));
        assert!(!format!("{url:?}").contains("p:w"));
    }

    #[test]
    fn several_hosts_of_one_store() {
        let url = NetUrl::parse("postgres://u:p@a:1,[::1]:2,c/db?timeout=1s", 5432, &[]).unwrap();
        assert_eq!((url.host.as_str(), url.port, url.path.as_str()), ("a", 1, "db"));
        assert_eq!(url.others, [("::1".to_owned(), 2), ("c".to_owned(), 5432)]);
        let url = NetUrl::parse("nats://a,b:2?replicas=3", 4222, &[]).unwrap();
        assert_eq!((url.port, url.replicas, url.others), (4222, 3, vec![("b".to_owned(), 2)]));
        assert!(NetUrl::parse("redis://a,b", 6379, &[]).is_err());
        let url = NetUrl::parse("redis://a:1,b/2?sentinel=plant", 6379, &[]).unwrap();
        assert_eq!((url.port, url.others, url.path.as_str()), (1, vec![("b".to_owned(), 26_379)], "2"));
        assert_eq!(url.sentinel.as_deref(), Some("plant"));
        assert!(NetUrl::parse("postgres://a,b:x", 5432, &[]).is_err());
    }

    #[test]
    fn what_is_wrong_is_named_and_no_password_shown() {
        for (text, part) in [
            ("redis://:hunter2@", "address"),
            ("redis://:hunter2@h:99999", "address"),
            ("redis://:hunter2@h?timeout=x", "timeout"),
            ("redis://:hunter2@h?namespace=A", "namespace"),
            ("redis://:hunter2@h?ca=/no/such.pem", "ca"),
            ("redis://:hunter2@h?colour=red", "setting"),
            ("redis://:hunter2@h?replicas=3", "setting"),
            ("nats://:hunter2@h?replicas=9", "replicas"),
            ("postgres://me:a,hunter2:z/x@h", "port"),
            ("nats://me:1?hunter2@h", "setting"),
            ("redis://me:1,hunter2/x@h", "address"),
            ("redis://me:1234/hunter2@h", "address"),
            ("postgres://me:1234/hunter2@h", "address"),
            ("postgres://me:a/hunter2@h", "address"),
        ] {
            let error = NetUrl::parse(text, 1, &[]).unwrap_err();
            assert!(matches!(&error, StoreError::BadUrl { field, .. } if *field == part), "{text}: {error}");
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
