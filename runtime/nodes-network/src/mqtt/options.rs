//! The settings of an mqtt-broker node, as the editor writes them and as `msg.broker` changes them.

use bytes::Bytes;
use flotilla_codec::{Connect, QoS, Version, agreed};
use flotilla_flows::NodeConfig;
use serde_json::{Map, Value as Json};

use flotilla_engine::message::generate_id as generate;
use flotilla_engine::settings::Settings;
use flotilla_value::{Str, Value, from_json};

use super::replica_topic::filled;
use super::tls::Secure;
use super::{payload, properties, url};
use flotilla_mqtt::{Address, ClientOptions, Publish, PublishProps, Role};

/// How long a session of ours outlives its connection, in seconds: time enough to come back, or for another replica
/// to adopt it.
const SESSION_EXPIRY: u32 = 300;
/// As long, while it is being adopted.
pub(super) const ADOPTED_EXPIRY: u32 = SESSION_EXPIRY;

/// The settings of an mqtt-broker node.
#[derive(Clone, Debug)]
pub(super) struct BrokerOptions {
    config: NodeConfig,
    credentials: (Option<String>, Option<String>),
    version: Version,
    local: bool,
    /// A topic of its announcements names the replica.
    of_replica: bool,
    /// Without MQTT 5 it is of no use.
    only_v5: bool,
    /// How its ClientIDs begin.
    client_prefix: String,
}

/// Which of the node's announcements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Announcement {
    Birth,
    Close,
    Will,
}

impl Announcement {
    fn name(self) -> &'static str {
        match self {
            Announcement::Birth => "birth",
            Announcement::Close => "close",
            Announcement::Will => "will",
        }
    }
}

/// What a client of the node is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It consumes and publishes.
    Both,
    /// It consumes.
    Consume,
    /// It consumes what is subscribed to at QoS 0 in a group: its session ends with the connection.
    Fleeting,
    /// It publishes.
    Publish,
    /// It consumes what one replica at a time consumes: its ClientID and session are the group's.
    Single,
    /// It carries the group's birth, close and will messages: its ClientID is the group's.
    Herald,
    /// It gets retained messages for the group, and ends.
    Fetch,
    /// It finishes another replica's session.
    Adopt,
}

impl Kind {
    pub(super) fn role(self) -> Role {
        match self {
            Kind::Both => Role::Both,
            Kind::Consume | Kind::Fleeting | Kind::Single | Kind::Fetch => Role::Consume,
            Kind::Publish | Kind::Herald => Role::Publish,
            Kind::Adopt => Role::Adopt,
        }
    }
}

fn version(config: &NodeConfig) -> Version {
    match config.int("protocolVersion") {
        Some(3) => Version::V3,
        _ if config.bool("compatmode") => Version::V3,
        Some(5) => Version::V5,
        _ => Version::V4,
    }
}

fn is_local(config: &NodeConfig) -> bool {
    matches!(config.str("broker"), "localhost" | "127.0.0.1")
}

impl BrokerOptions {
    /// `replica`: the id that topics of announcements may have in them.
    pub(super) fn new(
        config: &NodeConfig,
        user: Option<String>,
        password: Option<String>,
        replica: &str,
    ) -> BrokerOptions {
        let mut config = config.clone();
        let mut of_replica = false;
        for field in ["birthTopic", "closeTopic", "willTopic"] {
            if let Some(Json::String(topic)) = config.props.get_mut(field) {
                let (filled, named) = filled(topic, replica);
                of_replica |= named;
                *topic = filled.into_owned();
            }
        }
        BrokerOptions {
            of_replica,
            only_v5: false,
            client_prefix: String::new(),
            credentials: (user, password),
            version: version(&config),
            local: is_local(&config),
            config,
        }
    }

    /// The same for a node that is of no use without MQTT 5, and whose ClientIDs begin so.
    pub(super) fn only_v5(self, client_prefix: Option<&str>) -> BrokerOptions {
        BrokerOptions { only_v5: true, client_prefix: client_prefix.unwrap_or_default().to_owned(), ..self }
    }

