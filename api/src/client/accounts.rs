//! Users, tokens, and who one is.

use super::error::ClientError;
use super::transport::{Client, Versioned};
use crate::access::{
    Grant, Login, MadeJoinToken, MadeToken, NewJoinToken, NewPassword, NewToken, NewUser, Roles, Token, User, Whoami,
};
use crate::path::{of_group, part};

impl Client {
    /// Who the credential stands for.
    pub async fn whoami(&self) -> Result<Whoami, ClientError> {
        self.get("/api/v1/whoami").await
    }

    /// A token for a name and a password.
    pub async fn login(&self, login: &Login) -> Result<MadeToken, ClientError> {
        self.post("/api/v1/login", login).await
    }

    /// The users, by name.
    pub async fn users(&self) -> Result<Vec<User>, ClientError> {
        self.get("/api/v1/users").await
    }

    /// Adds a user.
    pub async fn add_user(&self, user: &NewUser) -> Result<User, ClientError> {
        self.post("/api/v1/users", user).await
    }

    /// A user.
    pub async fn user(&self, name: &str) -> Result<User, ClientError> {
        self.get(&of_user(name, "")).await
    }

    /// Removes a user; the tokens are void with that.
    pub async fn remove_user(&self, name: &str) -> Result<(), ClientError> {
        self.delete(&of_user(name, "")).await
    }

    /// A user and the version.
    pub async fn user_version(&self, name: &str) -> Result<Versioned<User>, ClientError> {
        self.get_versioned(&of_user(name, "")).await
    }

    /// Replaces the roles of a user: of the version with this ETag, refused with 412 when the user was changed since; without
    /// one of whatever is there.
    pub async fn set_roles(&self, name: &str, roles: &[Grant], tag: Option<&str>) -> Result<User, ClientError> {
        self.put_version(&of_user(name, "/roles"), &Roles { roles: roles.to_vec() }, tag).await
    }

    /// Sets a user's password.
    pub async fn set_password(&self, name: &str, password: &NewPassword) -> Result<(), ClientError> {
        self.put(&of_user(name, "/password"), password).await
    }

    /// The caller's tokens, the oldest first; an admin gets those of `user`, or all.
    pub async fn tokens(&self, user: Option<&str>) -> Result<Vec<Token>, ClientError> {
        let query = user.map(|user| format!("?user={}", part(user))).unwrap_or_default();
        self.get(&format!("/api/v1/tokens{query}")).await
    }

    /// Makes a token.
    pub async fn make_token(&self, token: &NewToken) -> Result<MadeToken, ClientError> {
        self.post("/api/v1/tokens", token).await
    }

    /// Makes a join token of a group.
    pub async fn make_join_token(&self, group: &str, token: &NewJoinToken) -> Result<MadeJoinToken, ClientError> {
        self.post(&of_group(group, "join-tokens"), token).await
    }

    /// Makes a token void.
    pub async fn revoke_token(&self, id: &str) -> Result<(), ClientError> {
        self.delete(&format!("/api/v1/tokens/{}", part(id))).await
    }
}

fn of_user(name: &str, rest: &str) -> String {
    format!("/api/v1/users/{}{rest}", part(name))
}
