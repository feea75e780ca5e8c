//! `msg.req`: the request as flows see it.

use std::any::Any;
use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderMap, Method, Uri, header};

use flotilla_value::{HostObject, Object, Str, Value};

use super::answer::Exchange;
use super::cookies::parse_cookies;
use super::query::parse_query;
use super::response_calls::mime_type;
use super::trust::{Chain, earlier};
use super::written::Written;

const KEYS: [&str; 20] = [
    "headers",
    "method",
    "url",
    "originalUrl",
    "baseUrl",
    "path",
    "query",
    "params",
    "body",
    "cookies",
    "files",
    "ip",
    "ips",
    "hostname",
    "protocol",
    "secure",
    "xhr",
    "route",
    "httpVersion",
    "subdomains",
];

/// `msg.req`, with the properties and methods of Express's request that Node-RED documents. What a flow
/// writes onto it is seen by all nodes of the request, and by nobody else.
pub struct Request {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) peer: SocketAddr,
    pub(super) chain: Chain,
    pub(super) params: Object,
    pub(super) query: Value,
    pub(super) body: Value,
    pub(super) files: Value,
    pub(super) route: Str,
    pub(super) written: Written,
    pub(super) exchange: Arc<Exchange>,
}

/// Headers as Node shows them: lower case; doubles joined, `set-cookie` as an array.
pub fn headers_value(headers: &HeaderMap) -> Object {
    let mut object = Object::with_capacity(headers.keys_len());
    for name in headers.keys() {
        let mut values = headers.get_all(name).iter().map(|value| latin1(value.as_bytes()));
        if name == header::SET_COOKIE {
            object.insert(name.as_str(), Value::array(values.map(Value::from).collect()));
            continue;
        }
        let Some(first) = values.next() else { continue };
        // Node keeps the first of headers that may stand only once.
        let once = matches!(
            name.as_str(),
            "age"
                | "authorization"
                | "content-length"
                | "content-type"
                | "etag"
                | "expires"
                | "from"
                | "host"
                | "if-modified-since"
                | "if-unmodified-since"
                | "last-modified"
                | "location"
                | "max-forwards"
                | "proxy-authorization"
                | "referer"
                | "retry-after"
                | "server"
                | "user-agent"
        );
        let joined = if once {
            first
        } else {
            let separator = if name == header::COOKIE { "; " } else { ", " };
            values.fold(first, |joined, value| joined + separator + &value)
        };
        object.insert(name.as_str(), joined);
    }
    object
}

/// The media ranges of an Accept header, the most wanted first.
fn preferred(accept: &str) -> Vec<&str> {
    let mut ranges: Vec<(&str, f64)> = accept
        .split(',')
        .map(|part| {
            let (range, parameters) = part.split_once(';').unwrap_or((part, ""));
            let quality = parameters.split(';').find_map(|one| one.trim().strip_prefix("q="));
            (range.trim(), quality.and_then(|quality| quality.trim().parse().ok()).unwrap_or(1.0))
        })
        .filter(|(_, quality)| *quality > 0.0)
        .collect();
    ranges.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    ranges.into_iter().map(|(range, _)| range).collect()
}