    /// Takes over what `msg.broker` names.
    pub(super) fn change(&mut self, changes: &Map<String, Json>) {
        for (key, value) in changes {
            match (key.as_str(), value) {
                ("username", value) => self.credentials.0 = value.as_str().map(str::to_owned),
                ("password", value) => self.credentials.1 = value.as_str().map(str::to_owned),
                ("userProperties", value) => drop(self.config.props.insert("userProps".into(), value.clone())),
                ("sessionExpiryInterval", value) => {
                    self.config.props.insert("sessionExpiry".into(), value.clone());
                }
                ("id" | "type" | "z" | "tls" | "force", _) => {}
                (key, value) => drop(self.config.props.insert(key.to_owned(), value.clone())),
            }
        }
        (self.version, self.local) = (version(&self.config), is_local(&self.config));
    }

    pub(super) fn auto_connect(&self) -> bool {
        self.config.bool_or("autoConnect", true)
    }

    pub(super) fn auto_unsubscribe(&self) -> bool {
        self.config.get("autoUnsubscribe") != Some(&Json::Bool(false))
    }

    pub(super) fn client_id(&self) -> &str {
        self.config.str("clientid")
    }

    /// The version that the flow asks for: what its messages look like.
    pub(super) fn version(&self) -> Version {
        self.version
    }

    /// The id of the tls-config node, when TLS is on.
    pub(super) fn tls_node(&self) -> Option<&str> {
        self.config.bool("usetls").then(|| self.config.str("tls"))
    }

    /// Whether the broker's certificate is verified when there is no tls-config node. Node-RED: only if the broker node says
    /// so itself, as those of old exports do.
    pub(super) fn verifies(&self) -> bool {
        self.config.bool("verifyservercert")
    }

    /// True when whoever answers is taken for the broker, in spite of TLS.
    pub(super) fn trusts_anyone(&self) -> bool {
        let tls = url::parse(&self.url()).is_ok_and(|url| url.tls);
        tls && self.tls_node().is_none_or(str::is_empty) && !self.verifies()
    }

    /// True when the group announces itself as one: there is an announcement, and no topic of it names the replica.
    pub(super) fn announces_as_one(&self) -> bool {
        let all = [Announcement::Birth, Announcement::Close, Announcement::Will];
        all.into_iter().any(|which| self.has(which)) && !self.of_replica
    }

    /// True when the flow's messages have this announcement.
    pub(super) fn has(&self, which: Announcement) -> bool {
        self.announcement(which).is_some()
    }

    /// True for a broker on this machine: Node-RED adds `_topic` then.
    pub(super) fn is_local(&self) -> bool {
        self.local
    }

    /// The URL, as Node-RED makes it from its parts.
    pub(super) fn url(&self) -> String {
        if let Some(url) = self.config.opt_str("url") {
            return url.to_owned();
        }
        let broker = self.config.str("broker");
        if broker.contains("://") {
            return broker.to_owned();
        }
        let scheme = if self.config.bool("usetls") { "mqtts" } else { "mqtt" };
        if broker.is_empty() {
            return format!("{scheme}://localhost:1883");
        }
        let port = self.config.string_of("port");
        let port = if port.is_empty() { "1883" } else { port.as_str() };
        if broker.parse::<std::net::Ipv6Addr>().is_ok() {
            format!("{scheme}://[{broker}]:{port}")
        } else {
            format!("{scheme}://{broker}:{port}")
        }
    }

    /// The URL for people: without user and password.
    pub(super) fn shown(&self) -> String {
        flotilla_flows::shown_url(&self.url())
    }

    /// For log lines: `clientid@url`.
    pub(super) fn label(&self) -> String {
        let id = self.client_id();
        if id.is_empty() { self.shown() } else { format!("{id}@{}", self.shown()) }
    }

