//! A small OpenID provider of our own: it signs everybody in who comes, as whom the test says.

use std::collections::HashMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Redirect;
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flotilla_tasks::Task;
use openidconnect::core::{CoreEdDsaPrivateSigningKey, CoreJsonWebKeySet, CoreJwsSigningAlgorithm};
use openidconnect::{JsonWebKeyId, PrivateSigningKey as _};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// What the provider calls the gateway.
pub const CLIENT: &str = "flotilla-test";
/// What the gateway shows to it.
pub const SECRET: &str = "a secret of the client";

/// A running provider.
#[derive(Clone)]
pub struct ProviderServer {
    pub issuer: String,
    state: Arc<Mutex<Inside>>,
}

struct Inside {
    issuer: String,
    /// Claims of whoever signs in next.
    claims: Value,
    key: (String, CoreEdDsaPrivateSigningKey),
    /// Codes that were given out: the challenge and the nonce.
    codes: HashMap<String, (String, String)>,
    asked_for_keys: usize,
}

impl ProviderServer {
    pub async fn start() -> ProviderServer {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let inside = Inside {
            issuer: issuer.clone(),
            claims: json!({}),
            key: new_key("1"),
            codes: HashMap::new(),
            asked_for_keys: 0,
        };
        let state = Arc::new(Mutex::new(inside));
        let app = Router::new()
            .route("/.well-known/openid-configuration", get(configuration))
            .route("/keys", get(keys))
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .with_state(state.clone());
        let task = Task { name: "provider", owner: "test".into(), ends: "the test ends", failure: "nobody signs in" };
        drop(task.spawn(async move { axum::serve(listener, app).await }));
        ProviderServer { issuer, state }
    }

    /// Who signs in next. Claims of the token that are named here are what they are said to be: `iss`, `aud`, `exp`, too.
    pub fn next(&self, claims: Value) {
        self.state.lock().claims = claims;
    }

    /// Signs with another key from now on.
    pub fn change_key(&self, id: &str) {
        self.state.lock().key = new_key(id);
    }

    /// How often it was asked for its keys.
    pub fn asked_for_keys(&self) -> usize {
        self.state.lock().asked_for_keys
    }
}

fn new_key(id: &str) -> (String, CoreEdDsaPrivateSigningKey) {
    let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let key =
        CoreEdDsaPrivateSigningKey::from_ed25519_pem(&pair.serialize_pem(), Some(JsonWebKeyId::new(id.to_owned())));
    (id.to_owned(), key.unwrap())
}

type Shared = State<Arc<Mutex<Inside>>>;

async fn configuration(State(state): Shared) -> Json<Value> {
    let issuer = &state.lock().issuer;
    Json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "jwks_uri": format!("{issuer}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["EdDSA"],
    }))
}

async fn keys(State(state): Shared) -> Json<CoreJsonWebKeySet> {
    let mut inside = state.lock();
    inside.asked_for_keys += 1;
    Json(CoreJsonWebKeySet::new(vec![inside.key.1.as_verification_key()]))
}

async fn authorize(State(state): Shared, Query(asked): Query<HashMap<String, String>>) -> Result<Redirect, StatusCode> {
    let of = |name: &str| asked.get(name).cloned().ok_or(StatusCode::BAD_REQUEST);
    let right = of("client_id")? == CLIENT
        && of("response_type")? == "code"
        && of("code_challenge_method")? == "S256"
        && of("scope")?.split(' ').any(|scope| scope == "openid");
    if !right {
        return Err(StatusCode::BAD_REQUEST);
    }
    let mut inside = state.lock();
    let code = format!("code-{}", inside.codes.len());
    inside.codes.insert(code.clone(), (of("code_challenge")?, of("nonce")?));
    Ok(Redirect::to(&format!("{}?code={code}&state={}", of("redirect_uri")?, of("state")?)))
}

async fn token(
    State(state): Shared,
    headers: axum::http::HeaderMap,
    body: String,
) -> Result<Json<Value>, (StatusCode, Json<Value>)> {
    let refused =
        |why: &str| (StatusCode::BAD_REQUEST, Json(json!({"error": "invalid_grant", "error_description": why})));
    let form: HashMap<String, String> = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    // RFC 6749, section 2.3.1: both are encoded as in a form.
    let encoded: String = url::form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let basic = base64::engine::general_purpose::STANDARD.encode(format!("{CLIENT}:{encoded}"));
    if shown != format!("Basic {basic}") {
        return Err(refused("this is not the client's secret"));
    }
    let mut inside = state.lock();
    let code = form.get("code").cloned().unwrap_or_default();
    let (challenge, nonce) = inside.codes.remove(&code).ok_or_else(|| refused("no such code"))?;
    let verifier = form.get("code_verifier").cloned().unwrap_or_default();
    if URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes())) != challenge {
        return Err(refused("the verifier does not fit the challenge"));
    }
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    let mut claims = json!({
        "iss": inside.issuer, "aud": CLIENT, "sub": "1", "exp": now + 60, "iat": now, "nonce": nonce,
    });
    let said = inside.claims.as_object().unwrap().clone();
    claims.as_object_mut().unwrap().extend(said);
    let header = json!({"alg": "EdDSA", "kid": inside.key.0, "typ": "JWT"});
    let signed = format!("{}.{}", part(&header), part(&claims));
    let signature = inside.key.1.sign(&CoreJwsSigningAlgorithm::EdDsa, signed.as_bytes()).unwrap();
    let id_token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature));
    Ok(Json(json!({"access_token": "a", "token_type": "Bearer", "id_token": id_token})))
}

fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
