//! The box of dead letters in the store.

use std::sync::Arc;

use flotilla_api::deadletter::{DeadLetter, DeadLetterContent, LetterProperties};
use flotilla_api::trail::Trail;
use flotilla_store::{Entry, Expect, Store, Write};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::sealed::{open, seal};
use crate::clock::now_ms;
use crate::error::GroupError;
use crate::keys;
use crate::sealing::KeyRing;

/// So many letters are kept; a newer one takes the place of the oldest.
pub const MOST: u64 = 1000;
/// A payload of more bytes than this is not kept: such a letter can be looked at and discarded, but not run again.
pub const CONTENT: usize = 256 * 1024;
/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 20;
/// An error text in a list is cut here, in bytes.
const TEXT: usize = 4096;

/// The dead letters of a group. Errors, payloads and properties are sealed with the group's key, if it has one.
#[derive(Clone)]
pub struct DeadLetters {
    store: Arc<dyn Store>,
    group: String,
    keys: KeyRing,
}

/// A letter that was put into the box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its number.
    pub id: u64,
    /// Its payload is kept, too.
    pub whole: bool,
    /// The number of the letter whose place it took, as the box was full.
    pub displaced: Option<u64>,
}

/// A letter as the store keeps it: `letter.error` is empty there.
#[derive(Serialize, Deserialize)]
struct Head {
    #[serde(flatten)]
    letter: DeadLetter,
    sealed_error: Value,
}

/// What is read only when one letter is looked at.
#[derive(Serialize, Deserialize)]
struct Body {
    id: u64,
    content: Value,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    payload: Option<String>,
    #[serde(default)]
    properties: LetterProperties,
    #[serde(default)]
    trail: Option<Trail>,
    /// The message where it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    message: Option<Value>,
}

