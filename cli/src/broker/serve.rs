//! The broker as a process of its own.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use flotilla_broker::Broker;
use flotilla_tasks::Task;

use super::args::ServeArgs;
use super::status;
use crate::process::{Metrics, Ops, Readiness, Shutdown};

/// How long connections have to take what waits for them at the end.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// How often the disk is asked after.
const LOOK: Duration = Duration::from_secs(1);

/// Runs the broker until SIGTERM or SIGINT.
pub async fn run(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let mut signals = Shutdown::listen()?;
    let readiness = Readiness::new("persist", "the disk was not looked at yet");
    let (metrics, listen) = (Metrics::install()?, args.ops);
    let broker = Broker::start(args.into_config()).await.context("cannot start the broker")?;
    let view = broker.view();
    metrics.also(move || view.group_metrics());
    let ops = Ops::start(listen, readiness.clone(), metrics, status::routes(broker.view())).await?;
    let (view, told) = (broker.view(), readiness.clone());
    let task = Task {
        name: "disk watch",
        owner: "broker".into(),
        ends: "the broker stops",
        failure: "/readyz does not show trouble with the disk any more",
    };
    let disk = task.spawn(async move {
        loop {
            match view.disk_trouble() {
                Some(why) => told.waiting("persist", why),
                None => told.ready("persist"),
            }
            tokio::time::sleep(LOOK).await;
        }
    });
    tracing::info!(mqtt = %broker.tcp_addr(), ops = %ops.address(), "broker serves");
    signals.next().await;
    disk.abort();
    readiness.waiting("broker", "it stops");
    tokio::select! {
        () = broker.shutdown(SHUTDOWN) => {}
        () = signals.next() => {}
    }
    Ok(ExitCode::SUCCESS)
}
