//! Sending a plan: connections, redirects, digest challenges.

use std::rc::Rc;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue, Method, Request, header};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use rustls::ClientConfig;
use url::Url;

use flotilla_engine::message::generate_id;
use flotilla_http::headers_value;
use flotilla_value::{Object, Value};

use super::auth;
use super::connect::{self, Route, Sender};
use super::cookie_jar::CookieJar;
use super::error::RequestError;
use super::headers::{Headers, response_cookies};
use super::pool::{Pool, PoolKey};
use crate::proxy::Proxy;

/// `got` as Node-RED sets it up.
const MAX_REDIRECTS: usize = 21;
/// A response is held in memory whole, so it is bounded.
const MAX_BODY: usize = 256 << 20;

/// Which proxy a URL is asked through.
pub(super) type ProxyFor = Box<dyn Fn(&Url) -> Option<Proxy>>;

/// A request that is ready to be sent.
pub(super) struct Plan {
    pub(super) url: Url,
    pub(super) method: Method,
    pub(super) headers: Headers,
    pub(super) body: Option<Bytes>,
    pub(super) jar: CookieJar,
    pub(super) follow: bool,
    /// User and password for a digest challenge.
    pub(super) digest: Option<(String, String)>,
    pub(super) tls: Arc<ClientConfig>,
    /// The name to ask TLS servers for instead of that in the URL.
    pub(super) servername: Option<String>,
    pub(super) proxy: ProxyFor,
    pub(super) lenient: bool,
    pub(super) pool: Option<Rc<Pool>>,
}

/// What came back.
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Object,
    pub(super) url: Url,
    pub(super) body: Bytes,
    pub(super) cookies: Option<Object>,
    pub(super) redirects: Vec<Value>,
}

impl Plan {
    /// Sends the request and follows where it leads.
    pub(super) async fn run(mut self) -> Result<Reply, RequestError> {
        let (mut redirects, mut challenged) = (Vec::new(), false);
        loop {
            let proxy = (self.proxy)(&self.url);
            let key = (self.url.origin().ascii_serialization(), proxy);
            let (response, sender) = self.send(&key).await?;
            let status = response.status().as_u16();
            let set_cookies: Vec<String> = response
                .headers()
                .get_all(header::SET_COOKIE)
                .iter()
                .map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
                .collect();
            for line in &set_cookies {
                self.jar.set(line, &self.url);
            }
            let text = |name: HeaderName| {
                response.headers().get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
            };
            if let (401, false, Some((user, password)), Some(challenge)) =
                (status, challenged, &self.digest, text(header::WWW_AUTHENTICATE))
            {
                let path = self.url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
                let answer = auth::digest(user, password, self.method.as_str(), &path, &challenge, &generate_id());
                self.headers.set("Authorization", Value::from(answer));
                challenged = true;
                self.recycle(key, response, sender).await?;
                continue;
            }
            let location = text(header::LOCATION).filter(|_| matches!(status, 300..=304 | 307 | 308));
            if let Some(location) = location.filter(|_| self.follow) {
                let mut entry: Object = [("location", Value::from(location.as_str()))].into_iter().collect();
                if !set_cookies.is_empty() {
                    entry.insert("cookies", response_cookies(set_cookies.iter().map(String::as_str)));
                }
                redirects.push(Value::from(entry));
                if redirects.len() > MAX_REDIRECTS {
                    let text = format!("Redirected {MAX_REDIRECTS} times. Aborting.");
                    return Err(RequestError::new("ERR_TOO_MANY_REDIRECTS", text));
                }
                self.recycle(key, response, sender).await?;
                self.redirect(status, &location)?;
                continue;
            }
            let headers = headers_value(response.headers());
            let body = read(response).await?;
            self.keep(key, sender);
            let cookies = (!set_cookies.is_empty()).then(|| response_cookies(set_cookies.iter().map(String::as_str)));
            return Ok(Reply { status, headers, url: self.url, body, cookies, redirects });
        }
    }

    async fn send(&self, key: &PoolKey) -> Result<(http::Response<Incoming>, Sender), RequestError> {
        if let Some(mut sender) = self.pool.as_ref().and_then(|pool| pool.take(key))
            && sender.ready().await.is_ok()
        {
            match sender.send(self.request()?, self.names()).await {
                Ok(response) => return Ok((response, sender)),
                // The server may have closed it meanwhile. A request that it may have carried out is sent again only when
                // twice means the same as once (RFC 9110, 9.2.2); others on a connection of our own making, below.
                Err(failed) if !failed.unsent && !self.method.is_idempotent() => {
                    return Err(RequestError::exchange(&failed.error));
                }
                Err(_) => {}
            }
        }
        let (proxy, servername) = (key.1.as_ref(), self.servername.as_deref());
        let route = Route { url: &self.url, proxy, tls: self.tls.clone(), servername, lenient: self.lenient };
        let mut sender = connect::open(route).await?;
        let response = sender.send(self.request()?, self.names()).await;
        Ok((response.map_err(|failed| RequestError::exchange(&failed.error))?, sender))
    }

