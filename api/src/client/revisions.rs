//! Revisions.

use super::error::ClientError;
use super::path::{of_group, part};
use super::transport::Client;
use crate::revision::{Copied, Copy, Given, RevisionContent};

impl Client {
    /// The revisions that a group was given, oldest first.
    pub async fn revisions(&self, group: &str) -> Result<Vec<Given>, ClientError> {
        self.get(&of_group(group, "revisions")).await
    }

    /// A revision, by its id or the first digits.
    pub async fn revision(&self, group: &str, id: &str) -> Result<RevisionContent, ClientError> {
        self.get(&of_group(group, &format!("revisions/{}", part(id)))).await
    }

    /// Gives a group a revision of another.
    pub async fn copy_revision(&self, group: &str, copy: &Copy) -> Result<Copied, ClientError> {
        self.post(&of_group(group, "revisions/copy"), copy).await
    }
}
