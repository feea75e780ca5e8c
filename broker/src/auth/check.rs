//! Checks a CONNECT: user name, password, ClientID.

use std::{net::SocketAddr, sync::Arc};

use flotilla_tasks::Task;
use tokio::sync::Semaphore;

use super::{Acl, Admitted, AuthError, users::Users};
use crate::config::{Account, Config};
use flotilla_codec::{Connect, Reason};

/// Decides about CONNECTs.
#[derive(Debug)]
pub struct Auth {
    users: Option<Arc<Users>>,
    acl: Option<Acl>,
    /// Each with the rights that its lines give.
    accounts: Vec<(Account, Acl)>,
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
            accounts: config.accounts.iter().map(rights).collect::<Result<_, _>>()?,
            allow_anonymous: config.allow_anonymous,
            checks: Semaphore::new(CHECKS),
        })
    }

    /// Whether the client may connect, as whom, and its rights. Who has no ClientID gets one here: rights may name it.
    pub async fn check(&self, connect: &Connect, peer: SocketAddr) -> Result<Admitted, Reason> {
        let user = connect.username.as_deref();
        let account = self.accounts.iter().find(|(account, _)| user == Some(account.name.as_str()));
        let known = match (&self.users, user) {
            _ if let Some((account, _)) = account => {
                if !account.is_password(connect.password.as_deref().unwrap_or_default()) {
                    return Err(Reason::BadUserNameOrPassword);
                }
                user
            }
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
        let Some(acl) = account.map(|(_, acl)| acl).or(self.acl.as_ref()) else {
            return Ok(Admitted { user, id, assigned, rights: None });
        };
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

/// An account with its lines, read.
fn rights(account: &Account) -> Result<(Account, Acl), AuthError> {
    let acl = Acl::parse(&account.lines()).map_err(|(line, what)| AuthError::Line {
        path: format!("rights of the account {}", account.name).into(),
        line,
        what,
    })?;
    Ok((account.clone(), acl))
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

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use flotilla_codec::Version;

    use super::*;

    #[tokio::test]
    async fn an_account_is_held_to_its_rights_and_keeps_nobody_else_out() {
        let rights = vec!["both own/#".to_owned(), "publish all/+/res-*/#".to_owned()];
        let account = Account { name: "plant".to_owned(), password: "right".to_owned(), rights };
        let auth = Auth::read(&Config { accounts: vec![account], ..Config::default() }).unwrap();
        let local = SocketAddr::from(([127, 0, 0, 1], 1));
        let connect = |user: Option<&str>, password: &str| Connect {
            username: user.map(str::to_owned),
            password: Some(Bytes::copy_from_slice(password.as_bytes())),
            ..Connect::new(Version::V5, "c".to_owned())
        };
        let admitted = auth.check(&connect(Some("plant"), "right"), local).await.unwrap();
        let rights = admitted.rights.unwrap();
        assert_eq!(admitted.user.as_deref(), Some("plant"));
        assert!(
            rights.may_subscribe("own/x") && rights.may_publish("all/b/res-1/x") && !rights.may_publish("all/b/in/x")
        );
        for wrong in ["wrong", "", "righ", "rightx"] {
            let refused = auth.check(&connect(Some("plant"), wrong), local).await;
            assert_eq!(refused.err(), Some(Reason::BadUserNameOrPassword), "{wrong}");
        }
        for other in [None, Some("other")] {
            assert!(auth.check(&connect(other, ""), local).await.unwrap().rights.is_none(), "{other:?}");
        }
        let bad = Account { name: "x".into(), password: "y".into(), rights: vec!["write a".into()] };
        assert!(Auth::read(&Config { accounts: vec![bad], ..Config::default() }).is_err());
    }
}