    /// Birth, close or will message, if there is one.
    pub(super) fn announcement(&self, which: Announcement) -> Option<Publish> {
        self.delayed(which).map(|(publish, _)| publish)
    }

    /// The message, and the seconds that it waits as a will.
    fn delayed(&self, which: Announcement) -> Option<(Publish, u32)> {
        let name = which.name();
        // `msg.broker` has them as objects, the editor as fields.
        let own = match self.config.get(name) {
            Some(Json::Object(own)) => Some(own),
            _ => None,
        };
        let field = |key: &str| match own {
            Some(own) => own.get(key).cloned(),
            None => {
                let (first, rest) = key.split_at(1);
                self.config.get(&format!("{name}{}{rest}", first.to_uppercase())).cloned()
            }
        };
        let extra = match own {
            Some(own) => own.get("properties").cloned(),
            None => self.config.get(&format!("{name}Msg")).cloned(),
        };
        let topic = field("topic").and_then(|topic| topic.as_str().map(Str::new)).filter(|topic| !topic.is_empty())?;
        let qos = field("qos").as_ref().map(from_json).map_or(0.0, |qos| qos.to_number());
        let retain = matches!(field("retain"), Some(Json::Bool(true))) || field("retain") == Some("true".into());
        let payload = field("payload").as_ref().map(from_json).filter(Value::truthy).unwrap_or_default();
        let (props, delay) = extra.as_ref().map(from_json).map_or((None, 0), |extra| announcement_props(&extra));
        let publish = Publish {
            topic,
            payload: payload::encode(&payload).unwrap_or_default(),
            qos: QoS::from_bits(qos as u8).unwrap_or_default(),
            retain,
            props,
            ..Publish::default()
        };
        Some((publish, delay))
    }

