//! An admin API with a store of its own.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use flotilla_api::access::{Access, Grant, NewToken};
use flotilla_api::group::GroupSpec;
use flotilla_gateway::admin::{Admin, Api, NodeTypes, SessionEnder, SignIn, Token};
use flotilla_group::Driver;
use flotilla_group::accounts::{Accounts, Hash};
use flotilla_group::desired::DesiredStates;
use flotilla_group::sealing::{KeyRing, Restart};
use flotilla_group::spec::Specs;
use flotilla_store::Store;
use flotilla_tasks::Task;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_util::sync::{CancellationToken, DropGuard};

/// The gateway's own token.
pub const TOKEN: &str = "0123456789abcdef";

/// An admin API with a store of its own.
pub struct Place {
    pub store: Arc<dyn Store>,
    pub accounts: Accounts,
    pub admin: Admin,
    _driver: DropGuard,
    _folder: tempfile::TempDir,
}

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Value,
}

impl Place {
    pub async fn start() -> Place {
        Place::start_with(None).await
    }

    /// With another system that says who somebody is.
    pub async fn start_with(sign_in: Option<SignIn>) -> Place {
        Place::start_as(|api| api.with_sign_in(sign_in)).await
    }

    /// With what ends the MQTT sessions of groups that are removed.
    pub async fn start_ending(ender: Arc<dyn SessionEnder>) -> Place {
        Place::start_as(|api| api.with_session_ender(ender)).await
    }

    async fn start_as(with: impl FnOnce(Api) -> Api) -> Place {
        let folder = tempfile::TempDir::new().unwrap();
        let url = format!("sqlite:{}", folder.path().join("s.db").display());
        let store = flotilla_store::open(&url).await.unwrap();
        let known = ["tab", "inject", "debug"].map(str::to_owned).to_vec();
        let types = NodeTypes { known, allow_unknown: false };
        let ring = KeyRing::new(store.clone(), Some("the group's key"), Restart::Given);
        let api = with(Api::new(store.clone(), "g", types, ring));
        let listen = "127.0.0.1:0".parse().unwrap();
        let admin = Admin::start(listen, None, Some(Token::new(TOKEN).unwrap()), api, Router::new()).await.unwrap();
        let driver = Driver::new(store.clone(), "g", "test", Duration::from_secs(5)).unwrap();
        let stop = CancellationToken::new();
        let task =
            Task { name: "driver", owner: "test".into(), ends: "the place is dropped", failure: "rollouts do not end" };
        drop(task.spawn(driver.run(stop.clone())));
        let place =
            Place { _driver: stop.drop_guard(), accounts: Accounts::new(store.clone()), store, admin, _folder: folder };
        place.group("g", false).await;
        place.group("other", false).await;
        place
    }

    /// Makes a group, or sets whether it is protected and all else as in a new one. Nothing is written when it is so.
    pub async fn group(&self, name: &str, protected: bool) {
        let (specs, spec) = (Specs::new(self.store.clone()), GroupSpec { protected, ..GroupSpec::named(name) });
        if specs.get(name).await.is_ok_and(|known| known == spec) {
            return;
        }
        if !specs.add_if_none(&spec).await.unwrap() {
            specs.replace(&spec).await.unwrap();
        }
    }

    /// Adds a user with a password.
    pub async fn user(&self, name: &str, roles: &[&str], password: Option<&str>) {
        let grants = roles.iter().map(|role| role.parse::<Grant>().unwrap()).collect();
        let hash = password.map(|password| Hash::new(password).unwrap());
        self.accounts.users().add(name, grants, hash.as_ref()).await.unwrap();
    }

    /// A token of a user: its id and its text.
    pub async fn token(&self, user: &str, access: Access, groups: &[&str]) -> (String, String) {
        let user = self.accounts.users().get(user).await.unwrap();
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let new = NewToken { name: "test".to_owned(), access, groups, ..NewToken::default() };
        let made = self.accounts.tokens().make(&user, &new, false).await.unwrap();
        (made.token.id, made.secret)
    }

    /// One request with a JSON body; `token` is shown.
    pub async fn ask(&self, method: &str, path: &str, token: &str, body: &str) -> Answer {
        self.send(method, path, token, "", body).await
    }

    /// The same with more headers; without a `Content-Type` among them it is JSON.
    pub async fn send(&self, method: &str, path: &str, token: &str, headers: &str, body: &str) -> Answer {
        let ask = ask_at(self.admin.address(), method, path, token, headers, body);
        tokio::time::timeout(Duration::from_secs(30), ask).await.expect("an answer within 30 s")
    }

    /// Waits until the rollout that runs has ended: no replica has to move.
    pub async fn end_rollout(&self) {
        let desired = DesiredStates::new(self.store.clone(), "g").unwrap();
        let ended = async {
            while desired.load().await.unwrap().is_some_and(|(state, _)| state.active().is_some()) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), ended).await.expect("the rollout ends");
    }
}

impl Answer {
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

/// One request to any address; without a `Content-Type` among the headers its body is JSON.
pub async fn ask_at(address: SocketAddr, method: &str, path: &str, token: &str, headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let shown = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let (length, kind) =
        (body.len(), if headers.contains("Content-Type") { "" } else { "Content-Type: application/json\r\n" });
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{kind}{headers}Content-Length: {length}\r\n\
             {shown}\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.take(1 << 20).read_to_string(&mut answer).await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: serde_json::from_str(body).unwrap_or_default() }
}