    fn names(&self) -> Vec<String> {
        self.headers.0.iter().map(|(name, _)| name.clone()).collect()
    }

    fn request(&self) -> Result<Request<Full<Bytes>>, RequestError> {
        let invalid = |text: String| RequestError::new("ERR_INVALID_CHAR", text);
        let path = &self.url[url::Position::BeforePath..url::Position::AfterQuery];
        let mut request = Request::builder().method(self.method.clone()).uri(path);
        if self.headers.get("host").is_none() {
            let host = &self.url[url::Position::BeforeHost..url::Position::AfterPort];
            request = request.header(header::HOST, host);
        }
        if self.headers.get("user-agent").is_none() {
            request = request.header(header::USER_AGENT, concat!("flotilla/", env!("CARGO_PKG_VERSION")));
        }
        if self.pool.is_none() {
            request = request.header(header::CONNECTION, "close");
        }
        for (name, value) in &self.headers.0 {
            let key = HeaderName::try_from(name.as_str());
            let key = key.map_err(|_| invalid(format!("Header name must be a valid HTTP token [\"{name}\"]")))?;
            // The length is that of what is sent.
            if key == header::CONTENT_LENGTH || key == header::TRANSFER_ENCODING {
                continue;
            }
            let values = match value {
                Value::Array(items) => items.iter().map(Value::to_text).collect(),
                value => vec![value.to_text()],
            };
            for text in values {
                let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
                let value = HeaderValue::from_bytes(&bytes);
                let value = value.map_err(|_| invalid(format!("Invalid character in header content [\"{name}\"]")))?;
                request = request.header(&key, value);
            }
        }
        if let Some(cookies) = self.jar.header(&self.url) {
            request = request.header(header::COOKIE, cookies);
        }
        let body = Full::new(self.body.clone().unwrap_or_default());
        request.body(body).map_err(|error| RequestError::new("ERR_INVALID_URL", error.to_string()))
    }

    /// Where a redirect leads; 301, 302 and 303 become GET, another host gets no credentials.
    fn redirect(&mut self, status: u16, location: &str) -> Result<(), RequestError> {
        let next = self.url.join(location);
        let next = next.map_err(|_| RequestError::new("ERR_INVALID_URL", format!("Invalid URL: {location}")))?;
        if !matches!(next.scheme(), "http" | "https") {
            return Err(RequestError::new(
                "ERR_UNSUPPORTED_PROTOCOL",
                format!("Unsupported protocol: {}", next.scheme()),
            ));
        }
        if !matches!(status, 307 | 308) && self.method != Method::GET && self.method != Method::HEAD {
            self.method = Method::GET;
            self.body = None;
            self.headers.remove("content-type");
            self.headers.remove("content-length");
        }
        if next.host_str() != self.url.host_str() || next.port_or_known_default() != self.url.port_or_known_default() {
            self.headers.remove("host");
            self.headers.remove("authorization");
            self.headers.remove("cookie");
            self.digest = None;
        }
        self.url = next;
        Ok(())
    }

    /// Reads a response that nobody wants, so that its connection can be used again.
    async fn recycle(
        &self,
        key: PoolKey,
        response: http::Response<Incoming>,
        sender: Sender,
    ) -> Result<(), RequestError> {
        if self.pool.is_some() {
            read(response).await?;
            self.keep(key, sender);
        }
        Ok(())
    }

    fn keep(&self, key: PoolKey, sender: Sender) {
        if let Some(pool) = self.pool.as_ref().filter(|_| !sender.is_closed()) {
            pool.put(key, sender);
        }
    }
}

async fn read(response: http::Response<Incoming>) -> Result<Bytes, RequestError> {
    let (mut body, mut whole) = (response.into_body(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| RequestError::exchange(&error))?;
        let Ok(data) = frame.into_data() else { continue };
        if whole.len() + data.len() > MAX_BODY {
            return Err(RequestError::new(
                "ERR_BODY_TOO_LARGE",
                format!("the response is larger than {MAX_BODY} bytes"),
            ));
        }
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}
