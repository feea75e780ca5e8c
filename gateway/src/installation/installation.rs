//! A group of another installation.

use flotilla_api::client::ClientTls;
use flotilla_api::deploy::DryRun;
use flotilla_api::pipeline::RemoteStage;
use flotilla_api::revision::RevisionContent;
use flotilla_api::snapshot::{NewSnapshot, Snapshot};
use flotilla_api::transfer::{Transfer, TransferContent, TransferState, Transferred};
use flotilla_api::{Client, ClientError};

use super::bounds::Bounded;
use super::fault::Fault;

/// The id of a transfer that there never is: pipelines' begin with `run`.
const NONE: &str = "none";

/// The largest answer that holds a revision: one has 16 MiB at most, and some more as JSON.
const LARGEST: usize = 32 << 20;
/// And of any other.
const SMALL: usize = 4 << 20;

/// A group of another installation. Each request has the client's deadline.
pub(crate) struct Installation {
    client: Client,
    /// For answers that hold a whole revision.
    whole: Client,
    url: String,
    group: String,
}

impl Installation {
    /// The group of a stage, reached with this token.
    pub(crate) fn new(there: &RemoteStage, token: &str) -> Result<Installation, Fault> {
        let bad = || Fault::Never(format!("url \"{}\" must be https://HOST:PORT or http://HOST:PORT", there.url));
        let (tls, address) = there.parts().ok_or_else(bad)?;
        let client = Client::new(address, Some(token));
        let client = match tls {
            true => client.with_tls(ClientTls { ca_text: there.ca.clone(), ..ClientTls::default() }),
            false => client,
        };
        let (client, whole) = (client.clone().with_largest(SMALL), client.with_largest(LARGEST));
        Ok(Installation { client, whole, url: there.url.clone(), group: there.group.clone() })
    }

    /// Whether the group is there and the token may deploy to it.
    pub(crate) async fn try_token(&self) -> Result<(), Fault> {
        self.state(NONE).await.map(drop)
    }

    /// What a transfer comes to, and how the one of this id went.
    pub(crate) async fn state(&self, id: &str) -> Result<TransferState, Fault> {
        self.told(self.client.transfer_state(&self.group, id).await).map(Bounded::bounded)
    }

    /// What a transfer would do.
    pub(crate) async fn dry_run(&self, transfer: &Transfer) -> Result<DryRun, Fault> {
        self.told(self.client.transfer_dry_run(&self.group, transfer).await).map(Bounded::bounded)
    }

    /// Brings it.
    pub(crate) async fn transfer(&self, transfer: &Transfer) -> Result<Transferred, Fault> {
        self.told(self.client.transfer(&self.group, transfer).await).map(Bounded::bounded)
    }

    /// What of a revision there goes to another group.
    pub(crate) async fn content(&self, revision: &str) -> Result<TransferContent, Fault> {
        self.told(self.whole.transfer_content(&self.group, revision).await)
    }

    /// A revision there as its users see it.
    pub(crate) async fn revision(&self, id: &str) -> Result<RevisionContent, Fault> {
        self.told(self.whole.revision(&self.group, id).await)
    }

    /// The snapshots there, oldest first.
    pub(crate) async fn snapshots(&self) -> Result<Vec<Snapshot>, Fault> {
        self.told(self.client.snapshots(&self.group).await).map(Bounded::bounded)
    }

    /// A snapshot there, by its number or the last one of a name.
    pub(crate) async fn snapshot(&self, which: &str) -> Result<Snapshot, Fault> {
        self.told(self.client.snapshot(&self.group, which).await).map(Bounded::bounded)
    }

    /// Makes a snapshot there.
    pub(crate) async fn add_snapshot(&self, new: &NewSnapshot) -> Result<Snapshot, Fault> {
        self.told(self.client.add_snapshot(&self.group, new).await).map(Bounded::bounded)
    }

    fn told<T>(&self, answer: Result<T, ClientError>) -> Result<T, Fault> {
        answer.map_err(|error| Fault::of(&self.url, &error))
    }
}
