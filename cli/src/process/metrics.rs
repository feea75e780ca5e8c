//! What `/metrics` shows: the recorder of this process, and gauges that are read when somebody looks.

use std::sync::Arc;

use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use parking_lot::RwLock;

type Text = Box<dyn Fn() -> String + Send + Sync>;
type Refresh = Box<dyn Fn() + Send + Sync>;

/// The metrics of this process.
#[derive(Clone)]
pub struct Metrics {
    recorder: PrometheusHandle,
    refresh: Arc<RwLock<Vec<Refresh>>>,
    also: Arc<RwLock<Vec<Text>>>,
}

impl Metrics {
    /// Installs the recorder. Once per process.
    ///
    /// # Errors
    /// When another recorder is installed.
    pub fn install() -> anyhow::Result<Metrics> {
        let recorder = PrometheusBuilder::new().install_recorder().context("cannot install the metrics recorder")?;
        Ok(Metrics { recorder, refresh: Arc::default(), also: Arc::default() })
    }

    /// Sets counters and gauges anew each time before they are shown.
    pub fn before_scrape(&self, refresh: impl Fn() + Send + Sync + 'static) {
        self.refresh.write().push(Box::new(refresh));
    }

    /// Shows series that come and go, which a recorder would keep: `text` writes those that there are at each scrape.
    pub fn also(&self, text: impl Fn() -> String + Send + Sync + 'static) {
        self.also.write().push(Box::new(text));
    }

    /// Everything in Prometheus' text format.
    pub fn render(&self) -> String {
        self.refresh.read().iter().for_each(|refresh| refresh());
        self.also.read().iter().fold(self.recorder.render(), |shown, text| shown + &text())
    }
}