    /// How a client of this node connects.
    ///
    /// # Errors
    /// When the URL cannot be read or TLS cannot be set up.
    pub(super) fn client(
        &self,
        kind: Kind,
        node: &str,
        settings: &Settings,
        with_will: bool,
        tls: impl FnOnce() -> Result<Secure, String>,
    ) -> Result<ClientOptions, String> {
        let url = url::parse(&self.url())?;
        let shared = settings.share_subscriptions;
        let flow_version = self.version();
        // In a group the wire is MQTT 5 wherever the broker speaks it: receive maximum and session expiry are what
        // at-least-once in a group rests on.
        let version = if shared { Version::V5 } else { flow_version };
        let fallback = if shared && flow_version == Version::V5 { Some(Version::V4) } else { Some(flow_version) };
        let v5 = version == Version::V5;
        let own_id = self.client_id().is_empty() || shared;
        let clean = own_id || self.config.bool_or("cleansession", true);
        let role = kind.role();
        let passes = matches!(kind, Kind::Fleeting | Kind::Fetch);
        // The session belongs to a role, whoever has it.
        let of_role = matches!(kind, Kind::Single | Kind::Herald);
        let ours = (role == Role::Publish || shared) && !passes && !of_role;
        let clean = clean && !of_role;
        let client_id = match (own_id, role) {
            (false, Role::Consume | Role::Both) => self.client_id().to_owned(),
            (false, _) => format!("{}-{}", self.client_id(), generate()),
            (true, _) if kind == Kind::Single => format!("flotilla-{}-{node}-single", settings.group),
            (true, _) if kind == Kind::Herald => format!("flotilla-{}-{node}-status", settings.group),
            (true, _) if version == Version::V3 => format!("fl{}", generate()),
            (true, _) if shared => format!("flotilla-{}-{}-{node}-{}", settings.group, settings.replica, generate()),
            (true, _) => format!("flotilla_{}", generate()),
        };
        let given = self.config.int("sessionExpiry").and_then(|seconds| u32::try_from(seconds).ok()).unwrap_or(0);
        let user_props = self.config.get("userProps").map(from_json).filter(|props| props.as_str().is_some());
        let (user, password) = match &url.user {
            Some((user, password)) if self.credentials.0.is_none() => (Some(user.clone()), Some(password.clone())),
            _ => self.credentials.clone(),
        };
        let secure = if url.tls { Some(tls()?) } else { None };
        let (tls, servername) = secure.map(|secure| (secure.config, secure.servername)).unzip();
        let address =
            Address { host: url.host, port: url.port, tls, servername: servername.flatten(), websocket: url.websocket };
        let keep_alive = self.config.num("keepalive").unwrap_or(60.0).clamp(0.0, 65_535.0);
        let will = if with_will { self.delayed(Announcement::Will) } else { None };
        Ok(ClientOptions {
            address,
            connect: Connect {
                clean_start: clean,
                keep_alive: keep_alive as u16,
                username: user.filter(|user| !user.is_empty()),
                password: password.filter(|password| !password.is_empty()).map(Bytes::from),
                will: will.map(|(publish, delay)| publish.into_will(delay)),
                session_expiry: match kind {
                    Kind::Fleeting | Kind::Fetch => 0,
                    // The next who has the role goes on with it, however short it is kept for the whole group.
                    Kind::Single => {
                        u32::try_from(settings.keep_session.as_secs()).unwrap_or(u32::MAX).max(SESSION_EXPIRY)
                    }
                    _ if ours => SESSION_EXPIRY,
                    _ => given,
                },
                receive_maximum: settings.max_in_flight.clamp(1, 65_535) as u16,
                max_packet: 256 << 20,
                // Node-RED asks for it.
                response_info: true,
                user: {
                    let mut user = user_props.as_ref().map(properties::user).unwrap_or_default();
                    if shared && !of_role && kind != Kind::Fetch {
                        user.extend(identity(role, node, settings));
                    }
                    user.into_iter().map(|(name, value)| (name.into(), value.into())).collect()
                },
                ..Connect::new(version, format!("{}{client_id}", self.client_prefix))
            },
            resume: (ours && v5) || !clean,
            fallback: fallback.filter(|older| *older != version && !self.only_v5),
            reconnect: flotilla_value::wait_ms(settings.number("mqttReconnectTime").unwrap_or(5000.0).max(100.0)),
            end_session: ours && v5,
            max_in_flight: settings.max_in_flight,
            label: self.label(),
        })
    }
}

/// What Flotilla's own broker is told of a replica's client: the name that the replica keeps across connections, and which
/// process it is.
fn identity(role: Role, node: &str, settings: &Settings) -> Vec<(Str, Str)> {
    let member = Str::from(format!("{}/{}/{node}", settings.group, settings.replica));
    let process = (Str::new_static(agreed::PROCESS), Str::new(&settings.process));
    match role {
        Role::Consume | Role::Both => vec![(Str::new_static(agreed::MEMBER), member), process],
        Role::Publish => vec![(Str::new_static(agreed::OUTPUTS_OF), member)],
        Role::Adopt => Vec::new(),
    }
}

/// The properties of an announcement under the editor's short names, and the will's delay.
fn announcement_props(extra: &Value) -> (Option<Box<PublishProps>>, u32) {
    let pick = |long: &str, short: &str| {
        let short = extra.get(short);
        if short.is_undefined() { extra.get(long) } else { short }
    };
    let props = properties::from_message(|key| match key {
        "responseTopic" => pick(key, "respTopic"),
        "correlationData" => pick(key, "correl"),
        "messageExpiryInterval" => pick(key, "expiry"),
        "userProperties" => {
            let user = properties::user(&pick(key, "userProps"));
            user.into_iter()
                .map(|(name, value)| (name, Value::String(value)))
                .collect::<flotilla_value::Object>()
                .into()
        }
        "payloadFormatIndicator" => Value::Undefined,
        key => extra.get(key),
    });
    (props, properties::integer(&pick("willDelayInterval", "delay")).unwrap_or(0))
}
