//! How a connection is closed.

use std::sync::atomic::Ordering;
use std::time::Duration;

use flotilla_codec::Disconnect;
use flotilla_codec::client as codec;
use tokio::io::AsyncWriteExt;

use super::connection::Connection;
use super::end::End;
use super::guard::Parting;

/// How long a closing connection may take to send what waits; Node-RED's 2 s.
pub(super) const GOODBYE: Duration = Duration::from_secs(2);

impl Connection {
    /// Says goodbye. A session of our own that holds nothing is ended with it.
    pub(super) async fn leave(mut self, end: End) -> End {
        let client = &self.client;
        let held = client.inbox.open() > 0 || client.inbox.abandoned() > 0 || !client.inbox.settled();
        let parting = client.parting();
        let expiry = match (&end, parting) {
            (End::Closed, Parting::End) => (self.end_session && !held).then_some(0),
            (End::Closed, Parting::Keep(time) | Parting::Pause(time)) if self.persistent => {
                Some(u32::try_from(time.as_secs()).unwrap_or(u32::MAX - 1))
            }
            _ => None,
        };
        if expiry == Some(0) {
            client.left.store(false, Ordering::Release);
        }
        codec::disconnect(&mut self.out, self.version, Disconnect { reason: 0, session_expiry: expiry });
        let goodbye = async {
            self.stream.write_all_buf(&mut self.out).await?;
            self.stream.flush().await?;
            self.stream.shutdown().await
        };
        // Whether it arrives changes nothing here.
        let _ = tokio::time::timeout(GOODBYE, goodbye).await;
        end
    }
}
