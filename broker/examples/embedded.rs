//! A broker inside another program. Settings as JSON in the first argument:
//! `cargo run -p flotilla-broker --example embedded '{"listen": "127.0.0.1:1883"}'`

use std::time::Duration;

use flotilla_broker::{Broker, Config};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let config: Config = match std::env::args().nth(1) {
        Some(json) => serde_json::from_str(&json)?,
        None => Config::default(),
    };
    let broker = Broker::start(config).await?;
    eprintln!("listens on {}", broker.tcp_addr());
    tokio::signal::ctrl_c().await?;
    broker.shutdown(Duration::from_secs(5)).await;
    Ok(())
}
