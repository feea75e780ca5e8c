//! From flags to a connection.

use anyhow::{Context, bail, ensure};
use flotilla_flows::shown_url;
use flotilla_load::rumqtt::{Link, LinkOptions, Will};
use flotilla_load::scenario::Broker;

use super::args::ConnectArgs;
use super::properties::Properties;

/// What `-L` says: a URL with everything in it.
#[derive(Debug, Default, PartialEq)]
struct Address {
    scheme: String,
    credentials: Option<(String, String)>,
    host: String,
    port: Option<u16>,
    topic: Option<String>,
}

/// Where to connect, and the topic that `-L` names.
pub struct Connection {
    /// Connects when it is polled.
    pub link: Link,
    /// `host:port`, for messages.
    pub shown: String,
    /// Of `-L`.
    pub topic: Option<String>,
}

/// `mqtt(s)://[USER[:PASSWORD]@]HOST[:PORT]/TOPIC`.
fn address(url: &str) -> anyhow::Result<Address> {
    let form = || format!("-L \"{}\" is not mqtt://[USER:PASSWORD@]HOST[:PORT]/TOPIC", shown_url(url));
    let (scheme, rest) = url.split_once("://").with_context(form)?;
    ensure!(matches!(scheme, "mqtt" | "mqtts"), form());
    let (place, topic) = rest.split_once('/').map_or((rest, None), |(place, topic)| (place, Some(topic)));
    let (credentials, place) = place.rsplit_once('@').map_or((None, place), |(who, place)| (Some(who), place));
    let (host, port) = match place.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port.parse().ok().with_context(form)?)),
        _ => (place, None),
    };
    ensure!(!host.is_empty(), form());
    let credentials = credentials.map(|who| who.split_once(':').unwrap_or((who, "")));
    Ok(Address {
        scheme: scheme.to_owned(),
        credentials: credentials.map(|(user, password)| (user.to_owned(), password.to_owned())),
        host: host.trim_matches(['[', ']']).to_owned(),
        port,
        topic: topic.filter(|topic| !topic.is_empty()).map(str::to_owned),
    })
}

/// A link that connects when it is polled; `queue`: how much may be handed over and not written yet.
///
/// # Errors
/// For an address or a protocol version that is none, and for certificates that cannot be read.
pub fn connection(args: &ConnectArgs, properties: &Properties, queue: usize) -> anyhow::Result<Connection> {
    let from = args.url.as_deref().map(address).transpose()?.unwrap_or_default();
    let host = if from.host.is_empty() { args.host.clone() } else { from.host };
    let secure = args.tls || args.insecure || args.cafile.is_some() || args.cert.is_some() || from.scheme == "mqtts";
    let port = args.port.or(from.port).unwrap_or(if secure { 8883 } else { 1883 });
    let version = match args.version.as_str() {
        "5" | "mqttv5" => 5,
        "4" | "311" | "mqttv311" => 4,
        other => bail!("-V {other} is not a protocol version: 5, or 311 for MQTT 3.1.1"),
    };
    ensure!(
        version == 5 || args.property.is_empty(),
        "-D needs MQTT 5: leave out -V {}, MQTT 3.1.1 has no properties",
        args.version
    );
    let (user, password) = match from.credentials {
        Some((user, password)) => (Some(user), Some(password)),
        None => (args.user.clone(), args.password.clone()),
    };
    ensure!(password.is_none() || user.is_some(), "a password needs a user name: add -u NAME");
    let bare = if host.contains(':') { format!("[{host}]") } else { host.clone() };
    let shown = format!("{bare}:{port}");
    let broker = Broker {
        url: format!("{}://{shown}", if secure { "mqtts" } else { "mqtt" }),
        version: Some(version),
        user,
        password,
        ca: args.cafile.clone(),
        cert: args.cert.clone(),
        key: args.key.clone(),
        insecure: args.insecure,
        keep_alive: Some(args.keepalive),
    };
    let prefix = args.id_prefix.as_deref().unwrap_or("flotilla-");
    let will = args.will_topic.clone().map(|topic| Will {
        topic,
        payload: args.will_payload.clone().unwrap_or_default(),
        qos: args.will_qos,
        retain: args.will_retain,
    });
    let options = LinkOptions {
        client_id: args.id.clone().unwrap_or_else(|| format!("{prefix}{:08x}", rand::random::<u32>())),
        clean: !args.keep_session,
        session_expiry: args.session_expiry.or(args.keep_session.then_some(u32::MAX)),
        queue,
        in_flight: args.max_inflight,
        // What is not printed any more stays with the broker, for a session that is kept.
        manual_acks: true,
        will,
        user_properties: properties.connect.clone(),
    };
    Ok(Connection { link: options.link(&broker.target()?), shown, topic: from.topic })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls() {
        let all = address("mqtts://me:pw@broker.example:8884/plant/+/t").unwrap();
        let who = Some(("me".to_owned(), "pw".to_owned()));
        let topic = Some("plant/+/t".to_owned());
        let wanted = Address {
            scheme: "mqtts".into(),
            credentials: who,
            host: "broker.example".into(),
            port: Some(8884),
            topic,
        };
        assert_eq!(all, wanted);
        let short = address("mqtt://[::1]/t").unwrap();
        assert_eq!((short.host.as_str(), short.port, short.topic.as_deref()), ("::1", None, Some("t")));
        for bad in ["broker/t", "http://broker/t", "mqtt:///t", "mqtt://broker:many/t"] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }
}
