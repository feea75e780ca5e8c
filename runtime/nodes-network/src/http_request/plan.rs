//! What a message asks for: URL, method, headers, body, authentication.

use std::rc::Rc;

use http::Method;
use url::Url;

use crate::http_proxy::HttpProxy;
use crate::tls_config::{TlsConfig, client_without_config};
use flotilla_engine::NodeCx;
use flotilla_http::{serialize_cookie, write_query};
use flotilla_value::{Object, Value};

use super::auth;
use super::body;
use super::client::{Plan, ProxyFor};
use super::cookie_jar::CookieJar;
use super::headers::Headers;
use super::node::HttpRequest;
use crate::proxy::{Proxy, is_excepted};

/// What a payload is on a GET.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum GetPayload {
    Ignore,
    Query,
    Body,
}

/// `%` that begins no escape becomes `%25`: partly encoded queries are common.
fn mend_query(url: &str) -> String {
    let Some((path, query)) = url.split_once('?') else { return url.to_owned() };
    let mut mended = String::with_capacity(query.len());
    for (at, c) in query.char_indices() {
        let hex = query.as_bytes().get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit));
        if c == '%' && !hex { mended.push_str("%25") } else { mended.push(c) }
    }
    format!("{path}?{mended}")
}

/// The scheme, when the flow left it out.
pub(super) fn with_scheme(url: &str, tls: bool) -> String {
    if url.starts_with("http://") || url.starts_with("https://") {
        return mend_query(url);
    }
    mend_query(&format!("{}://{url}", if tls { "https" } else { "http" }))
}

fn jar(msg: &Value, headers: &mut Headers, url: &Url) -> CookieJar {
    let mut jar = CookieJar::default();
    if let Some(line) = headers.remove("cookie") {
        for pair in line.to_text().split(';') {
            jar.set(&format!("{}; Path=/", pair.trim()), url);
        }
    }
    if let Value::Object(cookies) = msg.get("cookies") {
        for (name, cookie) in cookies.iter() {
            let value = match cookie {
                // Removes a cookie in an http response; means nothing here.
                Value::Null => continue,
                Value::Object(_) if cookie.get("value") == Value::Null => continue,
                Value::Object(_) => cookie.get("value"),
                other => other.clone(),
            };
            let encode: Object = [("encode", cookie.get("encode"))].into_iter().collect();
            jar.set(&serialize_cookie(name, &value, &Value::from(encode)), url);
        }
    }
    jar
}

/// The certificate check that `msg.rejectUnauthorized` asks for; `None` when it says nothing valid.
fn verify(msg: &Value) -> Option<bool> {
    match msg.get("rejectUnauthorized") {
        Value::Bool(flag) => Some(flag),
        Value::String(text) => text.to_lowercase().parse().ok(),
        _ => None,
    }
}

fn proxy_of(cx: &NodeCx, id: &str) -> ProxyFor {
    if let Some(node) = cx.config_node::<HttpProxy>(id) {
        return Box::new(move |url| if is_excepted(url, &node.exceptions) { None } else { node.proxy() });
    }
    let cx = cx.clone();
    Box::new(move |url| Proxy::from_env(&cx.settings(), url))
}

impl HttpRequest {
    /// Plans the request of a message. Errors are texts for catch nodes.
    pub(super) fn plan(&self, msg: &Value, url: &str, method: &str) -> Result<Plan, String> {
        let cx = &self.cx;
        let invalid = |_| format!("Invalid URL: {}", flotilla_flows::shown_url(url));
        let mut url = Url::parse(url).map_err(invalid)?;
        url.set_fragment(None);
        let method =
            Method::try_from(method).map_err(|_| format!("Method must be a valid HTTP token [\"{method}\"]"))?;
        let mut headers = Headers::collect(msg, &self.headers);
        let jar = jar(msg, &mut headers, &url);
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8_lossy().into_owned();
        let user = cx.credential("user").or_else(|| Some(decode(url.username())).filter(|user| !user.is_empty()));
        let password = cx.credential("password").or_else(|| url.password().map(decode));
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let mut digest = None;
        if user.is_some() || password.is_some() {
            let (user, password) = (user.unwrap_or_default(), password.unwrap_or_default());
            match self.auth.as_str() {
                "digest" => digest = Some((user, password)),
                "bearer" => headers.set("Authorization", Value::from(format!("Bearer {password}"))),
                _ if user.is_empty() && password.is_empty() => {}
                _ => headers.set("Authorization", Value::from(auth::basic(&user, &password))),
            }
        }
        let payload = msg.get("payload");
        let mut body = None;
        if method != Method::GET && method != Method::HEAD {
            if !payload.is_undefined() {
                body = Some(body::of_payload(&payload, &mut headers));
            }
        } else if method == Method::GET && !payload.is_undefined() {
            match self.get_payload {
                GetPayload::Query if payload.type_of() == "object" => {
                    let added = write_query(&payload);
                    let query = match url.query() {
                        Some(own) if !own.is_empty() => format!("{own}&{added}"),
                        _ => added,
                    };
                    url.set_query(Some(&query));
                }
                GetPayload::Query => return Err(cx.text("httpin.errors.invalid-payload", &[])),
                GetPayload::Body => body = Some(body::of_get(&payload)),
                GetPayload::Ignore => {}
            }
        }
        let node = cx.config_node::<TlsConfig>(&self.tls);
        let servername = node.as_ref().and_then(|node| node.servername().map(str::to_owned));
        let tls = match node {
            Some(tls) => tls.client(),
            None => {
                let asked = verify(msg);
                if asked.is_none() && !msg.get("rejectUnauthorized").is_undefined() {
                    cx.report().warn(cx.text("httpin.errors.rejectunauthorized-invalid", &[]));
                }
                let strict = cx.settings().env_var("NODE_TLS_REJECT_UNAUTHORIZED").as_deref() != Some("0");
                client_without_config(asked.unwrap_or(strict))
            }
        };
        let follow = msg.get("followRedirects");
        Ok(Plan {
            method,
            headers,
            body,
            jar,
            follow: follow.is_undefined() || follow.truthy(),
            digest,
            tls: tls.map_err(|error| error.to_string())?,
            servername,
            proxy: proxy_of(cx, &self.proxy),
            lenient: self.lenient,
            pool: self.pool.as_ref().map(Rc::clone),
            url,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_mended() {
        assert_eq!(with_scheme("a/b?x=20%&y=%20", false), "http://a/b?x=20%25&y=%20");
        assert_eq!(with_scheme("a", true), "https://a");
        assert_eq!(with_scheme("http://a/%", true), "http://a/%");
    }
}
