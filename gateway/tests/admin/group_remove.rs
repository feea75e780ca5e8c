//! Removing a group that has left MQTT sessions.

use std::sync::Arc;

use flotilla_api::access::Grant;
use flotilla_api::group::SessionEnd;
use flotilla_gateway::admin::SessionEnder;
use futures::future::BoxFuture;
use parking_lot::Mutex;

use crate::place::{Place, TOKEN};

/// A broker that does not answer so many times. What is at it is recorded nowhere, as the sessions of a group itself are.
#[derive(Default)]
struct Broker {
    away: Mutex<usize>,
    asked: Mutex<usize>,
}

impl SessionEnder for Broker {
    fn end(&self, group: &str) -> BoxFuture<'static, Vec<SessionEnd>> {
        *self.asked.lock() += 1;
        let mut away = self.away.lock();
        let problem = (*away > 0).then(|| "the broker does not answer".to_owned());
        *away = away.saturating_sub(1);
        let end =
            SessionEnd { client_id: format!("flotilla-{group}-b-single"), broker: "mqtt://plant".to_owned(), problem };
        Box::pin(std::future::ready(vec![end]))
    }
}

#[tokio::test]
async fn a_group_is_removed_again_until_its_own_sessions_have_ended() {
    let broker = Arc::new(Broker { away: Mutex::new(2), ..Broker::default() });
    let place = Place::start_ending(broker.clone()).await;
    place.user("ann", &["owner:other"], None).await;
    let remove = async || place.ask("DELETE", "/api/v1/groups/other", TOKEN, "{}").await;
    for turn in 1..=2 {
        let removed = remove().await;
        assert_eq!(removed.status, 200, "turn {turn}: {removed:?}");
        assert_eq!(removed.body["sessions"][0]["problem"], "the broker does not answer", "turn {turn}");
        let shown = place.ask("GET", "/api/v1/groups/other", TOKEN, "").await;
        assert_eq!(shown.status, 404, "the group is gone: {shown:?}");
    }
    let removed = remove().await;
    assert_eq!((removed.status, &removed.body["sessions"][0]["problem"]), (200, &serde_json::Value::Null));
    let nothing = remove().await;
    assert_eq!((nothing.status, *broker.asked.lock()), (404, 3), "there is nothing any more: {nothing:?}");
    let ann = place.accounts.users().get("ann").await.unwrap();
    assert!(!ann.grants.contains(&"owner:other".parse::<Grant>().unwrap()), "{:?}", ann.grants);
}

#[tokio::test]
async fn a_group_that_is_made_again_owes_nothing_of_the_one_before() {
    let broker = Arc::new(Broker { away: Mutex::new(1), ..Broker::default() });
    let place = Place::start_ending(broker.clone()).await;
    let remove = async || place.ask("DELETE", "/api/v1/groups/other", TOKEN, "{}").await;
    assert_eq!(remove().await.status, 200);
    place.group("other", false).await;
    let removed = remove().await;
    assert_eq!((removed.status, *broker.asked.lock()), (200, 2), "{removed:?}");
    assert_eq!(remove().await.status, 404);
}
