//! What a dead replica's session holds is finished by another, on a broker that does not redispatch.

use std::sync::{Arc, Mutex};

use flotilla_nodes_network::mqtt::{Guard, Keeper, KeptSession, Parting, SessionKeeper, adopt};
use futures::future::BoxFuture;
use serde_json::json;

use super::broker::{Broker, until};
use super::flow::{broker, connected, grouped, held, node, run, take};
use super::proxy::Proxy;

#[derive(Default)]
struct Records(Mutex<Vec<KeptSession>>);

impl SessionKeeper for Records {
    fn record(&self, session: KeptSession) -> BoxFuture<'static, bool> {
        self.0.lock().unwrap().push(session);
        Box::pin(std::future::ready(true))
    }

    fn forget(&self, client_id: String) -> BoxFuture<'static, ()> {
        self.0.lock().unwrap().retain(|session| session.client_id != client_id);
        Box::pin(std::future::ready(()))
    }

    fn leave_behind(&self, session: KeptSession) -> BoxFuture<'static, ()> {
        let mut records = self.0.lock().unwrap();
        records.retain(|known| known.client_id != session.client_id);
        records.push(session);
        Box::pin(std::future::ready(()))
    }

    fn guard(&self) -> Arc<dyn Guard> {
        Arc::new(Ours)
    }

    fn parting(&self) -> Parting {
        Parting::End
    }
}

/// Nobody else wants the ClientIDs here.
#[derive(Debug)]
pub struct Ours;

impl Guard for Ours {
    fn is_current(&self) -> bool {
        true
    }

    fn until_current(&self) -> BoxFuture<'static, bool> {
        Box::pin(std::future::ready(true))
    }

    fn may_connect(&self, _taken: bool) -> BoxFuture<'static, bool> {
        Box::pin(std::future::ready(true))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survivor_finishes_what_the_session_holds() {
    let mosquitto = Broker::start();
    let proxy = Proxy::start(mosquitto.port).await;
    let collector = mosquitto.subscribe("out", 1);
    let records = Arc::new(Records::default());
    let gate = "gate-adopt";
    // The replica that will die holds everything that it gets.
    let url = format!("mqtt://me:hunter2@127.0.0.1:{}", proxy.port);
    let mut flow = vec![broker(proxy.port, 5, &json!({"url": url}))];
    flow.push(node("in", "mqtt in", &[gate], &json!({"topic": "in", "qos": "1"})));
    flow.push(node(gate, "test-gate", &[], &json!({})));
    let dead = run(grouped("r1"), flow).await;
    dead.shared().extensions().insert(Arc::new(Keeper(records.clone())));
    connected(&dead).await;
    proxy.cut();
    // The session is recorded when it connects again, since this test comes late with its keeper.
    until("the session is recorded", || !records.0.lock().unwrap().is_empty());
    connected(&dead).await;
    mosquitto.publish("in", 1, 0..300);
    until("it holds what it may", || held(gate) >= 20);
    // It dies: its connections end, and it acknowledges nothing.
    let session = records.0.lock().unwrap()[0].clone();
    assert_eq!(session.url, format!("mqtt://me@127.0.0.1:{}", proxy.port), "a record has no password");
    drop(proxy);
    dead.stop().await;
    drop(take(gate));

    let flow = vec![
        broker(mosquitto.port, 5, &json!({})),
        node("in", "mqtt in", &["out"], &json!({"topic": "in", "qos": "1"})),
        node("out", "mqtt out", &[], &json!({"topic": "out", "qos": "1"})),
    ];
    let survivor = run(grouped("r2"), flow).await;
    survivor.shared().extensions().insert(Arc::new(Keeper(records.clone())));
    connected(&survivor).await;
    let adopted = adopt(survivor.shared(), &session, Arc::new(Ours), None).await.unwrap();
    assert!(adopted.finished && adopted.messages == 300, "{adopted:?}");
    collector.expect(0..300);
    // The survivor has a session of its own by now, which stays.
    assert!(records.0.lock().unwrap().iter().all(|kept| kept.client_id != session.client_id));
    // The session is gone: adopting it again finds nothing.
    assert_eq!(adopt(survivor.shared(), &session, Arc::new(Ours), None).await.unwrap().messages, 0);
    survivor.shutdown().await;
    dead.shutdown().await;
}
