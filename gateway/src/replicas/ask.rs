//! Questions to the replicas of a group.

use std::sync::Arc;
use std::time::Duration;

use flotilla_api::node::Unanswered;
use flotilla_api::replica::{ReplicaRecord, ReplicaState};
use flotilla_api::{Client, ClientError};
use flotilla_group::GroupError;
use flotilla_group::control::ControlTokens;
use flotilla_group::member::Registry;
use flotilla_store::Store;
use futures::future::{BoxFuture, join_all};

/// A replica that does not answer by then is named as one that did not.
const ANSWER: Duration = Duration::from_secs(2);

/// Reaches the replicas of a group.
#[derive(Clone)]
pub struct Control {
    store: Arc<dyn Store>,
    group: String,
}

/// What the replicas of a group answered.
#[derive(Clone, Debug)]
pub struct Replies<T> {
    /// The answers, by replica.
    pub answers: Vec<(String, T)>,
    /// The replicas that did not answer.
    pub unanswered: Vec<Unanswered>,
}

impl Control {
    /// That of a group.
    pub fn new(store: Arc<dyn Store>, group: &str) -> Control {
        Control { store, group: group.to_owned() }
    }

    /// The living replicas, each with a client of it; an error for one that cannot be reached.
    ///
    /// # Errors
    /// While the store is away; a name that no group can have.
    pub async fn clients(&self) -> Result<Vec<(ReplicaRecord, Result<Client, String>)>, GroupError> {
        let replicas = Registry::new(self.store.clone(), &self.group)?.list().await?;
        let token = ControlTokens::new(self.store.clone(), &self.group)?.get().await?;
        let client = |replica: &ReplicaRecord| match (&token, replica.ops) {
            (Some(token), Some(ops)) => Ok(Client::new(ops.to_string(), Some(token))),
            (_, None) => Err("it does not say where it can be asked".to_owned()),
            (None, _) => Err("it is of an older version".to_owned()),
        };
        Ok(replicas.into_iter().map(|replica| (client(&replica), replica)).map(|(client, r)| (r, client)).collect())
    }

    /// Asks each living replica that `wanted` names.
    ///
    /// # Errors
    /// While the store is away. Replicas that do not answer are no error.
    pub async fn ask<T>(
        &self,
        wanted: impl Fn(&ReplicaRecord) -> bool,
        question: impl Fn(Client) -> BoxFuture<'static, Result<T, ClientError>>,
    ) -> Result<Replies<T>, GroupError> {
        let asked = self.clients().await?.into_iter().filter(|(replica, _)| wanted(replica));
        let replies = join_all(asked.map(|(replica, client)| {
            let question = client.map(&question);
            async move { (replica.id, answer(question).await) }
        }));
        let mut all = Replies { answers: Vec::new(), unanswered: Vec::new() };
        for (replica, reply) in replies.await {
            match reply {
                Ok(answer) => all.answers.push((replica, answer)),
                Err(reason) => all.unanswered.push(Unanswered { replica, reason }),
            }
        }
        Ok(all)
    }

    /// A ready replica, else any.
    ///
    /// # Errors
    /// While the store is away.
    pub async fn any(&self) -> Result<Option<String>, GroupError> {
        let replicas = Registry::new(self.store.clone(), &self.group)?.list().await?;
        let ready = replicas.iter().find(|replica| replica.state == ReplicaState::Ready);
        Ok(ready.or(replicas.first()).map(|replica| replica.id.clone()))
    }
}

async fn answer<T>(question: Result<BoxFuture<'static, Result<T, ClientError>>, String>) -> Result<T, String> {
    match tokio::time::timeout(ANSWER, question?).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(format!("it did not answer within {} s", ANSWER.as_secs())),
    }
}
