//! Users that the program which runs the broker makes, beside those of the file.

use std::fmt;

/// A user that the program which runs the broker makes. Nobody else is kept out by there being one.
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// User name.
    pub name: String,
    /// Password: random and long, as it is compared and not hashed.
    pub password: String,
    /// What it may do: lines as in an ACL file, without WHO. Everything else is refused.
    pub rights: Vec<String>,
}

impl Account {
    /// Whether this is its password. Takes as long for every password of one length.
    pub(crate) fn is_password(&self, given: &[u8]) -> bool {
        let own = self.password.as_bytes();
        let differing = own.iter().zip(given).fold(0, |differing, (own, given)| differing | (own ^ given));
        own.len() == given.len() && differing == 0
    }

    /// Its lines as an ACL's.
    pub(crate) fn lines(&self) -> String {
        self.rights.iter().map(|right| format!("{} {right}\n", self.name)).collect()
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("name", &self.name).field("rights", &self.rights).finish_non_exhaustive()
    }
}
