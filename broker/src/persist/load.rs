//! Reads back what was stored.

use std::{sync::Arc, time::Instant};

use super::{Clock, PersistError, Store, body};
use crate::{
    message::Message,
    session::{Ids, Subscription},
    share::Waiting,
    topic::Share,
};
use flotilla_codec::QoS;

/// Everything that was stored.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Sessions.
    pub sessions: Vec<StoredSession>,
    /// Share groups: number, share, messages in order of arrival.
    pub groups: Vec<(u64, Share, Vec<Waiting>)>,
    /// Retained messages.
    pub retained: Vec<Arc<Message>>,
    /// Highest number of a session or group.
    pub last_key: u64,
    /// Highest number of a session's message.
    pub last_seq: u64,
}

impl Loaded {
    /// Every message.
    pub fn messages_mut(&mut self) -> impl Iterator<Item = &mut Arc<Message>> {
        let queued = self.sessions.iter_mut().flat_map(|session| &mut session.queued);
        let shared = self.groups.iter_mut().flat_map(|(_, _, messages)| messages);
        let retained = self.retained.iter_mut();
        retained.chain(queued.map(|queued| &mut queued.message)).chain(shared.map(|waiting| &mut waiting.message))
    }
}

/// A session.
#[derive(Debug)]
pub struct StoredSession {
    /// Its number.
    pub key: u64,
    /// ClientID.
    pub id: String,
    /// Whose it is: the user that connected.
    pub user: Option<String>,
    /// Session expiry in seconds.
    pub expiry: u32,
    /// When its connection ended, if that was before the broker did.
    pub away_since: Option<Instant>,
    /// By filter.
    pub subscriptions: Vec<(String, Subscription)>,
    /// Not acknowledged, in order.
    pub queued: Vec<StoredQueued>,
    /// QoS 2 from the client.
    pub received: Vec<u16>,
    /// QoS 2 to the client.
    pub released: Vec<u16>,
}

/// A message of a session.
#[derive(Debug)]
pub struct StoredQueued {
    /// Its number.
    pub seq: u64,
    /// QoS to send at.
    pub qos: QoS,
    /// Retain flag to send.
    pub retain: bool,
    /// Subscription identifiers.
    pub ids: Ids,
    /// The identifier that it was sent under, at QoS 2.
    pub pkid: Option<u16>,
    /// The message.
    pub message: Arc<Message>,
}

impl Store {
    /// Reads everything.
    pub fn load(&self, clock: Clock) -> Result<Loaded, PersistError> {
        let read = self.read(clock).map_err(|source| PersistError::sqlite(&self.path, source))?;
        let Some(mut loaded) = read else {
            let what = "a message's bytes are not a message".to_owned();
            return Err(PersistError::Damaged { path: self.path.clone(), what });
        };
        let keys = loaded.sessions.iter().map(|session| session.key).chain(loaded.groups.iter().map(|group| group.0));
        loaded.last_key = keys.max().unwrap_or(0);
        let numbers = loaded.sessions.iter().flat_map(|session| session.queued.iter().map(|queued| queued.seq));
        loaded.last_seq = numbers.max().unwrap_or(0);
        Ok(loaded)
    }

    /// `None` when a body cannot be decoded.
    fn read(&self, clock: Clock) -> rusqlite::Result<Option<Loaded>> {
        let mut loaded = Loaded::default();
        let mut sessions = self.connection.prepare("SELECT key, id, expiry, away, user FROM sessions")?;
        let mut rows = sessions.query([])?;
        while let Some(row) = rows.next()? {
            let key: i64 = row.get(0)?;
            let Some(queued) = self.queued(key, clock)? else { return Ok(None) };
            loaded.sessions.push(StoredSession {
                key: key as u64,
                id: row.get(1)?,
                expiry: row.get(2)?,
                away_since: row.get::<_, Option<i64>>(3)?.map(|at| clock.to_instant(at as u64)),
                user: row.get(4)?,
                subscriptions: self.subscriptions(key)?,
                queued,
                received: self.pkids("SELECT pkid FROM received WHERE session = ?", key)?,
                released: self.pkids("SELECT pkid FROM released WHERE session = ?", key)?,
            });
        }
        let mut groups = self.connection.prepare("SELECT key, name, filter FROM groups")?;
        let mut rows = groups.query([])?;
        while let Some(row) = rows.next()? {
            let key: i64 = row.get(0)?;
            let share = Share {
                name: row.get::<_, String>(1)?.into_boxed_str(),
                filter: row.get::<_, String>(2)?.into_boxed_str(),
            };
            let Some(shared) = self.shared(key, clock)? else { return Ok(None) };
            loaded.groups.push((key as u64, share, shared));
        }
        let mut retained = self.connection.prepare("SELECT body FROM retained")?;
        let mut rows = retained.query([])?;
        while let Some(row) = rows.next()? {
            let Some(message) = body::decode(row.get(0)?, clock) else { return Ok(None) };
            loaded.retained.push(message);
        }
        Ok(Some(loaded))
    }

    fn subscriptions(&self, session: i64) -> rusqlite::Result<Vec<(String, Subscription)>> {
        let sql = "SELECT filter, options, id FROM subscriptions WHERE session = ?";
        let mut statement = self.connection.prepare_cached(sql)?;
        let rows = statement.query_map([session], |row| {
            let options: u8 = row.get(1)?;
            let subscription = Subscription {
                qos: QoS::from_bits(options & 3).unwrap_or_default(),
                no_local: options & 4 != 0,
                retain_as_published: options & 8 != 0,
                id: row.get(2)?,
            };
            Ok((row.get(0)?, subscription))
        })?;
        rows.collect()
    }

    fn queued(&self, session: i64, clock: Clock) -> rusqlite::Result<Option<Vec<StoredQueued>>> {
        let sql = "SELECT seq, options, ids, pkid, body FROM queued WHERE session = ? ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([session])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let options: u8 = row.get(1)?;
            let ids: Vec<u8> = row.get(2)?;
            let Some(message) = body::decode(row.get(4)?, clock) else { return Ok(None) };
            all.push(StoredQueued {
                seq: row.get::<_, i64>(0)? as u64,
                qos: QoS::from_bits(options & 3).unwrap_or_default(),
                retain: options & 4 != 0,
                ids: ids.chunks_exact(4).map(|id| u32::from_be_bytes([id[0], id[1], id[2], id[3]])).collect(),
                pkid: row.get(3)?,
                message,
            });
        }
        Ok(Some(all))
    }

    fn shared(&self, group: i64, clock: Clock) -> rusqlite::Result<Option<Vec<Waiting>>> {
        let sql = "SELECT seq, since, body FROM shared WHERE grp = ? ORDER BY seq";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut rows = statement.query([group])?;
        let mut all = Vec::new();
        while let Some(row) = rows.next()? {
            let Some(message) = body::decode(row.get(2)?, clock) else { return Ok(None) };
            let since = clock.to_instant(row.get::<_, i64>(1)? as u64);
            all.push(Waiting { seq: row.get::<_, i64>(0)? as u64, since, message, retained: false, blame: None });
        }
        Ok(Some(all))
    }

    fn pkids(&self, sql: &str, session: i64) -> rusqlite::Result<Vec<u16>> {
        self.connection.prepare_cached(sql)?.query_map([session], |row| row.get(0))?.collect()
    }
}
