//! Dead letters: kept in the group's store, and run again when users ask for it.

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flotilla_api::deadletter::{Cause, DeadLetter, DeadLetterContent, LetterProperties};
use flotilla_api::trail::Trail;
use flotilla_engine::message::Outcome;
use flotilla_engine::{self as engine, Shared};
use flotilla_group::deadletter::{CONTENT, DeadLetters, MOST, Replay, Replays};
use flotilla_group::sealing::KeyRing;
use flotilla_group::{Changes, GroupError};
use flotilla_nodes_network::mqtt::{Letter, LetterBox, Letters, PublishProps, QoS, replay, replay_at};
use flotilla_store::Store;
use flotilla_value::{Value, to_json};
use futures::StreamExt as _;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;

use super::trails::trail_of;

/// How many are run again at the same time: one that takes long holds up no other.
const AT_ONCE: usize = 16;
/// How long it is waited for the end of one.
const LONGEST: Duration = Duration::from_secs(600);
/// How long a replica waits before it looks again after the store failed.
const AGAIN: Duration = Duration::from_secs(1);

/// The group's box of dead letters, and what is to be run again.
#[derive(Clone)]
pub(super) struct GroupLetters {
    letters: DeadLetters,
    replays: Replays,
    store: Arc<dyn Store>,
    replica: String,
    /// The engine that nodes of trails are looked up in, once there is one.
    shared: Arc<OnceLock<Weak<Shared>>>,
}

impl GroupLetters {
    pub(super) fn new(
        store: &Arc<dyn Store>,
        group: &str,
        keys: KeyRing,
        replica: &str,
    ) -> Result<GroupLetters, GroupError> {
        let letters = DeadLetters::new(store.clone(), group, keys)?;
        let replays = Replays::new(store.clone(), group)?;
        Ok(GroupLetters { letters, replays, store: store.clone(), replica: replica.to_owned(), shared: Arc::default() })
    }

    /// Has the nodes of this replica lay their dead letters aside here.
    pub(super) fn install(&self, shared: &Arc<Shared>) {
        drop(self.shared.set(Arc::downgrade(shared)));
        shared.extensions().insert(Arc::new(Letters(Arc::new(self.clone()))));
    }

    /// Runs again what users ask for. Does not end.
    pub(super) async fn follow(self, shared: Arc<Shared>) {
        let mut changes = Changes::new(self.store.clone(), vec![self.replays.key()]);
        let mut running = FuturesUnordered::new();
        loop {
            tokio::select! {
                _ = changes.next() => {}
                Some(()) = running.next() => {}
            }
            let has_room = || shared.deliveries().counts().in_flight < shared.settings().max_in_flight;
            while running.len() < AT_ONCE && has_room() {
                match self.replays.take().await {
                    Ok(Some(asked)) => running.push(self.again(&shared, asked)),
                    Ok(None) => break,
                    Err(error) => {
                        tracing::warn!(%error, "cannot see which dead letters are to be run again");
                        tokio::time::sleep(AGAIN).await;
                        changes.look_again();
                        break;
                    }
                }
            }
        }
    }

