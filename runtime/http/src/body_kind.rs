//! How a body is read, by its content type. Source: the parsers that Node-RED's `http in` puts before a route.

/// How a body is read.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum BodyKind {
    /// JSON; must be an object or an array.
    Json,
    /// `a=1&b=2`.
    UrlEncoded,
    /// Parts, with this boundary.
    Multipart(String),
    /// Text.
    Text,
    /// A buffer.
    Octets,
}

impl BodyKind {
    /// The kind for a `Content-Type` header (empty when there is none) of a node that takes uploads or not.
    pub(super) fn of(content_type: &str, upload: bool) -> BodyKind {
        let mut parts = content_type.split(';');
        let full = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
        let (kind, sub) = full.split_once('/').unwrap_or((&full, ""));
        let boundary = parts.find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("boundary").then(|| value.trim().trim_matches('"').to_owned())
        });
        match (kind, sub, boundary) {
            ("application", "json", _) => BodyKind::Json,
            ("application", "x-www-form-urlencoded", _) => BodyKind::UrlEncoded,
            ("multipart", "form-data", Some(boundary)) if upload => BodyKind::Multipart(boundary),
            ("" | "text", _, _) => BodyKind::Text,
            (_, sub, _) if sub == "xml" || sub.ends_with("+xml") => BodyKind::Text,
            ("application", "octet-stream" | "cbor" | "x-protobuf", _) => BodyKind::Octets,
            ("application", _, _) => BodyKind::Text,
            _ => BodyKind::Octets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds() {
        for (content_type, upload, kind) in [
            ("", false, BodyKind::Text),
            ("application/json; charset=utf-8", false, BodyKind::Json),
            ("application/x-www-form-urlencoded", false, BodyKind::UrlEncoded),
            ("application/octet-stream", false, BodyKind::Octets),
            ("application/soap+xml", false, BodyKind::Text),
            ("image/png", false, BodyKind::Octets),
            ("multipart/form-data; boundary=\"x\"", true, BodyKind::Multipart("x".to_owned())),
            ("multipart/form-data; boundary=x", false, BodyKind::Octets),
        ] {
            assert_eq!(BodyKind::of(content_type, upload), kind, "{content_type}");
        }
    }
}
