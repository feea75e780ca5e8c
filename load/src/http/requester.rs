//! A client that sends requests by the clock, one at a time.

use std::rc::Rc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONNECTION, HOST, HeaderValue};
use hyper::{HeaderMap, Request};
use memchr::memmem;
use rand::SeedableRng;
use rand::rngs::SmallRng;
use tokio::time::Instant;
use url::Url;

use super::exchange::{Answer, Exchange, Origin};
use crate::scenario::{HttpStream, Kind, Place, Stream};
use crate::shared::{Phase, Pulse, Run};
use crate::template::{Fill, Mark};

/// See the module.
pub struct Requester {
    run: Rc<Run>,
    stream: usize,
    client: usize,
    pulse: Pulse,
    random: SmallRng,
    urls: Vec<Parsed>,
    connection: Option<(Origin, Exchange)>,
    turn: u64,
    body: Vec<u8>,
}

/// A URL in the pieces that a request needs.
struct Parsed {
    origin: Origin,
    host: HeaderValue,
    target: String,
}

fn parse(name: &str) -> Option<Parsed> {
    let url = Url::parse(name).ok()?;
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str()?),
        None => url.host_str()?.to_owned(),
    };
    let target = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    Some(Parsed { origin: Origin::of(&url), host: HeaderValue::from_str(&host).ok()?, target })
}

impl Requester {
    /// A client of a stream.
    pub fn new(run: Rc<Run>, stream: usize, client: usize) -> Requester {
        let definition = &run.scenario.streams[stream];
        let seed = run.scenario.seed ^ (stream as u64) << 40 ^ client as u64;
        Requester {
            pulse: Pulse::new(&definition.pace, client),
            random: SmallRng::seed_from_u64(seed),
            urls: definition.names.iter().filter_map(|name| parse(name)).collect(),
            connection: None,
            turn: 0,
            body: Vec::new(),
            run,
            stream,
            client,
        }
    }

    /// Sends requests until the pace is over or the run drains.
    pub async fn run(mut self) {
        let mut phases = self.run.phases();
        if phases.wait_for(|phase| *phase >= Phase::Sending).await.is_err() {
            return;
        }
        let run = self.run.clone();
        // A request that was due while the one before had no answer was held up by the peer.
        let mut free_since = 0.0;
        while let Some(due) = self.pulse.due() {
            if run.phase() >= Phase::Draining {
                return;
            }
            let now = run.now();
            if due > now {
                let until = Instant::from_std(run.clock.get().at(due));
                tokio::select! {
                    () = tokio::time::sleep_until(until) => {}
                    () = idle(&mut self.connection) => {}
                    _ = phases.wait_for(|phase| *phase >= Phase::Draining) => return,
                }
                continue;
            }
            let by_clock = self.pulse.by_clock();
            let held = by_clock && due < free_since;
            if by_clock && !held {
                run.book.borrow_mut().late.record(((now - due) * 1e6) as u64);
            }
            self.pulse.pass(now);
            self.ask(if held { due } else { now }, now).await;
            free_since = run.now();
            self.pulse.answered(free_since);
        }
    }

    async fn ask(&mut self, from: f64, now: f64) {
        let run = self.run.clone();
        let definition = &run.scenario.streams[self.stream];
        let Kind::Http(http) = &definition.kind else { return };
        let (key, name) = run.keys.of(self.stream, definition, self.client, self.turn);
        self.turn += 1;
        let seq = run.book.borrow_mut().send(self.stream, key, from, now);
        let fill = Fill {
            mark: Mark { run: run.id, key, seq },
            key: run.keys.short(key),
            topic: &definition.names[name],
            client: self.client + 1,
        };
        let mut payload = Vec::new();
        definition.payload.write(&mut payload, fill, &mut self.random);
        let wanted = http.answer.as_ref().map(|template| {
            let mut text = Vec::new();
            template.write(&mut text, fill, &mut self.random);
            text
        });
        let request = self.request(definition, http, fill.mark, name, payload);
        let result = match request {
            Some(request) => {
                let asked = self.exchange(http, name, request);
                match tokio::time::timeout(http.timeout, asked).await {
                    Ok(result) => result,
                    Err(_) => Err(format!("no answer within {} s", http.timeout.as_secs_f64())),
                }
            }
            None => Err("the request cannot be built".to_owned()),
        };
        let at = run.now();
        let mut book = run.book.borrow_mut();
        let fault = match result {
            Ok(answer) => {
                let fault = check(http, wanted.as_deref(), &answer);
                self.body = answer.body;
                fault
            }
            Err(what) => {
                self.connection = None;
                Some(what)
            }
        };
        match fault {
            Some(what) => book.refuse(self.stream, key, seq, &what, at),
            None => {
                book.confirm(self.stream, key, seq, from, at);
                if http.answers {
                    book.receive(key, seq, at);
                }
            }
        }
    }

    fn request(
        &self,
        definition: &Stream,
        http: &HttpStream,
        mark: Mark,
        name: usize,
        payload: Vec<u8>,
    ) -> Option<Request<Full<Bytes>>> {
        let url = self.urls.get(name)?;
        let mut headers: HeaderMap = http.headers.clone();
        headers.entry(HOST).or_insert_with(|| url.host.clone());
        if !http.keep_alive {
            headers.insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if definition.place == Place::Property {
            let mut text = Vec::with_capacity(32);
            mark.write(&mut text);
            headers.insert("x-load", HeaderValue::from_bytes(&text).ok()?);
        }
        let mut request = Request::builder()
            .method(http.method.clone())
            .uri(&url.target)
            .body(Full::new(Bytes::from(payload)))
            .ok()?;
        *request.headers_mut() = headers;
        Some(request)
    }

    async fn exchange(
        &mut self,
        http: &HttpStream,
        name: usize,
        request: Request<Full<Bytes>>,
    ) -> Result<Answer, String> {
        let origin = &self.urls[name].origin;
        let kept = self.connection.take().filter(|(kept, connection)| kept == origin && connection.usable());
        let mut connection = match kept {
            Some((_, connection)) => connection,
            None => Exchange::open(origin, &http.tls).await.map_err(|error| error.to_string())?,
        };
        let answer =
            connection.ask(request, std::mem::take(&mut self.body)).await.map_err(|error| error.to_string())?;
        if http.keep_alive && connection.usable() {
            self.connection = Some((origin.clone(), connection));
        }
        Ok(answer)
    }
}

/// What is wrong with an answer.
fn check(http: &HttpStream, wanted: Option<&[u8]>, answer: &Answer) -> Option<String> {
    let status = answer.status.as_u16();
    let good = if http.status.is_empty() { answer.status.is_success() } else { http.status.contains(&status) };
    if !good {
        return Some(format!("status {status}"));
    }
    match wanted {
        Some(wanted) if memmem::find(&answer.body, wanted).is_none() => {
            Some("the answer's body lacks the expected text".to_owned())
        }
        _ => None,
    }
}

/// Watches an idle connection for its end.
async fn idle(connection: &mut Option<(Origin, Exchange)>) {
    match connection {
        Some((_, exchange)) => exchange.idle().await,
        None => std::future::pending().await,
    }
}
