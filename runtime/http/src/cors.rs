//! Node-RED's `httpNodeCors`, with the options of npm's `cors`.

use std::sync::LazyLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value as Json;

use super::answer::{Answer, whole};

/// The setting, read.
#[derive(Debug)]
pub(super) struct Cors {
    origin: Origin,
    credentials: bool,
    exposed: Listed,
    methods: Listed,
    allowed: Listed,
    max_age: Listed,
    /// The status of preflights.
    status: StatusCode,
}

/// Which pages may ask.
#[derive(Debug)]
enum Origin {
    Any,
    /// One that is not known to be theirs; `None` is no header value.
    Fixed(Option<HeaderValue>),
    Listed(Vec<String>),
    Reflected,
    Refused,
}

/// What is sent in a header: a value that was set, if it can be one, or what a fallback says.
#[derive(Debug)]
enum Listed {
    Set(Option<HeaderValue>),
    Unset,
}

impl Listed {
    fn of(setting: &Json, option: &str) -> Listed {
        let text = match setting.get(option) {
            Some(Json::String(text)) => text.clone(),
            Some(Json::Array(items)) => items.iter().filter_map(Json::as_str).collect::<Vec<_>>().join(","),
            Some(Json::Number(number)) => number.to_string(),
            _ => return Listed::Unset,
        };
        Listed::Set(HeaderValue::try_from(text).ok())
    }

    fn write(&self, name: HeaderName, fallback: Option<HeaderValue>, headers: &mut HeaderMap) {
        let value = match self {
            Listed::Set(value) => value.clone(),
            Listed::Unset => fallback,
        };
        if let Some(value) = value {
            headers.insert(name, value);
        }
    }
}

impl Cors {
    /// What Node-RED answers preflights with when nothing is set: its admin API does so for all paths.
    pub(super) fn of_preflights() -> &'static Cors {
        static DEFAULT: LazyLock<Cors> =
            LazyLock::new(|| Cors::read(&serde_json::json!({"origin": "*", "methods": "GET,PUT,POST,DELETE"})));
        &DEFAULT
    }

    /// True for a preflight (Fetch, section 4.8), which asks for a method.
    pub(super) fn is_preflight(method: &str, request: &HeaderMap) -> bool {
        method == "OPTIONS" && request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
    }

    /// The setting, unless it is off.
    pub(super) fn from_setting(setting: Option<&Json>) -> Option<Cors> {
        setting.filter(|setting| setting.is_object() || **setting == Json::Bool(true)).map(Cors::read)
    }

    fn read(setting: &Json) -> Cors {
        let status = setting.get("optionsSuccessStatus").and_then(Json::as_u64).unwrap_or(204);
        Cors {
            origin: match setting.get("origin") {
                None => Origin::Any,
                Some(Json::String(any)) if any == "*" => Origin::Any,
                Some(Json::String(one)) => Origin::Fixed(HeaderValue::try_from(one).ok()),
                Some(Json::Array(list)) => {
                    Origin::Listed(list.iter().filter_map(Json::as_str).map(str::to_owned).collect())
                }
                Some(Json::Bool(true)) => Origin::Reflected,
                Some(_) => Origin::Refused,
            },
            credentials: setting.get("credentials") == Some(&Json::Bool(true)),
            exposed: Listed::of(setting, "exposedHeaders"),
            methods: Listed::of(setting, "methods"),
            allowed: Listed::of(setting, "allowedHeaders"),
            max_age: Listed::of(setting, "maxAge"),
            status: StatusCode::from_u16(status as u16).unwrap_or(StatusCode::NO_CONTENT),
        }
    }

    fn origin(&self, request: &HeaderMap, headers: &mut HeaderMap) {
        let own = || request.get(header::ORIGIN).cloned();
        let allowed = match &self.origin {
            Origin::Any => Some(HeaderValue::from_static("*")),
            Origin::Fixed(one) => one.clone(),
            Origin::Listed(list) => own().filter(|own| list.iter().any(|one| one.as_bytes() == own.as_bytes())),
            Origin::Reflected => own(),
            Origin::Refused => None,
        };
        if matches!(self.origin, Origin::Fixed(_) | Origin::Listed(_) | Origin::Reflected) {
            headers.append(header::VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(allowed) = allowed {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        }
        if self.credentials {
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
        }
    }

    /// The headers of an ordinary answer.
    pub(super) fn headers(&self, request: &HeaderMap) -> HeaderMap {
        let mut headers = HeaderMap::new();
        self.origin(request, &mut headers);
        self.exposed.write(header::ACCESS_CONTROL_EXPOSE_HEADERS, None, &mut headers);
        headers
    }

    /// The answer to a preflight.
    pub(super) fn preflight(&self, request: &HeaderMap) -> Answer {
        let mut answer = Answer::new(whole(Bytes::new()));
        *answer.status_mut() = self.status;
        let headers = answer.headers_mut();
        self.origin(request, headers);
        let methods = HeaderValue::from_static("GET,HEAD,PUT,PATCH,POST,DELETE");
        self.methods.write(header::ACCESS_CONTROL_ALLOW_METHODS, Some(methods), headers);
        let wanted = request.get(header::ACCESS_CONTROL_REQUEST_HEADERS).filter(|value| value.to_str().is_ok());
        self.allowed.write(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.cloned(), headers);
        self.max_age.write(header::ACCESS_CONTROL_MAX_AGE, None, headers);
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
