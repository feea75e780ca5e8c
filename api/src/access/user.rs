//! Users.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::grant::Grant;

/// A user. `GET /api/v1/users` answers them by name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct User {
    /// The name: 1 to 64 of a-z A-Z 0-9 . _ -
    pub name: String,
    /// What the user is to which group.
    pub roles: Vec<Grant>,
    /// False for one that shows tokens only, or comes from another system.
    pub has_password: bool,
    /// Milliseconds since the epoch, on the store's clock.
    pub created_ms: u64,
}

/// `POST /api/v1/users`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewUser {
    /// The name.
    pub name: String,
    /// What the user is to be.
    #[serde(default)]
    pub roles: Vec<Grant>,
    /// The password, 8 to 1024 characters; without one the user shows tokens only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<String>,
}

/// `PUT /api/v1/users/{user}/roles`: replaces them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Roles {
    /// What the user is to be.
    pub roles: Vec<Grant>,
}

/// `PUT /api/v1/users/{user}/password`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPassword {
    /// The new password, 8 to 1024 characters.
    pub password: String,
    /// The one before: needed by whoever is no admin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
}

/// `POST /api/v1/login`: a token for a name and a password.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Login {
    /// The user.
    pub user: String,
    /// The password.
    pub password: String,
    /// What the token is called in lists.
    #[serde(default)]
    pub name: String,
    /// How long the token is good, at most 90 days; without it a day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<u64>,
}