fn latin1(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

impl Request {
    /// A header, or empty.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    fn forwarded(&self, name: &str) -> Option<&str> {
        let header = self.header(name);
        (self.chain.trusts_peer && !header.is_empty()).then(|| header.split(',').next().unwrap_or_default().trim())
    }

    fn ip(&self) -> String {
        self.earlier().last().map_or_else(|| self.peer.ip().to_string(), str::to_owned)
    }

    /// The trusted proxies before the peer, and last the client.
    fn earlier(&self) -> impl Iterator<Item = &str> {
        earlier(self.header("x-forwarded-for")).take(self.chain.earlier)
    }

    fn protocol(&self) -> &str {
        self.forwarded("x-forwarded-proto").unwrap_or("http")
    }

    fn hostname(&self) -> String {
        let host = self.forwarded("x-forwarded-host").unwrap_or_else(|| self.header("host"));
        let end = host.rfind(':').filter(|at| !host[*at..].contains(']')).unwrap_or(host.len());
        host[..end].to_owned()
    }

    fn header_value(&self, name: &str) -> Value {
        let name = name.to_ascii_lowercase();
        let name = if name == "referrer" { "referer" } else { &name };
        if let Some(headers) = self.written.get("headers") {
            return headers.get(name);
        }
        match self.headers.get(name) {
            Some(value) => Value::from(latin1(value.as_bytes())),
            None => Value::Undefined,
        }
    }

    /// `req.is(...types)`: the type that the body has, or false.
    fn is(&self, types: &[Value]) -> Value {
        let content_type = self.header("content-type").split(';').next().unwrap_or_default().trim().to_lowercase();
        if content_type.is_empty() {
            return Value::Bool(false);
        }
        let flat =
            types.iter().flat_map(|value| value.as_array().map_or_else(|| vec![value.clone()], <[Value]>::to_vec));
        for wanted in flat {
            let wanted = wanted.to_text().to_lowercase();
            let full = match wanted.as_str() {
                "urlencoded" => "application/x-www-form-urlencoded".to_owned(),
                "multipart" => "multipart/*".to_owned(),
                "json" => "application/json".to_owned(),
                "text" => "text/plain".to_owned(),
                "html" => "text/html".to_owned(),
                "xml" => "application/xml".to_owned(),
                other if other.starts_with('+') => format!("*/*{other}"),
                other => other.to_owned(),
            };
            let (kind, sub) = full.split_once('/').unwrap_or((&full, "*"));
            let (own_kind, own_sub) = content_type.split_once('/').unwrap_or((&content_type, ""));
            let suffix = sub.strip_prefix("*+").is_some_and(|suffix| own_sub.ends_with(&format!("+{suffix}")));
            if (kind == "*" || kind == own_kind) && (sub == "*" || sub == own_sub || suffix) {
                return Value::from(if full.contains('*') { content_type } else { wanted });
            }
        }
        Value::Bool(false)
    }

    /// `req.accepts(...types)`: of the types the one that the client wants most.
    fn accepts(&self, types: &[Value]) -> Value {
        let accept = self.header("accept");
        let ranges = preferred(accept);
        let flat =
            types.iter().flat_map(|value| value.as_array().map_or_else(|| vec![value.clone()], <[Value]>::to_vec));
        let all: Vec<Value> = flat.collect();
        if accept.is_empty() {
            return all.first().cloned().unwrap_or(Value::Bool(false));
        }
        let takes = |range: &str, wanted: &Value| {
            let full = mime_type(&wanted.to_text());
            range == "*/*" || range == full || range.strip_suffix('*').is_some_and(|kind| full.starts_with(kind))
        };
        for range in ranges {
            if let Some(wanted) = all.iter().find(|wanted| takes(range, wanted)) {
                return wanted.clone();
            }
        }
        Value::Bool(false)
    }

    /// A property as the request brought it.
    fn arrived(&self, name: &str) -> Value {
        match name {
            "headers" => Value::from(headers_value(&self.headers)),
            "method" => Value::from(self.method.as_str()),
            "url" | "originalUrl" => Value::from(self.uri.path_and_query().map_or("/", |path| path.as_str())),
            "baseUrl" => Value::from(""),
            "path" => Value::from(self.uri.path()),
            "query" => self.query.clone(),
            "params" => Value::from(self.params.clone()),
            "body" => self.body.clone(),
            "cookies" => Value::from(parse_cookies(self.header("cookie"))),
            "signedCookies" => Value::object(),
            "files" => self.files.clone(),
            "ip" => Value::from(self.ip()),
            // Without the peer, the client first.
            "ips" => {
                let mut ips: Vec<Value> = self.earlier().map(Value::from).collect();
                ips.reverse();
                Value::array(ips)
            }
            "hostname" => Value::from(self.hostname()),
            "subdomains" => {
                let host = self.hostname();
                let parts = host.split('.').rev().skip(2).map(Value::from);
                Value::array(if host.parse::<std::net::IpAddr>().is_ok() { Vec::new() } else { parts.collect() })
            }
            "protocol" => Value::from(self.protocol()),
            "secure" => Value::Bool(self.protocol() == "https"),
            "xhr" => Value::Bool(self.header("x-requested-with").eq_ignore_ascii_case("xmlhttprequest")),
            "httpVersion" => Value::from("1.1"),
            "route" => Value::from([("path", Value::String(self.route.clone()))].into_iter().collect::<Object>()),
            "socket" | "connection" => {
                let parts = [
                    ("remoteAddress", Value::from(self.peer.ip().to_string())),
                    ("remotePort", Value::from(f64::from(self.peer.port()))),
                ];
                Value::from(parts.into_iter().collect::<Object>())
            }
            _ => Value::Undefined,
        }
    }
}

impl HostObject for Request {
    fn class_name(&self) -> &'static str {
        "IncomingMessage"
    }

    fn get(&self, name: &str) -> Value {
        self.written.get(name).unwrap_or_else(|| self.arrived(name))
    }

    fn keys(&self) -> Vec<Str> {
        let mut keys = KEYS.iter().map(Str::new).collect();
        self.written.rename(&mut keys);
        keys
    }

    fn hidden(&self) -> &'static [&'static str] {
        &["signedCookies", "socket", "connection"]
    }

    fn set(&self, name: &str, value: Value) -> Result<(), String> {
        self.written.set(name, value)
    }

    fn over(&self) -> Option<futures::future::BoxFuture<'static, bool>> {
        Some(self.exchange.over())
    }

    fn methods(&self) -> &'static [&'static str] {
        &["get", "header", "is", "accepts", "param", "on", "once", "addListener"]
    }

    fn call(&self, method: &str, args: &[Value]) -> Result<Value, String> {
        let name = args.first().map(Value::to_text).unwrap_or_default();
        Ok(match method {
            "get" | "header" => self.header_value(&name),
            "is" => self.is(args),
            "accepts" => self.accepts(args),
            "param" => {
                let places = ["params", "body", "query"].map(|place| self.get(place));
                let found = places.iter().map(|place| place.get(&name)).find(|value| !value.is_nullish());
                found.or_else(|| args.get(1).cloned()).unwrap_or(Value::Null)
            }
            _ => return Err(format!("req.{method} is not a function")),
        })
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The query of a URL as a value.
pub(super) fn query_value(uri: &Uri) -> Value {
    match uri.query() {
        Some(query) if !query.is_empty() => Value::from(parse_query(query)),
        _ => Value::object(),
    }
}
