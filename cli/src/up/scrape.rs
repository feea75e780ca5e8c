//! The replicas' metrics, for the one scrape target of `flotilla up`.

use std::time::Duration;

use flotilla_group::member::Registry;
use futures::future::join_all;

use crate::client::probe;

/// A replica that does not answer by then has no series in this scrape.
const ANSWER: Duration = Duration::from_secs(1);

/// Each living replica's id and what its `/metrics` shows.
pub async fn replicas(registry: Registry) -> Vec<(String, String)> {
    let Ok(Ok(replicas)) = tokio::time::timeout(ANSWER, registry.list()).await else { return Vec::new() };
    let asked = replicas.into_iter().filter_map(|replica| Some((replica.id, replica.ops?)));
    let texts = join_all(asked.map(|(id, ops)| async move {
        let answer = tokio::time::timeout(ANSWER, probe(ops, "/metrics")).await.ok()?.ok()?;
        (answer.status == 200).then_some((id, answer.body))
    }));
    texts.await.into_iter().flatten().collect()
}
