//! What all pages look like, and what browsers may do with them.

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::{DOCTYPE, Markup, PreEscaped, html};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:40rem;margin:2rem auto;padding:0 1rem;color:#222}\
    h2{margin-top:2rem}label{display:block;margin:.7rem 0}input,select{font:inherit;display:block;width:100%;padding:.4rem;\
    box-sizing:border-box}button{font:inherit;padding:.4rem 1rem}table{width:100%;border-collapse:collapse}td,th{text-align:left;\
    padding:.4rem .5rem .4rem 0;border-bottom:1px solid #ddd}code{font:14px/1.4 ui-monospace,monospace;word-break:break-all}\
    .no{color:#a00}.yes{background:#e8f4ec;padding:.7rem}.quiet{color:#666}\
    @media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}td,th{border-color:#444}.no{color:#f88}\
    .yes{background:#1d3325}.quiet{color:#aaa}input,select,button{background:#242424;color:#ddd;border:1px solid #555}}";
/// No script runs, nothing is loaded from anywhere, nobody frames it.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// A page.
pub(super) fn page(status: StatusCode, title: &str, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) " · Flotilla" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                (body)
            }
        }
    };
    let mut response = (status, Html(page.into_string())).into_response();
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
        // With `no-referrer` browsers send `Origin: null` with our own forms, which is refused.
        (header::REFERRER_POLICY, "same-origin"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    response.headers_mut().extend(fixed.map(|(name, value)| (name, HeaderValue::from_static(value))));
    response
}
