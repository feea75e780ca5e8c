//! Which `mqtt-broker` nodes reach no broker.

use std::net::SocketAddr;
use std::time::Duration;

use flotilla_flows::Document;
use tokio::net::TcpStream;

use super::hints::door;

/// How long a broker may take to accept a connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// For each `mqtt-broker` node at whose address nothing listens, what to do, for people. Addresses with variables and those
/// of other schemes are left out.
pub(super) async fn unreached(document: &Document, embedded: Option<SocketAddr>) -> Vec<String> {
    let nodes = document.entries().iter().filter(|node| node.kind == "mqtt-broker" && !node.disabled);
    let asked = nodes.filter_map(|node| Some((node, door(node)?))).map(async |(node, (host, port))| {
        let connect = TcpStream::connect((host.as_str(), port));
        if matches!(tokio::time::timeout(PATIENCE, connect).await, Ok(Ok(_))) {
            return None;
        }
        let advice = match embedded {
            Some(ours) => format!("the embedded broker is at {ours}: --broker {}={ours} leads it there", node.id),
            None => format!("--broker {}=HOST:PORT leads it to another", node.id),
        };
        Some(format!(
            "mqtt-broker \"{}\" ({}) asks for {host}:{port}, where nothing listens; {advice}",
            node.name, node.id
        ))
    });
    futures::future::join_all(asked).await.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_node_whose_broker_is_away_is_named_with_what_to_do() {
        let there = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let node = |id: &str, port: u16| serde_json::json!({"id": id, "type": "mqtt-broker", "name": "plant", "broker": "127.0.0.1", "port": port.to_string()});
        let ours = there.local_addr().unwrap();
        let document =
            Document::from_value(serde_json::json!([node("a", ours.port()), node("b", away.port())])).unwrap();
        let found = unreached(&document, Some(ours)).await;
        assert_eq!(found.len(), 1);
        assert!(found[0].contains("(b)") && found[0].contains(&format!("--broker b={ours}")), "{found:?}");
    }
}
