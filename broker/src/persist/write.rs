//! Writes one batch in one transaction.

use rusqlite::{Transaction, params};
use rustc_hash::FxHashMap;

use super::{Clock, Op, Store, body};
use crate::session::Subscription;

impl Store {
    /// Writes all of `ops` in one transaction, which is on disk when this returns.
    pub fn commit(&mut self, ops: &[Op], clock: Clock) -> rusqlite::Result<()> {
        let needless = needless(ops);
        let transaction = self.connection.transaction()?;
        for (op, needless) in ops.iter().zip(needless) {
            if !needless {
                apply(&transaction, op, clock)?;
            }
        }
        transaction.commit()
    }
}

/// Marks messages that came and went since the last commit: most of them, when subscribers keep up.
fn needless(ops: &[Op]) -> Vec<bool> {
    let mut needless = vec![false; ops.len()];
    let mut put: FxHashMap<(bool, u64, u64), usize> = FxHashMap::default();
    for (at, op) in ops.iter().enumerate() {
        match op {
            Op::PutShared { group, seq, .. } => {
                put.insert((true, *group, *seq), at);
            }
            Op::PutQueued { session, seq, .. } => {
                put.insert((false, *session, *seq), at);
            }
            Op::DropShared { group, seq } => cancel(&mut put, (true, *group, *seq), at, &mut needless),
            Op::DropQueued { session, seq } => cancel(&mut put, (false, *session, *seq), at, &mut needless),
            _ => {}
        }
    }
    needless
}

fn cancel(put: &mut FxHashMap<(bool, u64, u64), usize>, key: (bool, u64, u64), at: usize, needless: &mut [bool]) {
    if let Some(earlier) = put.remove(&key) {
        needless[earlier] = true;
        needless[at] = true;
    }
}

fn apply(to: &Transaction<'_>, op: &Op, clock: Clock) -> rusqlite::Result<()> {
    match op {
        Op::PutSession { key, id, expiry, away_since, user } => to
            .prepare_cached("INSERT OR REPLACE INTO sessions VALUES (?, ?, ?, ?, ?)")?
            .execute(params![int(*key), &**id, expiry, away_since.map(int), user.as_deref()]),
        Op::DropSession { key } => {
            for table in ["subscriptions", "queued", "received", "released"] {
                to.prepare_cached(&format!("DELETE FROM {table} WHERE session = ?"))?.execute([int(*key)])?;
            }
            to.prepare_cached("DELETE FROM sessions WHERE key = ?")?.execute([int(*key)])
        }
        Op::PutSubscription { session, filter, options } => to
            .prepare_cached("INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?, ?)")?
            .execute(params![int(*session), &**filter, pack(*options), options.id]),
        Op::DropSubscription { session, filter } => to
            .prepare_cached("DELETE FROM subscriptions WHERE session = ? AND filter = ?")?
            .execute(params![int(*session), &**filter]),
        Op::PutRetained { message } => to
            .prepare_cached("INSERT OR REPLACE INTO retained VALUES (?, ?)")?
            .execute(params![&*message.topic, body::encode(message, clock)]),
        Op::DropRetained { topic } => to.prepare_cached("DELETE FROM retained WHERE topic = ?")?.execute([&**topic]),
        Op::PutGroup { key, name, filter } => to
            .prepare_cached("INSERT OR REPLACE INTO groups VALUES (?, ?, ?)")?
            .execute(params![int(*key), &**name, &**filter]),
        Op::DropGroup { key } => {
            to.prepare_cached("DELETE FROM shared WHERE grp = ?")?.execute([int(*key)])?;
            to.prepare_cached("DELETE FROM groups WHERE key = ?")?.execute([int(*key)])
        }
        Op::PutShared { group, seq, since, message } => to
            .prepare_cached("INSERT OR REPLACE INTO shared VALUES (?, ?, ?, ?)")?
            .execute(params![int(*group), int(*seq), int(*since), body::encode(message, clock)]),
        Op::DropShared { group, seq } => {
            to.prepare_cached("DELETE FROM shared WHERE grp = ? AND seq = ?")?.execute([int(*group), int(*seq)])
        }
        Op::PutQueued { session, seq, qos, retain, ids, message } => {
            let ids: Vec<u8> = ids.iter().flat_map(|id| id.to_be_bytes()).collect();
            let options = *qos as u8 | u8::from(*retain) << 2;
            to.prepare_cached("INSERT OR REPLACE INTO queued VALUES (?, ?, ?, ?, NULL, ?)")?.execute(params![
                int(*session),
                int(*seq),
                options,
                ids,
                body::encode(message, clock)
            ])
        }
        Op::DropQueued { session, seq } => {
            to.prepare_cached("DELETE FROM queued WHERE session = ? AND seq = ?")?.execute([int(*session), int(*seq)])
        }
        Op::SetPacketId { session, seq, pkid } => to
            .prepare_cached("UPDATE queued SET pkid = ? WHERE session = ? AND seq = ?")?
            .execute(params![pkid, int(*session), int(*seq)]),
        Op::PutReceived { session, pkid } => id(to, "INSERT OR REPLACE INTO received VALUES (?, ?)", *session, *pkid),
        Op::DropReceived { session, pkid } => {
            id(to, "DELETE FROM received WHERE session = ? AND pkid = ?", *session, *pkid)
        }
        Op::PutReleased { session, pkid } => id(to, "INSERT OR REPLACE INTO released VALUES (?, ?)", *session, *pkid),
        Op::DropReleased { session, pkid } => {
            id(to, "DELETE FROM released WHERE session = ? AND pkid = ?", *session, *pkid)
        }
    }?;
    Ok(())
}

fn id(to: &Transaction<'_>, sql: &str, session: u64, pkid: u16) -> rusqlite::Result<usize> {
    to.prepare_cached(sql)?.execute(params![int(session), pkid])
}

/// SQLite's integers have a sign; ours never get so high.
fn int(value: u64) -> i64 {
    value as i64
}

fn pack(options: Subscription) -> u8 {
    options.qos as u8 | u8::from(options.no_local) << 2 | u8::from(options.retain_as_published) << 3
}
