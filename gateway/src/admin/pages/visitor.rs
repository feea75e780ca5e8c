//! Who looks at a page.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use flotilla_group::accounts::InSession;

use super::super::api::Api;
use super::super::caller::Caller;
use super::super::cookie;
use super::super::problem::Failure;
use super::form::Form;

/// Somebody with a session.
pub(super) struct Visitor {
    pub(super) caller: Caller,
    pub(super) csrf: String,
}

impl Visitor {
    /// Who shows a session; everybody else is sent to sign in.
    pub(super) async fn of(api: &Api, caller: &Caller, headers: &HeaderMap) -> Result<Visitor, Response> {
        let found = match cookie::session(headers) {
            Some(text) => api.accounts.by_session(&text).await.map_err(|error| Failure::from(error).into_response())?,
            None => None,
        };
        let Some(InSession { known, csrf }) = found else { return Err(Redirect::to("/login").into_response()) };
        // The routes of pages are open; whoever has a session has the same rate as with a token.
        api.rate.take(&known.principal.name).map_err(|problem| Failure(problem).into_response())?;
        let (principal, credential) = (Arc::new(known.principal), known.credential.into());
        Ok(Visitor { caller: Caller { principal, credential, expires_s: known.expires_s, ..caller.clone() }, csrf })
    }

    /// The same with a form that they sent from a page of their own session.
    pub(super) async fn with_form(
        api: &Api,
        caller: &Caller,
        headers: &HeaderMap,
        body: &Bytes,
    ) -> Result<(Visitor, Form), Response> {
        let visitor = Visitor::of(api, caller, headers).await?;
        let refused = |problem| Failure(problem).into_response();
        let form = Form::read(headers, body).map_err(refused)?;
        form.require(&visitor.csrf).map_err(refused)?;
        Ok((visitor, form))
    }
}

/// An answer that sets a cookie and sends the browser on.
pub(super) fn redirect(to: &str, cookies: &[String]) -> Response {
    let mut response = (StatusCode::SEE_OTHER, [(header::LOCATION, to.to_owned())]).into_response();
    for cookie in cookies {
        if let Ok(value) = cookie.parse() {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
    response
}
