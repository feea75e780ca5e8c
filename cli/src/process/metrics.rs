//! What `/metrics` shows: the recorder of this process, and gauges that are read when somebody looks.

use std::sync::{Arc, OnceLock};

use anyhow::Context;
use futures::future::BoxFuture;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use parking_lot::RwLock;

use super::merge::merge;

/// Upper bounds of the buckets of durations, in seconds.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

type Gather = Box<dyn Fn() -> BoxFuture<'static, Vec<(String, String)>> + Send + Sync>;
type Text = Box<dyn Fn() -> String + Send + Sync>;
type Refresh = Box<dyn Fn() + Send + Sync>;

/// The metrics of this process.
#[derive(Clone)]
pub struct Metrics {
    recorder: PrometheusHandle,
    refresh: Arc<RwLock<Vec<Refresh>>>,
    also: Arc<RwLock<Vec<Text>>>,
    gather: Arc<OnceLock<Gather>>,
}

impl Metrics {
    /// Installs the recorder. Once per process.
    ///
    /// # Errors
    /// When another recorder is installed.
    pub fn install() -> anyhow::Result<Metrics> {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &BUCKETS)
            .and_then(PrometheusBuilder::install_recorder)
            .context("cannot install the metrics recorder")?;
        Ok(Metrics { recorder, refresh: Arc::default(), also: Arc::default(), gather: Arc::default() })
    }

    /// Sets counters and gauges anew each time before they are shown.
    pub fn before_scrape(&self, refresh: impl Fn() + Send + Sync + 'static) {
        self.refresh.write().push(Box::new(refresh));
    }

    /// Shows series that come and go, which a recorder would keep: `text` writes those that there are at each scrape.
    pub fn also(&self, text: impl Fn() -> String + Send + Sync + 'static) {
        self.also.write().push(Box::new(text));
    }

    /// Shows what other processes show, too: `gather` answers the replicas' ids and their texts. Once per process.
    pub fn gather(&self, gather: impl Fn() -> BoxFuture<'static, Vec<(String, String)>> + Send + Sync + 'static) {
        drop(self.gather.set(Box::new(gather)));
    }

    /// Everything in Prometheus' text format, that of other processes included.
    pub async fn render_all(&self) -> String {
        let Some(gather) = self.gather.get() else { return self.render() };
        let others = gather().await;
        let own = self.render();
        let others = others.iter().map(|(replica, text)| (Some(replica.as_str()), text.as_str()));
        merge(std::iter::once((None, own.as_str())).chain(others))
    }

    /// Everything of this process.
    fn render(&self) -> String {
        self.refresh.read().iter().for_each(|refresh| refresh());
        self.also.read().iter().fold(self.recorder.render(), |shown, text| shown + &text())
    }
}
