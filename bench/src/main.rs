//! Load generator and side-by-side comparisons. Every comparison measures both sides in one run and prints the ratio.

mod all;
mod broker;
mod function;
mod http_path;
mod load;
mod machine;
mod mqtt_path;
mod peer;
mod report;
mod store;

use clap::{Parser, Subcommand};

/// The allocator of the product.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures Flotilla beside its peers, on this machine, in one run.
///
/// Build the binary first: cargo build --profile dist -p flotilla -p flotilla-bench. Needed on the PATH: node and npm (Node-RED is installed
/// by npm below target/bench), mosquitto.
#[derive(Parser)]
#[command(name = "flotilla-bench")]
struct Bench {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Everything below and more in one run, written to bench/RESULTS.md with charts
    All(all::AllArgs),
    /// The bare limit of the MQTT path, as a process
    #[command(hide = true)]
    Echo(all::EchoArgs),
    /// The bare limit of the HTTP path, as a process
    #[command(hide = true)]
    Hyper(all::HyperArgs),
    /// The broker beside Mosquitto: QoS 0, 1 and 2 one to one, and 4 publishers to a share group of 3
    Broker(broker::BrokerArgs),
    /// mqtt in -> change -> function -> mqtt out at QoS 1 through Mosquitto, as a stream and as a backlog: one replica beside
    /// one Node-RED
    MqttPath(mqtt_path::MqttPathArgs),
    /// http in -> change -> http response: one replica beside one Node-RED
    HttpPath(http_path::HttpPathArgs),
    /// A message through a function node: the engine beside Node's vm module
    Function(function::FunctionArgs),
    /// Fenced writes, reads, increments and watches of the stores, from one and several processes
    Store(store::StoreArgs),
}

fn main() -> anyhow::Result<()> {
    let bench = Bench::parse();
    machine::print();
    match bench.what {
        What::All(args) => all::run(&args),
        What::Echo(args) => all::echo(&args),
        What::Hyper(args) => all::hyper(&args),
        What::Broker(args) => broker::run(&args),
        What::MqttPath(args) => mqtt_path::run(&args),
        What::HttpPath(args) => http_path::run(&args),
        What::Function(args) => function::run(&args),
        What::Store(args) => store::run(&args),
    }
}