    /// Runs one again; it leaves the box only when that was successful.
    async fn again(&self, shared: &Arc<Shared>, Replay { id, at_failure }: Replay) {
        let found = match self.letters.get(id).await {
            Ok(found) => found,
            Err(error) => return tracing::warn!(%error, "dead letter {id} cannot be run again"),
        };
        let not_kept = || "its content was not kept".to_owned();
        let replayed = async {
            if at_failure {
                let message = found.message.as_ref().ok_or_else(not_kept)?;
                replay_at(shared, &found.letter.node, &found.letter.topic, message).await
            } else {
                replay(shared, &given(&found).ok_or_else(not_kept)?).await
            }
        };
        let unfinished = || format!("it was not finished within {} s, and continues there", LONGEST.as_secs());
        let replayed = tokio::time::timeout(LONGEST, replayed).await.unwrap_or_else(|_| Err(unfinished()));
        let (replayed, went) = match replayed {
            Ok((outcome, trail)) => (Ok(outcome), trail),
            Err(why) => (Err(why), None),
        };
        // Where nothing failed anew, the node stays: the message that is kept is of that one.
        let (node, message) = match &replayed {
            Ok(Outcome::Failed(failure)) => (failure.node.to_string(), to_json(&failure.message)),
            _ => (found.letter.node.clone(), None),
        };
        if let (false, Some(trail)) = (matches!(replayed, Ok(Outcome::Completed)), went)
            && let Err(error) = self.letters.put_trail(id, self.trail(&trail), &node, message).await
        {
            tracing::warn!(%error, "dead letter {id} was run again, but keeps the trail of its earlier run");
        }
        let done = match replayed {
            Ok(Outcome::Completed) => {
                tracing::info!(topic = found.letter.topic, "dead letter {id} was run again and is done");
                self.letters.discard(id).await.map(drop)
            }
            Ok(Outcome::Failed(failure)) => self.letters.failed_again(id, &node, &failure.error.to_text()).await,
            Ok(Outcome::Abandoned) => self.letters.failed_again(id, &node, "the replica stopped").await,
            Err(why) => self.letters.failed_again(id, &node, &why).await,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "dead letter {id} was run again, but the store could not be told");
        }
    }
}

impl GroupLetters {
    fn trail(&self, trail: &engine::trail::Trail) -> Trail {
        let shared = self.shared.get().and_then(Weak::upgrade);
        trail_of(&self.replica, shared.as_deref(), trail.view())
    }
}

fn given(found: &DeadLetterContent) -> Option<Letter> {
    let LetterProperties { utf8, content_type, response_topic, correlation, user } = found.properties.clone();
    let text = |text: Option<String>| text.map(Into::into);
    Some(Letter {
        broker: found.letter.broker.as_str().into(),
        topic: found.letter.topic.as_str().into(),
        qos: QoS::from_bits(found.letter.qos)?,
        retain: found.letter.retain,
        payload: STANDARD.decode(found.payload.as_deref()?).ok()?.into(),
        props: PublishProps {
            utf8,
            content_type: text(content_type),
            response_topic: text(response_topic),
            correlation: correlation.and_then(|bytes| STANDARD.decode(bytes).ok()).map(Into::into),
            user: user.into_iter().map(|(name, value)| (name.into(), value.into())).collect(),
            ..PublishProps::default()
        },
        node: "".into(),
        error: String::new(),
        attempts: found.letter.attempts,
        died: false,
        message: Value::Undefined,
        trail: None,
    })
}

impl LetterBox for GroupLetters {
    fn keep(&self, letter: Letter) -> BoxFuture<'static, Result<String, String>> {
        let Letter { broker, topic, qos, retain, payload, props, node, error, attempts, died, message, trail } = letter;
        let content = DeadLetterContent {
            letter: DeadLetter {
                id: 0,
                time_ms: 0,
                replica: self.replica.clone(),
                broker: broker.to_string(),
                topic: topic.to_string(),
                qos: qos as u8,
                retain,
                bytes: payload.len() as u64,
                cause: if died { Cause::Died } else { Cause::Failed },
                node: node.to_string(),
                error,
                attempts,
                replays: 0,
            },
            payload: (payload.len() <= CONTENT).then(|| STANDARD.encode(&payload)),
            message: to_json(&message),
            trail: trail.map(|trail| self.trail(&trail)),
            properties: LetterProperties {
                utf8: props.utf8,
                content_type: props.content_type.map(|text| text.to_string()),
                response_topic: props.response_topic.map(|text| text.to_string()),
                correlation: props.correlation.map(|bytes| STANDARD.encode(bytes)),
                user: props.user.into_iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
            },
        };
        let letters = self.letters.clone();
        Box::pin(async move {
            let kept = letters.keep(content).await.map_err(|error| error.to_string())?;
            if let Some(displaced) = kept.displaced {
                tracing::warn!("the box holds {MOST} dead letters: the oldest, {displaced}, was removed");
            }
            let whole = if kept.whole { "" } else { ", without its payload, which is too large to be kept" };
            Ok(format!("dead letter {}{whole} (see `flotilla deadletter list`)", kept.id))
        })
    }
}
