//! The front of what specs reach over HTTP: `/comms` is answered here, every other connection goes to the flow's server.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use flotilla_tasks::{Handle, Task};
use futures::{SinkExt, StreamExt};
use parking_lot::Mutex;
use serde_json::{Value as Json, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::tungstenite::Message;

use flotilla_value::{Value, to_json};

/// Debug messages waiting for one reader; a slower one loses the oldest, as a sidebar may.
const BACKLOG: usize = 1024;

/// Node-RED's channel gathers what is published for this long, and at most so many at a time.
const GATHER: Duration = Duration::from_millis(50);
const AT_ONCE: usize = 50;

/// Where the flow's own HTTP server listens. Whoever starts that server puts this into the engine's extensions.
pub struct FlowHttp(pub SocketAddr);

/// The editor's channel, as far as specs use it: published topics go to whoever listens.
pub(super) struct Comms {
    topics: broadcast::Sender<Json>,
}

impl Default for Comms {
    fn default() -> Comms {
        Comms { topics: broadcast::channel(BACKLOG).0 }
    }
}

impl Comms {
    /// Publishes data under a topic.
    pub(super) fn publish(&self, topic: &str, data: &Value) {
        let _ = self.topics.send(json!({"topic": topic, "data": to_json(data)}));
    }
}

/// The front, while it is on.
#[derive(Default)]
pub(super) struct Front {
    task: Mutex<Option<Handle<()>>>,
}

impl Front {
    /// Listens on a free port of the loopback address.
    pub(super) async fn on(
        &self,
        comms: Arc<Comms>,
        flow: impl Fn() -> Option<SocketAddr> + Send + Sync + 'static,
    ) -> std::io::Result<String> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let task = supervised("testhost listener").spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (comms, flow) = (comms.clone(), flow());
                supervised("testhost connection").spawn(async move {
                    if is_comms(&stream).await {
                        serve_comms(stream, &comms).await;
                    } else if let Some(flow) = flow {
                        forward(stream, flow).await;
                    }
                });
            }
        });
        let before = self.task.lock().replace(task);
        if let Some(before) = before {
            before.abort();
        }
        Ok(url)
    }

    /// Stops listening.
    pub(super) fn off(&self) {
        let task = self.task.lock().take();
        if let Some(task) = task {
            task.abort();
        }
    }
}

fn supervised(name: &'static str) -> Task {
    Task {
        name,
        owner: "testhost".into(),
        ends: "the front is switched off, or the connection closed",
        failure: "the specification that runs fails",
    }
}

async fn is_comms(stream: &TcpStream) -> bool {
    const START: &[u8] = b"GET /comms";
    let mut start = [0; START.len()];
    loop {
        match stream.peek(&mut start).await {
            Ok(n) if n == START.len() => return start == *START,
            // Too few bytes yet: wait for more, unless they already differ.
            Ok(n) if n > 0 && START.starts_with(&start[..n]) => tokio::task::yield_now().await,
            _ => return false,
        }
    }
}

async fn forward(mut stream: TcpStream, flow: SocketAddr) {
    let Ok(mut server) = TcpStream::connect(flow).await else { return };
    let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
}

async fn serve_comms(stream: TcpStream, comms: &Comms) {
    let mut topics = comms.topics.subscribe();
    let Ok(mut socket) = tokio_tungstenite::accept_async(stream).await else { return };
    loop {
        tokio::select! {
            first = topics.recv() => match first {
                Ok(first) => {
                    tokio::time::sleep(GATHER).await;
                    let mut gathered = vec![first];
                    while let (true, Ok(next)) = (gathered.len() < AT_ONCE, topics.try_recv()) {
                        gathered.push(next);
                    }
                    if socket.send(Message::text(Json::Array(gathered).to_string())).await.is_err() {
                        return;
                    }
                }
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return,
            },
            heard = socket.next() => if !matches!(heard, Some(Ok(_))) { return },
        }
    }
}
