//! Whom the provider names.

use openidconnect::AdditionalClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::OidcError;

/// Whom the provider names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The provider.
    pub issuer: String,
    /// Who it is for the provider: never another's, whatever the name.
    pub subject: String,
    /// The name.
    pub name: String,
    /// The roles or groups, as the provider calls them.
    pub roles: Vec<String>,
}

/// The claims that OpenID Connect does not know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Claims {
    #[serde(flatten)]
    pub(crate) all: Map<String, Value>,
}

impl AdditionalClaims for Claims {}

/// The text of a claim.
///
/// # Errors
/// [`OidcError::NoClaim`].
pub(crate) fn text(claims: &Value, path: &str) -> Result<String, OidcError> {
    let found = at(claims, path).and_then(Value::as_str).filter(|text| !text.is_empty());
    found.map(str::to_owned).ok_or_else(|| OidcError::NoClaim(path.to_owned()))
}

/// The texts of a claim: those of a list, or the words of a text. None when there is no such claim.
pub(crate) fn texts(claims: &Value, path: &str) -> Vec<String> {
    match at(claims, path) {
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        Some(Value::String(text)) => {
            text.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// A claim by its name, or by a path: some providers have names with dots in them (`https://plant.example/roles`).
fn at<'a>(claims: &'a Value, path: &str) -> Option<&'a Value> {
    claims.get(path).or_else(|| path.split('.').try_fold(claims, |value, name| value.get(name)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn roles_are_found_where_providers_put_them() {
        let claims = json!({
            "realm_access": {"roles": ["ops", 7, "dev"]}, "https://plant.example/roles": "ops dev,qa", "groups": "ops",
            "preferred_username": "ann", "email": "",
        });
        assert_eq!(texts(&claims, "realm_access.roles"), ["ops", "dev"]);
        assert_eq!(texts(&claims, "https://plant.example/roles"), ["ops", "dev", "qa"]);
        assert_eq!(texts(&claims, "groups"), ["ops"]);
        assert!(texts(&claims, "roles").is_empty() && texts(&claims, "groups.x").is_empty());
        assert_eq!(text(&claims, "preferred_username").unwrap(), "ann");
        assert!(matches!(text(&claims, "email"), Err(OidcError::NoClaim(_))));
    }
}
