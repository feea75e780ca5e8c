//! A webhook's receiver: which alerts came, and their ends.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::ensure;
use flotilla_api::alert::{Alert, AlertKind};

use crate::wait::eventually;

/// How long an alert, or its end, is waited for.
const SOON: Duration = Duration::from_secs(60);
/// How long an alert may take to end: a replica that was killed five times within a minute is held down for one before its place is
/// filled.
const ENDS: Duration = Duration::from_secs(90);

/// A head and a body.
type Post = (String, String);

/// A webhook's receiver. It refuses the first requests, as many as it is told to.
pub struct AlertReceiver {
    address: SocketAddr,
    taken: Arc<Mutex<Vec<Post>>>,
    refused: Arc<AtomicUsize>,
}

/// One request, whole; `None` when it is cut off.
fn read(stream: &mut TcpStream) -> Option<Post> {
    // The next connection waits for this one.
    stream.set_read_timeout(Some(Duration::from_secs(10))).ok()?;
    let (mut all, mut buffer) = (Vec::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).ok().filter(|read| *read > 0)?;
        all.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&all).into_owned();
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let lower = head.to_lowercase();
        let length = lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next()?.trim().parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Some((head.to_owned(), body.to_owned()));
        }
    }
}

impl AlertReceiver {
    /// Listens on a port of its own; so many of the first requests are refused.
    pub fn start(refuses: usize) -> anyhow::Result<AlertReceiver> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let (taken, refused) = (Arc::<Mutex<Vec<Post>>>::default(), Arc::new(AtomicUsize::new(0)));
        let (sink, count) = (taken.clone(), refused.clone());
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let Some(post) = read(&mut stream) else { continue };
                let status = if count.load(Ordering::SeqCst) < refuses {
                    count.fetch_add(1, Ordering::SeqCst);
                    "500 Not Now"
                } else {
                    sink.lock().expect("no panic while taking").push(post);
                    "204 Taken"
                };
                let head = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(head.as_bytes());
            }
        });
        Ok(AlertReceiver { address, taken, refused })
    }

    /// Where alerts are to be sent.
    pub fn url(&self) -> String {
        format!("http://{}/alerts", self.address)
    }

    /// What was taken: each head and body.
    pub fn posts(&self) -> Vec<Post> {
        self.taken.lock().expect("no panic while taking").clone()
    }

    /// How many requests were refused.
    pub fn refused(&self) -> usize {
        self.refused.load(Ordering::SeqCst)
    }

    /// The alerts that came, and their ends; tests of the way are none.
    pub fn alerts(&self) -> Vec<Alert> {
        let alerts = self.posts().into_iter().map(|(_, body)| serde_json::from_str::<Alert>(&body));
        alerts.map(|alert| alert.expect("an alert")).filter(|alert| !alert.test).collect()
    }

    /// Waits until an alert of this kind has come; its end, too, when that is asked for.
    pub fn wait(&self, kind: AlertKind, ended: bool) -> anyhow::Result<Alert> {
        let what = format!("{kind} {}", if ended { "to end" } else { "to be raised" });
        let is_it = |alert: &Alert| alert.kind == kind && alert.ended_ms.is_some() == ended;
        eventually(&what, SOON, || self.alerts().into_iter().find(is_it))
    }

    /// Waits until each of these kinds has come and each alert that came has ended. Each has to come once and then its end once.
    pub fn check(&self, kinds: &[AlertKind]) -> anyhow::Result<()> {
        for kind in kinds {
            self.wait(*kind, false)?;
        }
        let seen = || {
            let mut seen: BTreeMap<(AlertKind, String), Vec<bool>> = BTreeMap::new();
            for alert in self.alerts() {
                seen.entry((alert.kind, alert.id)).or_default().push(alert.ended_ms.is_some());
            }
            seen
        };
        let over = || seen().values().all(|order| order.last() == Some(&true)).then_some(());
        if let Err(error) = eventually("every alert to end", ENDS, over) {
            anyhow::bail!("{error}: {:?}", seen());
        }
        for (alert, order) in seen() {
            ensure!(order == [false, true], "{alert:?} came so: {order:?} (false: raised, true: ended)");
        }
        Ok(())
    }
}
