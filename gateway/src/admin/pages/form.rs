//! Forms that our own pages send.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use flotilla_api::Problem;
use subtle::ConstantTimeEq as _;

/// The fields of a form. It came from a page of this address, so far as browsers say where from.
pub(super) struct Form {
    fields: Vec<(String, String)>,
}

impl Form {
    /// Reads a form.
    ///
    /// # Errors
    /// `foreign_origin` (403): a page of another site sent it.
    pub(super) fn read(headers: &HeaderMap, body: &Bytes) -> Result<Form, Problem> {
        let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
        let host = header(HOST).unwrap_or_default();
        if let Some(origin) = header(ORIGIN)
            && origin.split_once("://").is_none_or(|(_, authority)| authority != host)
        {
            return Err(Problem::new(403, "foreign_origin", format!("a page of {origin} may not send this form")));
        }
        let fields = url::form_urlencoded::parse(body);
        Ok(Form { fields: fields.map(|(name, value)| (name.into_owned(), value.into_owned())).collect() })
    }

    /// A field; empty when it is not there.
    pub(super) fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    /// Refuses a form without the session's own text.
    ///
    /// # Errors
    /// `csrf` (403).
    pub(super) fn require(&self, csrf: &str) -> Result<(), Problem> {
        match bool::from(self.get("csrf").as_bytes().ct_eq(csrf.as_bytes())) {
            true => Ok(()),
            false => Err(Problem::new(403, "csrf", "this form is of another session: load the page again")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_of_another_site_is_refused() {
        let headers = |origin: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, "plant:1881".parse().unwrap());
            if !origin.is_empty() {
                headers.insert(ORIGIN, origin.parse().unwrap());
            }
            headers
        };
        let body = Bytes::from_static(b"user=ann&csrf=abc&password=a%20b%26c");
        for good in ["", "http://plant:1881", "https://plant:1881"] {
            let form = Form::read(&headers(good), &body).unwrap();
            assert_eq!((form.get("user"), form.get("password"), form.get("none")), ("ann", "a b&c", ""));
            assert!(form.require("abc").is_ok() && form.require("abd").is_err() && form.require("").is_err());
        }
        for bad in ["http://evil.example", "null", "http://plant:1881.evil.example"] {
            assert!(Form::read(&headers(bad), &body).is_err(), "{bad}");
        }
    }
}
