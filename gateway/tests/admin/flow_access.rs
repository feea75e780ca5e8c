//! Paths of flows that ask for a credential.

use std::sync::Arc;
use std::time::Duration;

use flotilla_api::access::Access;
use flotilla_gateway::balancer::{Balancer, BalancerConfig, Callers, Deadlines, Meters, Pool, Protection};

use crate::place::{Place, ask_at};

#[tokio::test]
async fn a_protected_path_takes_tokens_that_may_call_flows() {
    let place = Place::start().await;
    place.user("machine", &["endpoint:g"], None).await;
    place.user("stranger", &["endpoint:other"], None).await;
    place.user("ann", &["owner:g"], None).await;
    let (id, machine) = place.token("machine", Access::Write, &[]).await;
    let (_, stranger) = place.token("stranger", Access::Write, &[]).await;
    let (_, call) = place.token("ann", Access::Call, &[]).await;
    let (_, read) = place.token("ann", Access::Read, &[]).await;
    let protection = Protection { protect: vec!["/orders/*".to_owned()], open: vec!["/orders/health".to_owned()] };
    let config = BalancerConfig {
        misses: Arc::default(),
        listen: "127.0.0.1:0".parse().unwrap(),
        deadlines: Deadlines { failfast: Duration::ZERO, ..Deadlines::default() },
        trusted: Vec::new(),
        max_connections: 100,
        tls: None,
        callers: Some(Arc::new(Callers::new(protection, place.accounts.clone(), "g"))),
    };
    let balancer = Balancer::start(config, Pool::new(Balancer::threads()), Arc::new(Meters::default())).unwrap();
    let ask = async |method: &str, path: &str, token: &str| {
        ask_at(balancer.address(), method, path, token, "", "").await.status
    };
    // No replica runs: who is let in hears 503.
    for (path, token, status) in [
        ("/orders/1", "", 401),
        ("/orders/1", "flo_0123456789abcdef_0123456789012345678901234567890123456789012", 401),
        ("/orders/1", machine.as_str(), 503),
        ("/orders/1", call.as_str(), 503),
        ("/orders/1", read.as_str(), 403),
        ("/orders/1", stranger.as_str(), 403),
        ("/ORDERS/1", "", 401),
        ("/orders/health", "", 503),
        ("/other", "", 503),
    ] {
        assert_eq!(ask("GET", path, token).await, status, "{path} {token}");
    }
    assert_eq!(ask("OPTIONS", "/orders/1", "").await, 503, "a preflight shows none");
    place.accounts.tokens().revoke(&id).await.unwrap();
    let refused = async {
        while ask("GET", "/orders/1", &machine).await != 401 {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), refused).await.expect("a revoked token is refused soon");
}
