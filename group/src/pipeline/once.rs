//! Runs that are begun once for something: a webhook that is sent again begins no second one.

use std::time::Duration;

use flotilla_api::pipeline::Run;
use flotilla_store::{Entry, Expect, Write};
use serde::{Deserialize, Serialize};

use super::runs::{KEPT, Runs};
use crate::error::GroupError;
use crate::keys;

/// For how long it is known for what a run was begun.
const ONCE: Duration = Duration::from_secs(30 * 24 * 3600);

/// What is known of it. Records of 0.1.0 are the number alone, which reads as `Begun`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Record {
    /// The run has this number.
    Begun(u64),
    /// This is to be the run: whoever claimed it may have died before it wrote it.
    Begins(Box<Run>),
}

impl Runs {
    /// The run that was begun for the same; `None`: there is none.
    pub(super) async fn first_for(&self, once: &str) -> Result<Option<Run>, GroupError> {
        keys::check("once", once)?;
        match self.store.get(&keys::pipeline_once(&self.pipeline, once)).await? {
            Some(entry) => self.finish(&entry).await.map(Some),
            None => Ok(None),
        }
    }

    /// Begins a run, unless another one was begun for the same: that is answered. The claim has the whole run, so that it is
    /// begun by somebody else when this process dies behind the claim.
    pub(super) async fn begin_once(&self, once: &str, run: &Run) -> Result<Run, GroupError> {
        let key = keys::pipeline_once(&self.pipeline, once);
        let claim = Some(keys::encode(&Record::Begins(Box::new(run.clone()))));
        self.store.cas(&key, Expect::Absent, claim, Write::expiring(ONCE)).await?;
        match self.first_for(once).await? {
            Some(first) => Ok(first),
            None => Err(GroupError::Busy { group: self.pipeline.clone() }),
        }
    }

    /// Begins what was claimed by a process that died before it began it.
    ///
    /// # Errors
    /// What the store said.
    pub async fn finish_claims(&self) -> Result<(), GroupError> {
        for entry in self.store.list(&keys::pipeline_onces(&self.pipeline)).await? {
            if matches!(keys::read("for what a run was begun", &entry)?, Record::Begins(_)) {
                let run = self.finish(&entry).await?;
                tracing::info!(pipeline = self.pipeline, run = run.number, "a run begins that was claimed before");
            }
        }
        Ok(())
    }

    /// The run of a record; one that is not there yet is begun.
    async fn finish(&self, entry: &Entry) -> Result<Run, GroupError> {
        let run = match keys::read("for what a run was begun", entry)? {
            Record::Begun(number) => return Ok(self.get(number).await?.0),
            Record::Begins(run) => *run,
        };
        let key = keys::pipeline_run(&self.pipeline, run.number);
        let forgotten = self.list().await?.last().is_some_and(|last| last.number >= run.number + KEPT as u64);
        if !forgotten && self.store.get(&key).await?.is_none() {
            self.store.cas(&key, Expect::Absent, Some(keys::encode(&run)), Write::default()).await?;
        }
        let begun = Some(keys::encode(&Record::Begun(run.number)));
        self.store.cas(&entry.key, Expect::Version(entry.version), begun, Write::expiring(ONCE)).await?;
        Ok(self.get(run.number).await?.0)
    }
}

#[cfg(test)]
mod tests {
    use flotilla_api::pipeline::{NewRun, PipelineSpec, StageSpec};

    use super::*;
    use crate::test_store;

    #[tokio::test]
    async fn a_run_that_was_claimed_begins_although_who_claimed_it_died() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let stage =
            |name: &str| StageSpec { name: name.to_owned(), group: Some(name.to_owned()), ..StageSpec::default() };
        let spec =
            PipelineSpec { name: "p".to_owned(), stages: vec![stage("a"), stage("b")], ..PipelineSpec::default() };
        let runs = Runs::new(store.clone(), "p").unwrap();
        let new = NewRun { once: Some("push-1".to_owned()), ..NewRun::default() };
        let first = runs.begin(&spec, &new, "ada").await.unwrap();
        assert_eq!(runs.begin(&spec, &new, "bob").await.unwrap(), first);

        // What is there when a process dies between the claim and the run.
        let claimed = Run { number: 2, ..first.clone() };
        let claim = keys::encode(&Record::Begins(Box::new(claimed.clone())));
        store.set(&keys::pipeline_once("p", "push-2"), claim.clone(), Write::expiring(ONCE)).await.unwrap();
        store.incr(&keys::pipeline_count("p"), 1.0).await.unwrap();
        let again = NewRun { once: Some("push-2".to_owned()), ..NewRun::default() };
        assert_eq!(runs.begin(&spec, &again, "ada").await.unwrap(), claimed);
        assert_eq!(runs.list().await.unwrap(), [first.clone(), claimed.clone()]);

        // Nobody asks again: a gateway begins it.
        store.delete(&keys::pipeline_run("p", 2), None).await.unwrap();
        store.set(&keys::pipeline_once("p", "push-2"), claim, Write::expiring(ONCE)).await.unwrap();
        runs.finish_claims().await.unwrap();
        runs.finish_claims().await.unwrap();
        assert_eq!(runs.list().await.unwrap(), [first, claimed]);
        let old = bytes::Bytes::from_static(b"1");
        store.set(&keys::pipeline_once("p", "of-0.1.0"), old, Write::default()).await.unwrap();
        assert_eq!(runs.first_for("of-0.1.0").await.unwrap().unwrap().number, 1);
    }
}
