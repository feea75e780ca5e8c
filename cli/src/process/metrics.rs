//! What `/metrics` shows: the recorder of this process, and gauges that are read when somebody looks.

use std::sync::{Arc, OnceLock};

use anyhow::Context;
use futures::future::BoxFuture;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use parking_lot::RwLock;

use super::merge::merge;

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
        let recorder = PrometheusBuilder::new().install_recorder().context("cannot install the metrics recorder")?;
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
