//! Revisions.

use super::error::ClientError;
use super::transport::Client;
use crate::path::{of_group, part};
use crate::revision::{Copied, Copy, Given, RevisionContent, RevisionDiff};

impl Client {
    /// The revisions that a group was given, oldest first.
    pub async fn revisions(&self, group: &str) -> Result<Vec<Given>, ClientError> {
        self.get(&of_group(group, "revisions")).await
    }

    /// A revision, by its id or the first digits.
    pub async fn revision(&self, group: &str, id: &str) -> Result<RevisionContent, ClientError> {
        self.get(&of_group(group, &format!("revisions/{}", part(id)))).await
    }

    /// What differs between two revisions, by their ids or first digits.
    pub async fn diff_revisions(&self, group: &str, from: &str, to: &str) -> Result<RevisionDiff, ClientError> {
        self.get(&of_group(group, &format!("revisions/{}/diff/{}", part(from), part(to)))).await
    }

    /// Gives a group a revision of another.
    pub async fn copy_revision(&self, group: &str, copy: &Copy) -> Result<Copied, ClientError> {
        self.post(&of_group(group, "revisions/copy"), copy).await
    }
}
