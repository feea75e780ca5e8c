//! What the groups of other installations are reached with, in the store.

use std::collections::BTreeMap;
use std::sync::Arc;

use flotilla_flows::NodeCredentials;
use flotilla_store::{Expect, Store, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::GroupError;
use crate::{keys, sealing};

/// Attempts at a change that others interfere with.
const ATTEMPTS: usize = 50;
/// Under which name a token is sealed.
const FIELD: &str = "token";
/// A token has so many bytes at most.
const LONGEST: usize = 1024;

/// The tokens of a pipeline's stages, each sealed with the group's key. They go with the pipeline: one that is added anew with
/// the same name, and perhaps other URLs, has none.
#[derive(Clone)]
pub struct StageTokens {
    store: Arc<dyn Store>,
    pipeline: String,
}

/// As the store keeps them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Sealed {
    tokens: BTreeMap<String, SealedToken>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct SealedToken {
    /// Where it may be sent.
    url: String,
    /// Encrypted as credentials are.
    token: Value,
}

impl StageTokens {
    /// The tokens of a pipeline.
    ///
    /// # Errors
    /// [`GroupError::BadName`].
    pub fn new(store: Arc<dyn Store>, pipeline: &str) -> Result<StageTokens, GroupError> {
        keys::check("pipeline name", pipeline)?;
        Ok(StageTokens { store, pipeline: pipeline.to_owned() })
    }

    /// Gives a stage its token, for one URL.
    ///
    /// # Errors
    /// [`GroupError::Invalid`] for a text that no header takes, [`GroupError::Key`] without a key.
    pub async fn set(&self, stage: &str, url: &str, token: &str, key: Option<&str>) -> Result<(), GroupError> {
        if token.is_empty() || token.len() > LONGEST || !token.chars().all(|c| c.is_ascii_graphic()) {
            let reason = format!("token: it must have 1 to {LONGEST} characters of ASCII and no blanks");
            return Err(GroupError::Invalid { field: "token", reason });
        }
        let key = key.ok_or_else(|| {
            no_key("tokens of stages are sealed with the group's key: start the gateway with FLOTILLA_GROUP_KEY")
        })?;
        let plain = Map::from_iter([(FIELD.to_owned(), token.into())]);
        for _ in 0..ATTEMPTS {
            let (mut sealed, expected) = self.load().await?;
            let token = sealing::seal(&NodeCredentials::from([(stage.to_owned(), plain.clone())]), key);
            sealed.tokens.insert(stage.to_owned(), SealedToken { url: url.to_owned(), token });
            let value = Some(keys::encode(&sealed));
            let key = keys::pipeline_tokens(&self.pipeline);
            if self.store.cas(&key, expected, value, Write::default()).await?.is_swapped() {
                return Ok(());
            }
        }
        Err(GroupError::Busy { group: self.pipeline.clone() })
    }

    /// The token of a stage for this URL; `None`: it was given none.
    ///
    /// # Errors
    /// [`GroupError::Key`] when the key is missing or does not fit.
    pub async fn get(&self, stage: &str, url: &str, key: Option<&str>) -> Result<Option<String>, GroupError> {
        let (sealed, _) = self.load().await?;
        let Some(found) = sealed.tokens.get(stage).filter(|found| found.url == url) else { return Ok(None) };
        let bad = || no_key("the group's key is missing or not the one that the tokens of stages are sealed with");
        let plain = sealing::open(&found.token, key).map_err(|_| bad())?;
        let token = plain.get(stage).and_then(|fields| fields.get(FIELD)?.as_str()).map(str::to_owned);
        token.map(Some).ok_or_else(bad)
    }

    pub(super) async fn remove(&self) -> Result<(), GroupError> {
        self.store.delete(&keys::pipeline_tokens(&self.pipeline), None).await?;
        Ok(())
    }

    async fn load(&self) -> Result<(Sealed, Expect), GroupError> {
        match self.store.get(&keys::pipeline_tokens(&self.pipeline)).await? {
            Some(entry) => Ok((keys::read("the tokens of a pipeline", &entry)?, Expect::Version(entry.version))),
            None => Ok((Sealed::default(), Expect::Absent)),
        }
    }
}

fn no_key(reason: &str) -> GroupError {
    GroupError::Key { field: "group_key", reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_store;

    #[tokio::test]
    async fn a_token_is_sealed_and_goes_to_its_own_url_only() {
        let folder = tempfile::TempDir::new().unwrap();
        let store = test_store::open(&folder).await;
        let tokens = StageTokens::new(store.clone(), "p").unwrap();
        for bad in ["", "with a blank", "line\nbreak", &"x".repeat(1025)] {
            let refused = tokens.set("prod", "https://b:1", bad, Some("k")).await;
            assert!(matches!(refused, Err(GroupError::Invalid { field: "token", .. })), "{bad}");
        }
        assert!(matches!(tokens.set("prod", "https://b:1", "flo_hush", None).await, Err(GroupError::Key { .. })));
        tokens.set("prod", "https://b:1", "flo_hush", Some("k")).await.unwrap();
        assert_eq!(tokens.get("prod", "https://b:1", Some("k")).await.unwrap().as_deref(), Some("flo_hush"));
        assert_eq!(tokens.get("prod", "https://evil:1", Some("k")).await.unwrap(), None);
        assert!(matches!(tokens.get("prod", "https://b:1", Some("x")).await, Err(GroupError::Key { .. })));
        let kept = store.get(&keys::pipeline_tokens("p")).await.unwrap().unwrap();
        assert!(!String::from_utf8_lossy(&kept.value).contains("hush"));
        tokens.remove().await.unwrap();
        assert_eq!(tokens.get("prod", "https://b:1", Some("k")).await.unwrap(), None);
    }
}
