//! One request: found in the routing table, handed to its node as a delivery, answered.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock, Weak};

use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use hyper::body::Incoming;

use flotilla_engine::Shared;
use flotilla_engine::message::{Delivery, Msg, generate_id};
use flotilla_engine::trail::Trail;
use flotilla_framing::Alarm;
use flotilla_value::{Object, Value};

use super::answer::{Answer, Exchange, not_found, plain, refused, unavailable, whole};
use super::auth::Auth;
use super::body::{self, BodyError, Parsed};
use super::cors::Cors;
use super::gate::Gate;
use super::policy::{Policies, Policy};
use super::request::{Request, query_value};
use super::response::Response;
use super::routes::{Endpoint, Found, Routes};
use super::server::Here;
use super::upgrade;
use super::written::Written;

/// What every connection of a worker needs.
pub(super) struct Connection {
    shared: Arc<Shared>,
    routes: Arc<Routes>,
    gate: Arc<Gate>,
    auth: Arc<Auth>,
    policies: Policies,
    /// Keeps the worker's nodes reachable while requests are served.
    _worker: Here,
}

/// A request whose flow has not answered yet.
struct Open {
    request: Arc<Request>,
    /// It ends with its last message, whoever waits here.
    delivery: Weak<Delivery>,
}

impl Open {
    /// It was answered without the flow. That is recorded, and where the delivery goes from now on.
    fn is_too_late(&self) {
        self.request.exchange.was_too_late();
        let Some(delivery) = self.delivery.upgrade() else { return };
        if let Some(trail) = delivery.record_from_now() {
            trail.came_as(&came_as(&self.request));
            self.request.exchange.is_recorded(trail);
        }
    }
}

impl Connection {
    pub(super) fn new(
        shared: Arc<Shared>,
        routes: Arc<Routes>,
        gate: Arc<Gate>,
        auth: Arc<Auth>,
        worker: Here,
    ) -> Connection {
        Connection { shared, routes, gate, auth, policies: Policies::default(), _worker: worker }
    }

    /// `alarm` is that of the client's connection.
    pub(super) async fn answer(&self, request: http::Request<Incoming>, peer: SocketAddr, alarm: &Alarm) -> Answer {
        if let Some((status, why)) = flotilla_framing::refusal(request.headers()) {
            return refused(status, why);
        }
        if upgrade::is_upgrade(&request)
            && let Some(handler) = self.routes.upgrade(request.uri().path())
        {
            return upgrade::accept(request, peer, handler);
        }
        // A preflight never shows a password. Node-RED asks WebSockets for none.
        let preflight = Cors::is_preflight(request.method().as_str(), request.headers());
        let policy = self.policies.of(&self.shared.settings_now());
        let (method, path) = (request.method().as_str(), request.uri().path());
        let found = self.routes.find(method, path);
        // By the route that was found, not by the path alone: what a node answers is protected however its path is written.
        let of_nodes = !matches!(&found, Found::Methods(methods) if methods.is_empty()) || policy.is_below_root(path);
        // What few requests come to is kept apart: each request moves the state of its future several times.
        if let Some(auth) = &policy.auth
            && !preflight
            && of_nodes
            && let Some(refusal) = Box::pin(self.auth.refuse(Some(auth), request.headers())).await
        {
            return refusal;
        }
        let cors = policy.cors.as_ref();
        let (endpoint, params) = match found {
            Found::Endpoint(endpoint, params) => (endpoint, params),
            Found::BadParameter => {
                return plain(StatusCode::BAD_REQUEST, format!("Failed to decode a parameter of {path}"));
            }
            Found::Methods(methods) => {
                let file = policy.files.find(request.method(), request.uri(), request.headers(), &self.auth);
                if let Some(file) = Box::pin(file).await {
                    return file;
                }
                return match cors {
                    Some(cors) if method == "OPTIONS" => cors.preflight(request.headers()),
                    None if policy.default_preflights
                        && !methods.is_empty()
                        && Cors::is_preflight(method, request.headers()) =>
                    {
                        Cors::of_preflights().preflight(request.headers())
                    }
                    _ if method == "OPTIONS" && !methods.is_empty() => allow(&methods.join(",")),
                    _ => not_found(method, path),
                };
            }
        };
        let extra = cors.map(|cors| cors.headers(request.headers()));
        let deadline = policy.deadline;
        let open = OnceLock::new();
        let through_flow = self.through_flow(request, peer, &endpoint, params, &policy, &open);
        let mut answer = match alarm.within(deadline, through_flow).await {
            Some(answer) => answer,
            None => {
                if let Some(open) = open.get() {
                    open.is_too_late();
                }
                plain(
                    StatusCode::GATEWAY_TIMEOUT,
                    format!("The flow did not answer within {} s", deadline.as_secs_f64()),
                )
            }
        };
        for (name, value) in extra.iter().flatten() {
            answer.headers_mut().append(name, value.clone());
        }
        answer
    }

