//! Checks of passwords: few at a time, and later and later after wrong ones.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use flotilla_api::Problem;
use flotilla_group::accounts::{Accounts, UserRecord};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::problem::Failure;

/// So many passwords are checked at once: each takes 19 MiB and tens of milliseconds of a processor.
const AT_ONCE: usize = 2;
/// So many wait for that; those beyond are told to come back.
const WAITING: usize = 32;
/// So many wrong passwords in a row cost nothing.
const FREE: u32 = 5;
/// The first wait after that; it doubles with each wrong one.
const FIRST: Duration = Duration::from_secs(2);
/// And ends here.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Wrong ones are forgotten after this.
const FORGOTTEN: Duration = Duration::from_secs(60 * 60);
/// So many names and addresses are told apart.
const MOST: usize = 10_000;
/// How often wrong logins for a name are written into the audit log.
const WRITTEN: Duration = Duration::from_secs(60);

/// Checks passwords for the whole admin API.
pub(super) struct Logins {
    /// Those who wait and those whose turn it is.
    places: Semaphore,
    turns: Semaphore,
    wrong: Mutex<HashMap<Key, Wrong>>,
    written: Mutex<HashMap<String, Instant>>,
}

/// Whose wrong passwords are counted. An address may try more names than a name's owner makes mistakes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    User(String),
    Address(IpAddr),
}

#[derive(Clone, Copy, Debug)]
struct Wrong {
    times: u32,
    last: Instant,
}

fn keys(user: &str, address: Option<IpAddr>) -> Vec<Key> {
    let name = user.chars().take(64).collect();
    std::iter::once(Key::User(name)).chain(address.map(Key::Address)).collect()
}

impl Default for Logins {
    fn default() -> Logins {
        metrics::describe_counter!("flotilla_admin_logins_total", "Logins with a password, by result");
        Logins {
            places: Semaphore::new(AT_ONCE + WAITING),
            turns: Semaphore::new(AT_ONCE),
            wrong: Mutex::default(),
            written: Mutex::default(),
        }
    }
}

impl Logins {
    /// The user whose password this is.
    ///
    /// # Errors
    /// `wrong_login` (401), or `slow_down` (429) with `Retry-After`: after wrong ones, or while many are checked.
    pub(super) async fn password(
        &self,
        accounts: &Accounts,
        user: &str,
        password: String,
        address: Option<IpAddr>,
    ) -> Result<UserRecord, Failure> {
        self.check(user, address)?;
        let keys = keys(user, address);
        let busy = || slow_down(Duration::from_secs(1), "many passwords are being checked");
        let _place = self.places.try_acquire().map_err(|_| busy())?;
        let _turn = self.turns.acquire().await.map_err(|_| busy())?;
        let found = accounts.by_password(user, password).await?;
        let result = if found.is_some() { "done" } else { "wrong" };
        metrics::counter!("flotilla_admin_logins_total", "result" => result).increment(1);
        match found {
            Some(user) => {
                self.forget(&keys[0]);
                Ok(user)
            }
            None => {
                self.note(&keys, Instant::now());
                Err(Problem::new(401, "wrong_login", "the user name or the password is wrong").into())
            }
        }
    }

    /// Refuses who has to wait after wrong passwords.
    pub(super) fn check(&self, user: &str, address: Option<IpAddr>) -> Result<(), Problem> {
        self.locked_out(&keys(user, address), Instant::now())
    }

    /// Whether a wrong login for this name is to be written into the audit log.
    pub(super) fn is_to_be_written(&self, user: &str) -> bool {
        let (mut written, now) = (self.written.lock(), Instant::now());
        written.retain(|_, at| now.duration_since(*at) < WRITTEN);
        let name: String = user.chars().take(64).collect();
        written.len() < MOST && written.insert(name, now).is_none()
    }

    fn locked_out(&self, keys: &[Key], now: Instant) -> Result<(), Problem> {
        let wrong = self.wrong.lock();
        let left = keys.iter().filter_map(|key| {
            let wrong = wrong.get(key)?;
            wait(wrong.times, key).checked_sub(now.duration_since(wrong.last)).filter(|left| !left.is_zero())
        });
        match left.max() {
            Some(left) => Err(slow_down(left, "too many wrong passwords")),
            None => Ok(()),
        }
    }

    fn note(&self, keys: &[Key], now: Instant) {
        let mut wrong = self.wrong.lock();
        if wrong.len() + keys.len() > MOST {
            wrong.retain(|_, wrong| now.duration_since(wrong.last) < FORGOTTEN);
        }
        for key in keys {
            if wrong.len() >= MOST && !wrong.contains_key(key) {
                continue;
            }
            let entry = wrong.entry(key.clone()).or_insert(Wrong { times: 0, last: now });
            let old = now.duration_since(entry.last) >= FORGOTTEN;
            *entry = Wrong { times: if old { 1 } else { entry.times.saturating_add(1) }, last: now };
        }
    }

    fn forget(&self, key: &Key) {
        self.wrong.lock().remove(key);
    }
}

/// How long after the last of so many wrong ones nobody may try.
fn wait(times: u32, key: &Key) -> Duration {
    let free = match key {
        Key::User(_) => FREE,
        Key::Address(_) => FREE * 4,
    };
    match times.checked_sub(free) {
        None => Duration::ZERO,
        Some(over) => FIRST.saturating_mul(1 << over.min(16)).min(LONGEST),
    }
}

fn slow_down(left: Duration, why: &str) -> Problem {
    let seconds = left.as_secs().max(1);
    Problem::new(429, "slow_down", format!("{why}: try again in {seconds} s")).retry_after(seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_wrong_again_and_again_waits_longer_and_longer() {
        let (logins, start) = (Logins::default(), Instant::now());
        let keys = [Key::User("ann".to_owned())];
        let at = |seconds| start + Duration::from_secs(seconds);
        for _ in 0..4 {
            logins.note(&keys, start);
            assert!(logins.locked_out(&keys, start).is_ok());
        }
        logins.note(&keys, start);
        let problem = logins.locked_out(&keys, start).unwrap_err();
        assert_eq!((problem.status, &*problem.code, problem.retry_after_s.unwrap().get()), (429, "slow_down", 2));
        assert!(logins.locked_out(&keys, at(2)).is_ok());
        logins.note(&keys, at(2));
        assert!(logins.locked_out(&keys, at(5)).is_err() && logins.locked_out(&keys, at(6)).is_ok());
        assert!(logins.locked_out(&[Key::User("bob".to_owned())], start).is_ok(), "others are not concerned");
        for _ in 0..30 {
            logins.note(&keys, at(6));
        }
        assert!(logins.locked_out(&keys, at(6 + 899)).is_err() && logins.locked_out(&keys, at(6 + 900)).is_ok());
        logins.forget(&keys[0]);
        assert!(logins.locked_out(&keys, at(7)).is_ok());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let (logins, start) = (Logins::default(), Instant::now());
        for number in 0..MOST + 10 {
            logins.note(&[Key::User(number.to_string())], start);
        }
        assert_eq!(logins.wrong.lock().len(), MOST);
        logins.note(&[Key::User("later".to_owned())], start + FORGOTTEN);
        assert_eq!(logins.wrong.lock().len(), 1);
    }
}
