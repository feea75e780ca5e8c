//! Another system that says who somebody is.

use std::collections::BTreeSet;

use flotilla_api::Problem;
use flotilla_api::access::Grant;
use flotilla_oidc::{Identity, Provider};

/// An OpenID provider, and which of its roles are which of ours.
#[derive(Debug)]
pub struct SignIn {
    pub(super) provider: Provider,
    /// A role or group of the provider, and one of our roles. Several for one are added up.
    roles: Vec<(String, Grant)>,
}

impl SignIn {
    /// `roles`: a role or group of the provider, and the role of ours that it gives.
    pub fn new(provider: Provider, roles: Vec<(String, Grant)>) -> SignIn {
        SignIn { provider, roles }
    }

    /// What somebody may do.
    ///
    /// # Errors
    /// `no_role` (403) when none of the provider's roles is one of ours.
    pub(super) fn grants(&self, who: &Identity) -> Result<Vec<Grant>, Problem> {
        let theirs = self.roles.iter().filter(|(role, _)| who.roles.contains(role));
        let grants: BTreeSet<Grant> = theirs.map(|(_, grant)| grant.clone()).collect();
        if grants.is_empty() {
            let has = if who.roles.is_empty() { "none".to_owned() } else { who.roles.join(", ") };
            let detail = format!(
                "{} has no role here: of the roles that the provider says ({has}) none is named with --oidc-role",
                who.name
            );
            return Err(Problem::new(403, "no_role", detail));
        }
        Ok(grants.into_iter().collect())
    }
}

/// The name of a user for the name that a provider says: what names of ours cannot have becomes `-`.
///
/// # Errors
/// `bad_name` (403) for a name that is not ASCII, or of which nothing is left: two such names would be one.
pub(super) fn user_name(name: &str) -> Result<String, Problem> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let user: String = name.chars().take(64).map(|c| if fits(c) { c } else { '-' }).collect();
    if name.is_ascii() && user.contains(|c: char| c.is_ascii_alphanumeric()) {
        return Ok(user);
    }
    let detail = format!(
        "the provider says the name {name:?}, which no user can have here: letters, digits, `.`, `_` and `-`; name another claim \
         with --oidc-name-claim"
    );
    Err(Problem::new(403, "bad_name", detail))
}
