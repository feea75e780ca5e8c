//! Checks a CONNECT: user name, password, ClientID.

use std::{net::SocketAddr, sync::Arc};

use flotilla_tasks::Task;
use tokio::sync::Semaphore;

use super::{Acl, Admitted, AuthError, users::Users};
use crate::config::Config;
use flotilla_codec::{Connect, Reason};

/// Decides about CONNECTs.
#[derive(Debug)]
pub struct Auth {
    users: Option<Arc<Users>>,
    acl: Option<Acl>,
    allow_anonymous: bool,
    /// Passwords are slow to check: no more at once than cores should be spent on it.
    checks: Semaphore,
}

/// Passwords checked at the same time.
const CHECKS: usize = 2;

impl Auth {
    /// Reads the files that the settings name.
    pub fn read(config: &Config) -> Result<Self, AuthError> {
        Ok(Self {
            users: config.users.as_deref().map(Users::read).transpose()?.map(Arc::new),
            acl: config.acl.as_deref().map(Acl::read).transpose()?,
            allow_anonymous: config.allow_anonymous,
            checks: Semaphore::new(CHECKS),
        })
    }

    /// Whether the client may connect, as whom, and its rights. Who has no ClientID gets one here: rights may name it.
    pub async fn check(&self, connect: &Connect, peer: SocketAddr) -> Result<Admitted, Reason> {
        let user = connect.username.as_deref();
        let known = match (&self.users, user) {
            (Some(users), Some(user)) => {
                self.verify(users, user, connect).await?;
                Some(user)
            }
            // Without users a name proves nothing.
            _ => {
                let local = self.users.is_none() && peer.ip().to_canonical().is_loopback();
                if !(self.allow_anonymous || local) {
                    return Err(Reason::NotAuthorized);
                }
                None
            }
        };
        // `$SYS` is the broker's own: no will either may speak there.
        if connect.will.as_ref().is_some_and(|will| will.message.topic.starts_with(b"$SYS/")) {
            return Err(Reason::NotAuthorized);
        }
        let assigned = connect.client_id.is_empty();
        let id: Arc<str> = if assigned { any_id() } else { connect.client_id.as_str().into() };
        let user = known.map(Arc::from);
        let Some(acl) = &self.acl else { return Ok(Admitted { user, id, assigned, rights: None }) };
        let rights = acl.rights(known, &id);
        if let Some(will) = &connect.will {
            let topic = std::str::from_utf8(&will.message.topic).unwrap_or_default();
            if !rights.may_publish(topic) {
                return Err(Reason::NotAuthorized);
            }
        }
        Ok(Admitted { user, id, assigned, rights: Some(Arc::new(rights)) })
    }

    async fn verify(&self, users: &Arc<Users>, user: &str, connect: &Connect) -> Result<(), Reason> {
        let Ok(_permit) = self.checks.acquire().await else { return Err(Reason::ServerUnavailable) };
        let (users, user) = (Arc::clone(users), user.to_owned());
        let password = connect.password.clone().unwrap_or_default();
        let checked = password_check(&user).spawn_blocking(move || users.verify(&user, &password)).await;
        if checked.unwrap_or(false) { Ok(()) } else { Err(Reason::BadUserNameOrPassword) }
    }
}

fn password_check(user: &str) -> Task {
    Task {
        name: "password check",
        owner: user.into(),
        ends: "the hash is computed",
        failure: "the client is refused as with a wrong password",
    }
}

/// A ClientID that nobody has.
fn any_id() -> Arc<str> {
    format!("auto-{:016x}", rand::random::<u64>()).into()
}