    async fn through_flow(
        &self,
        request: http::Request<Incoming>,
        peer: SocketAddr,
        endpoint: &Endpoint,
        params: Object,
        policy: &Policy,
        open: &OnceLock<Open>,
    ) -> Answer {
        let (head, body) = request.into_parts();
        let parsed = if endpoint.method == "GET" {
            Parsed { body: Value::object(), files: Value::Undefined }
        } else {
            match Box::pin(self.read_body(body, &head, endpoint)).await {
                Ok(parsed) => parsed,
                Err(answer) => return answer,
            }
        };
        // After the body: a client that sends it slowly holds nobody up.
        let Some(place) = self.gate.enter().await else { return unavailable("Too many requests are waiting") };
        let forwarded_for = if policy.trust.is_any() { head.headers.get("x-forwarded-for") } else { None };
        let forwarded_for = forwarded_for.and_then(|value| value.to_str().ok());
        let chain = policy.trust.chain(peer.ip(), forwarded_for.unwrap_or_default());
        let (exchange, answer) = Exchange::new(chain.client.is_some_and(|client| client.is_loopback()));
        let request = Arc::new(Request {
            query: query_value(&head.uri),
            method: head.method,
            uri: head.uri,
            headers: head.headers,
            peer,
            chain,
            params,
            body: parsed.body,
            files: parsed.files,
            route: endpoint.own_path.clone(),
            written: Written::default(),
            exchange: exchange.clone(),
        });
        // The client may go away: then this future is dropped, and who waits for the end hears of it.
        let _present = exchange.present();
        let came = request.clone();
        let on_end = move |outcome, trail: Option<&Arc<Trail>>| {
            if let Some(trail) = trail {
                // One that is recorded since it failed does not know yet.
                trail.came_as(&came_as(&came));
                came.exchange.is_recorded(trail);
            }
            came.exchange.ended(outcome);
            drop(place);
        };
        let delivery = Delivery::begin_until(self.shared.deliveries(), endpoint.node.clone(), None, on_end);
        if let Some(trail) = delivery.trail() {
            trail.came_as(&came_as(&request));
            exchange.is_recorded(trail);
        }
        let _ = open.set(Open { request: request.clone(), delivery: Arc::downgrade(&delivery) });
        let payload = if endpoint.method == "GET" { request.query.clone() } else { request.body.clone() };
        let response = Response::new(exchange, request.clone(), self.shared.clone(), endpoint.node.clone());
        let mut object = Object::with_capacity(4);
        object.insert("_msgid", generate_id());
        object.insert("req", Value::Host(request));
        object.insert("res", Value::Host(Arc::new(response)));
        object.insert("payload", payload);
        let msg = Msg::new(object).in_delivery(Some(delivery));
        if !endpoint.worker.deliver(endpoint.node.clone(), msg) {
            return unavailable("The flow is being changed");
        }
        // The exchange ends only with an answer.
        answer.await
    }

    async fn read_body(
        &self,
        body: Incoming,
        head: &http::request::Parts,
        endpoint: &Endpoint,
    ) -> Result<Parsed, Answer> {
        let content_type =
            head.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let limit = body::limit(&self.shared.settings());
        let parsed = match body::read(body, &head.headers, limit, &self.gate).await {
            Ok(bytes) => body::parse(bytes, content_type, endpoint.upload, endpoint.raw),
            Err(error) => Err(error),
        };
        parsed.map_err(|error| {
            let text = error.to_string();
            // The client's doing, or that of many: no concern of the flow's author.
            if matches!(error, BodyError::Aborted(_) | BodyError::Slow | BodyError::Full) {
                return match error {
                    BodyError::Full => unavailable(&text),
                    BodyError::Slow => refused(StatusCode::REQUEST_TIMEOUT, &text),
                    _ => refused(StatusCode::BAD_REQUEST, "The request's body is malformed or was cut off"),
                };
            }
            let node = endpoint.node.clone();
            let warning = text.clone();
            endpoint.worker.run(move |worker| {
                if let Some(slot) = worker.slot(&node) {
                    slot.cx.report().warn(warning);
                }
            });
            match error {
                BodyError::TooLarge(_) => plain(StatusCode::PAYLOAD_TOO_LARGE, text),
                // Node-RED: the node warns and answers 500.
                _ => plain(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error".to_owned()),
            }
        })
    }
}

/// What a trail knows a request by.
fn came_as(request: &Request) -> String {
    format!("{} {}", request.method, request.uri.path())
}

/// Express's answer to OPTIONS: the methods of the path.
fn allow(methods: &str) -> Answer {
    let mut answer = Answer::new(whole(Bytes::from(methods.to_owned())));
    if let Ok(value) = HeaderValue::try_from(methods) {
        answer.headers_mut().insert(header::ALLOW, value);
    }
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    answer
}
