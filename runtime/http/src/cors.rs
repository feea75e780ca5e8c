//! Node-RED's `httpNodeCors`, with the options of npm's `cors`.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use http_body_util::Full;
use serde_json::Value as Json;

use super::answer::Answer;

/// The setting, read once per request that it concerns.
pub(super) struct Cors<'a>(&'a Json);

impl<'a> Cors<'a> {
    /// What Node-RED answers preflights with when nothing is set: its admin API does so for all paths.
    pub(super) fn of_preflights() -> Cors<'static> {
        static DEFAULT: LazyLock<Json> =
            LazyLock::new(|| serde_json::json!({"origin": "*", "methods": "GET,PUT,POST,DELETE"}));
        Cors(&DEFAULT)
    }

    /// True for a preflight (Fetch, section 4.8), which asks for a method.
    pub(super) fn is_preflight(method: &str, request: &HeaderMap) -> bool {
        method == "OPTIONS" && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The setting, unless it is off.
    pub(super) fn from_setting(setting: Option<&'a Json>) -> Option<Cors<'a>> {
        setting.filter(|setting| setting.is_object() || **setting == Json::Bool(true)).map(Cors)
    }

    fn origin(&self, request: &HeaderMap, headers: &mut HeaderMap) {
        let own = request.get(header::ORIGIN).cloned();
        let allowed = match self.0.get("origin") {
            None => Some(HeaderValue::from_static("*")),
            Some(Json::String(any)) if any == "*" => Some(HeaderValue::from_static("*")),
            Some(Json::String(one)) => {
                headers.append(header::VARY, HeaderValue::from_static("Origin"));
                HeaderValue::try_from(one).ok()
            }
            Some(Json::Array(list)) => {
                headers.append(header::VARY, HeaderValue::from_static("Origin"));
                own.filter(|own| {
                    list.iter().any(|one| one.as_str().is_some_and(|one| one.as_bytes() == own.as_bytes()))
                })
            }
            Some(Json::Bool(true)) => {
                headers.append(header::VARY, HeaderValue::from_static("Origin"));
                own
            }
            Some(_) => None,
        };
        if let Some(allowed) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        }
        if self.0.get("credentials") == Some(&Json::Bool(true)) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    fn list(&self, option: &str, name: HeaderName, fallback: Option<&str>, headers: &mut HeaderMap) {
        let text = match self.0.get(option) {
            Some(Json::String(text)) => Some(text.clone()),
            Some(Json::Array(items)) => Some(items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(",")),
            Some(Json::Number(number)) => Some(number.to_string()),
            _ => fallback.map(str::to_owned),
        };
        if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(name, value);
        }
    }

    /// The headers of an ordinary answer.
    pub(super) fn headers(&self, request: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::new();
        self.origin(request, &mut headers);
        self.list("exposedHeaders", header::ACCESS_CONTROL_EXPOSE_HEADERS, None, &mut headers);
        headers
    }

    /// The answer to a preflight.
    pub(super) fn preflight(&self, request: &HeaderMap) -> Answer {
        let status = self.0.get("optionsSuccessStatus").and_then(Json::as_u64).unwrap_or(204);
        let mut answer = Answer::new(Full::new(Bytes::new()));
        *answer.status_mut() = StatusCode::from_u16(status as u16).unwrap_or(StatusCode::NO_CONTENT);
        let headers = answer.headers_mut();
        self.origin(request, headers);
        let methods = Some("GET,HEAD,PUT,PATCH,POST,DELETE");
        self.list("methods", header::ACCESS_CONTROL_ALLOW_METHODS, methods, headers);
        let wanted = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS).and_then(|value| value.to_str().ok());
        self.list("allowedHeaders", header::ACCESS_CONTROL_ALLOW_HEADERS, wanted, headers);
        self.list("maxAge", header::ACCESS_CONTROL_MAX_AGE, None, headers);
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preflights_are_allowed_unless_something_else_is_set() {
        let mut request = HeaderMap::new();
        assert!(!Cors::is_preflight("OPTIONS", &request));
        request.insert(header::ACCESS_CONTROL_REQUEST_METHOD, HeaderValue::from_static("POST"));
        assert!(Cors::is_preflight("OPTIONS", &request) && !Cors::is_preflight("GET", &request));
        let answer = Cors::of_preflights().preflight(&request);
        assert_eq!(answer.status(), 204);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_METHODS], "GET,PUT,POST,DELETE");
    }

    #[test]
    fn a_listed_origin_is_reflected() {
        let setting = serde_json::json!({"origin": ["http://a"], "methods": "GET"});
        let cors = Cors::from_setting(Some(&setting)).unwrap();
        let mut request = HeaderMap::new();
        request.insert(header::ORIGIN, HeaderValue::from_static("http://b"));
        assert!(!cors.headers(&request).contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));
        request.insert(header::ORIGIN, HeaderValue::from_static("http://a"));
        let answer = cors.preflight(&request);
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_ORIGIN], "http://a");
        assert_eq!(answer.headers()[header::ACCESS_CONTROL_ALLOW_METHODS], "GET");
    }
}