impl DeadLetters {
    /// The dead letters of a group.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, group: &str, keys: KeyRing) -> Result<DeadLetters, GroupError> {
        keys::check("group name", group)?;
        Ok(DeadLetters { store, group: group.to_owned(), keys })
    }

    /// Puts a letter into the box; its number and its time are made here.
    ///
    /// # Errors
    /// When the store does not answer. The letter may be there all the same: putting it in again makes a second one.
    pub async fn keep(&self, given: DeadLetterContent) -> Result<Kept, GroupError> {
        let DeadLetterContent { mut letter, payload, properties, trail, message } = given;
        letter.id = self.store.incr(&keys::dead_letter_count(&self.group), 1.0).await? as u64;
        letter.time_ms = now_ms(&*self.store).await?;
        let whole = letter.bytes <= CONTENT as u64 && payload.is_some();
        let message = message.filter(fits);
        let content = Content { payload: payload.filter(|_| whole), properties, trail, message };
        let keys = self.keys.keys().await?;
        let body = Body { id: letter.id, content: seal(&content, keys.as_deref()) };
        let place = letter.id % MOST;
        let before = self.store.get(&keys::dead_letter(&self.group, place)).await?;
        let displaced = before.map(|entry| keys::read::<Head>("a dead letter", &entry)).transpose()?;
        // The body first: a letter whose head can be seen is whole.
        self.store.set(&keys::dead_letter_body(&self.group, place), keys::encode(&body), Write::default()).await?;
        let id = letter.id;
        self.store.set(&keys::dead_letter(&self.group, place), head(letter, keys.as_deref()), Write::default()).await?;
        Ok(Kept { id, whole, displaced: displaced.map(|head| head.letter.id) })
    }

    /// All of them, the oldest first. Without the key the errors of sealed ones are not shown.
    pub async fn list(&self) -> Result<Vec<DeadLetter>, GroupError> {
        let entries = self.store.list(&keys::dead_letters(&self.group)).await?;
        let keys = self.keys.keys().await?;
        let mut all = entries.iter().map(|entry| read(entry, keys.as_deref())).collect::<Result<Vec<_>, _>>()?;
        all.sort_unstable_by_key(|letter| letter.id);
        Ok(all)
    }

    /// How many a group has: for that no key is needed.
    ///
    /// # Errors
    /// [`GroupError::BadName`]; while the store is away.
    pub async fn count(store: &Arc<dyn Store>, group: &str) -> Result<u64, GroupError> {
        keys::check("group name", group)?;
        Ok(store.list(&keys::dead_letters(group)).await?.len() as u64)
    }

    /// One letter with its content.
    ///
    /// # Errors
    /// [`GroupError::NoKeyName`] when it is not there, [`GroupError::Key`] when it is sealed with another key.
    pub async fn get(&self, id: u64) -> Result<DeadLetterContent, GroupError> {
        let (_, letter) = self.find(id).await?;
        let entry = self.store.get(&keys::dead_letter_body(&self.group, id % MOST)).await?;
        let body: Option<Body> = entry.map(|entry| keys::read("a dead letter's content", &entry)).transpose()?;
        let content: Content = match body.filter(|body| body.id == id) {
            Some(body) => open(&body.content, self.keys.keys().await?.as_deref())?,
            None => Content::default(),
        };
        let Content { payload, properties, trail, message } = content;
        Ok(DeadLetterContent { letter, payload, properties, trail, message })
    }

    /// Takes a letter out of the box. False when it was not there.
    pub async fn discard(&self, id: u64) -> Result<bool, GroupError> {
        let (entry, _) = match self.find(id).await {
            Ok(found) => found,
            Err(GroupError::NoKeyName { .. }) => return Ok(false),
            Err(error) => return Err(error),
        };
        let expected = Expect::Version(entry.version);
        let gone = self.store.cas(&entry.key, expected, None, Write::default()).await?.is_swapped();
        if gone {
            // A body that stays behind is written over by the next letter in this place.
            self.store.delete(&keys::dead_letter_body(&self.group, id % MOST), None).await?;
        }
        Ok(gone)
    }

    /// Puts another payload, in base64, into a letter: what is run again is this.
    ///
    /// # Errors
    /// [`GroupError::NoKeyName`] when it is not there; [`GroupError::Key`] when it is sealed with another key.
    pub async fn edit(&self, id: u64, payload: String, bytes: u64) -> Result<(), GroupError> {
        self.find(id).await?;
        // The body first: whoever sees the new size sees the new payload.
        self.change_content(id, |content| content.payload = Some(payload.clone())).await?;
        self.change_head(id, |letter| letter.bytes = bytes).await
    }

    /// Puts another message into a letter for where it failed: what enters that node when it is run again there.
    ///
    /// # Errors
    /// As [`DeadLetters::edit`].
    pub async fn edit_message(&self, id: u64, message: Value) -> Result<(), GroupError> {
        self.find(id).await?;
        self.change_content(id, |content| content.message = Some(message.clone())).await
    }

    /// Notes that a replay failed, and why.
    pub async fn failed_again(&self, id: u64, node: &str, error: &str) -> Result<(), GroupError> {
        self.change_head(id, |letter| {
            (letter.replays, letter.error) = (letter.replays + 1, error.to_owned());
            node.clone_into(&mut letter.node);
        })
        .await
    }

    /// Puts the trail of a later delivery into a letter: that of a replay that failed at this node, and the message there. A
    /// message that is kept of another node goes: it would enter the wrong one.
    ///
    /// # Errors
    /// As [`DeadLetters::get`].
    pub async fn put_trail(&self, id: u64, trail: Trail, node: &str, message: Option<Value>) -> Result<(), GroupError> {
        let (_, letter) = self.find(id).await?;
        let (is_there, message) = (letter.node == node, message.filter(fits));
        self.change_content(id, |content| {
            content.trail = Some(trail.clone());
            if message.is_some() || !is_there {
                content.message.clone_from(&message);
            }
        })
        .await
    }

    async fn change_head(&self, id: u64, change: impl Fn(&mut DeadLetter)) -> Result<(), GroupError> {
        for _ in 0..ATTEMPTS {
            let (entry, mut letter) = self.find(id).await?;
            let keys = self.keys.keys().await?;
            change(&mut letter);
            let (expected, new) = (Expect::Version(entry.version), Some(head(letter, keys.as_deref())));
            if self.store.cas(&entry.key, expected, new, Write::default()).await?.is_swapped() {
                return Ok(());
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }

    /// Changes what only the holders of the key read. Another letter's content in this place stays.
    async fn change_content(&self, id: u64, change: impl Fn(&mut Content)) -> Result<(), GroupError> {
        let key = keys::dead_letter_body(&self.group, id % MOST);
        for _ in 0..ATTEMPTS {
            let entry = self.store.get(&key).await?;
            let body: Option<Body> =
                entry.as_ref().map(|entry| keys::read("a dead letter's content", entry)).transpose()?;
            if body.as_ref().is_some_and(|body| body.id > id) {
                return Err(GroupError::NoKeyName { what: "dead letter", name: id.to_string() });
            }
            let keys = self.keys.keys().await?;
            let mut content = match body.filter(|body| body.id == id) {
                Some(body) => open(&body.content, keys.as_deref())?,
                None => Content::default(),
            };
            change(&mut content);
            let value = keys::encode(&Body { id, content: seal(&content, keys.as_deref()) });
            let expected = entry.map_or(Expect::Absent, |entry| Expect::Version(entry.version));
            if self.store.cas(&key, expected, Some(value), Write::default()).await?.is_swapped() {
                return Ok(());
            }
        }
        Err(GroupError::Busy { group: self.group.clone() })
    }

    async fn find(&self, id: u64) -> Result<(Entry, DeadLetter), GroupError> {
        let none = || GroupError::NoKeyName { what: "dead letter", name: id.to_string() };
        let entry = self.store.get(&keys::dead_letter(&self.group, id % MOST)).await?.ok_or_else(none)?;
        let letter = read(&entry, self.keys.keys().await?.as_deref())?;
        if letter.id == id { Ok((entry, letter)) } else { Err(none()) }
    }
}

/// A larger message is not kept.
fn fits(message: &Value) -> bool {
    message.to_string().len() <= CONTENT
}

fn read(entry: &Entry, keys: Option<&str>) -> Result<DeadLetter, GroupError> {
    let Head { mut letter, sealed_error } = keys::read("a dead letter", entry)?;
    letter.error = open(&sealed_error, keys).unwrap_or_else(|_| "(sealed)".to_owned());
    Ok(letter)
}

fn head(mut letter: DeadLetter, keys: Option<&str>) -> bytes::Bytes {
    let mut error = std::mem::take(&mut letter.error);
    error.truncate(error.floor_char_boundary(TEXT));
    keys::encode(&Head { letter, sealed_error: seal(&error, keys) })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sealing::Restart;
    use crate::test_store;

    async fn letters(folder: &tempfile::TempDir, key: Option<&str>) -> DeadLetters {
        let store = test_store::open(folder).await;
        DeadLetters::new(store.clone(), "g", KeyRing::new(store, key, Restart::Given)).unwrap()
    }

    fn letter(error: &str) -> DeadLetterContent {
        let letter = DeadLetter { topic: "t".to_owned(), error: error.to_owned(), bytes: 6, ..DeadLetter::default() };
        DeadLetterContent { letter, payload: Some("c2VjcmV0".to_owned()), ..DeadLetterContent::default() }
    }

    #[tokio::test]
    async fn letters_are_sealed_numbered_and_leave_once() {
        let folder = tempfile::TempDir::new().unwrap();
        let all = letters(&folder, Some("k")).await;
        for number in 1..=3 {
            let kept = all.keep(letter(&format!("error {number}"))).await.unwrap();
            assert_eq!(kept, Kept { id: number, whole: true, displaced: None });
        }
        let list = all.list().await.unwrap();
        assert_eq!(list.iter().map(|letter| letter.id).collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(list[1].error, "error 2");
        assert_eq!(all.get(2).await.unwrap().payload.as_deref(), Some("c2VjcmV0"));
        all.failed_again(2, "n", "again").await.unwrap();
        let second = all.get(2).await.unwrap().letter;
        assert_eq!((second.replays, second.error.as_str(), second.node.as_str()), (1, "again", "n"));
        all.edit(2, "bmV3".to_owned(), 3).await.unwrap();
        let edited = all.get(2).await.unwrap();
        assert_eq!((edited.payload.as_deref(), edited.letter.bytes, edited.letter.replays), (Some("bmV3"), 3, 1));
        assert!(all.edit(9, String::new(), 0).await.is_err());
        all.edit_message(2, json!({"payload": "c2VjcmV0"})).await.unwrap();
        all.put_trail(2, Trail { number: 7, ..Trail::default() }, "n", None).await.unwrap();
        assert_eq!(all.get(2).await.unwrap().message, Some(json!({"payload": "c2VjcmV0"})));
        let large = json!({"payload": "x".repeat(CONTENT)});
        all.put_trail(2, Trail { number: 7, ..Trail::default() }, "n", Some(large)).await.unwrap();
        assert_eq!(all.get(2).await.unwrap().message, Some(json!({"payload": "c2VjcmV0"})), "too large to be kept");
        all.put_trail(2, Trail { number: 8, ..Trail::default() }, "other", None).await.unwrap();
        assert_eq!(all.get(2).await.unwrap().message, None, "what failed at one node enters no other");
        let trailed = all.get(2).await.unwrap();
        assert_eq!((trailed.trail.map(|trail| trail.number), trailed.payload.as_deref()), (Some(8), Some("bmV3")));
        assert!(all.discard(2).await.unwrap() && !all.discard(2).await.unwrap());
        assert!(matches!(all.get(2).await, Err(GroupError::NoKeyName { .. })));
        // Who lacks the key sees that there is something, and nothing of it.
        let blind = letters(&folder, None).await;
        assert_eq!(blind.list().await.unwrap()[0].error, "(sealed)");
        assert!(matches!(blind.get(1).await, Err(GroupError::Key { .. })));
        let other = letters(&folder, Some("other")).await;
        assert!(matches!(other.get(1).await, Err(GroupError::Key { .. })));
        for entry in all.store.list("").await.unwrap() {
            let text = String::from_utf8_lossy(&entry.value).into_owned();
            assert!(!text.contains("c2VjcmV0") && !text.contains("error 1"), "{text}");
        }
    }

    #[tokio::test]
    async fn the_box_is_bounded_and_says_what_it_lost() {
        let folder = tempfile::TempDir::new().unwrap();
        let all = letters(&folder, None).await;
        all.store.incr(&keys::dead_letter_count("g"), 41.0).await.unwrap();
        assert_eq!(all.keep(letter("old")).await.unwrap().id, 42);
        all.store.incr(&keys::dead_letter_count("g"), MOST as f64 - 1.0).await.unwrap();
        let kept = all.keep(letter("new")).await.unwrap();
        assert_eq!(kept, Kept { id: 42 + MOST, whole: true, displaced: Some(42) });
        assert!(matches!(all.get(42).await, Err(GroupError::NoKeyName { .. })));
        let mut large = letter("large");
        large.letter.bytes = CONTENT as u64 + 1;
        let kept = all.keep(large).await.unwrap();
        assert!(!kept.whole);
        assert_eq!(all.get(kept.id).await.unwrap().payload, None);
    }
}
