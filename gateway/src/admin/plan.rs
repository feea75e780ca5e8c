//! What a deploy makes of the revision that runs, before anything is written.

use std::collections::BTreeMap;

use flotilla_api::Problem;
use flotilla_api::deploy::Deploy;
use flotilla_api::problem::Part;
use flotilla_flows::{
    ALLOW_UNKNOWN, Document, NodeSettings, Refusal, UnknownType, read_credentials, refusal, unprotected,
};
use flotilla_group::GroupError;
use flotilla_group::revision::{Revision, RevisionChange};
use serde_json::{Map, Value};

use super::api::Api;
use super::problem::Failure;

/// A deploy that may be made.
pub(crate) struct Plan {
    /// The good revision that it is a change of; `None` for a group's first.
    pub(crate) base: Option<String>,
    /// The content of that; empty for a group's first.
    pub(crate) old: Revision,
    /// What the group is to run.
    pub(crate) new: Revision,
    /// The flow document of that, with the group's settings of nodes.
    pub(crate) document: Document,
}

/// Merges a deploy with what the group has, and checks what comes of it.
pub(super) async fn plan(api: &Api, group: &str, deploy: &Deploy) -> Result<Plan, Failure> {
    api.specs().get(group).await?;
    let revisions = api.revisions(group)?;
    let base = api.desired(group)?.load().await?.map(|(state, _)| state.revision);
    if let (Some(asked), Some(now)) = (&deploy.base, &base) {
        let asked = revisions.resolve(asked).await?;
        if asked != *now {
            return Err(base_changed(api, group, &asked, now).await);
        }
    }
    let old = match &base {
        Some(base) => revisions.load(base).await?,
        None => Revision::default(),
    };
    if base.is_none() && deploy.flows.is_null() {
        let detail = format!("group \"{group}\" has no revision yet: deploy a flow document first");
        return Err(Problem::new(409, "no_revision", detail).of_field("flows").into());
    }
    let mut secrets = api.secrets(group)?.names().await?;
    secrets.extend(deploy.set_secrets.keys().cloned());
    let new = change(deploy)?.of(old.clone(), api.key().await?.as_deref())?;
    let mut new = new.filled(&old, api.key().await?.as_deref(), &secrets)?;
    new.message.clone_from(&deploy.message);
    if deploy.allow_unknown {
        new.settings.insert(ALLOW_UNKNOWN.to_owned(), true.into());
    } else if !deploy.flows.is_null() {
        // The permission was for the document that it was given with.
        new.settings.remove(ALLOW_UNKNOWN);
    }
    finish(api, base, old, new, &deploy.set_nodes)
}

/// What a revision of another stage makes of the revision that a group runs: its own values stay.
pub(crate) async fn plan_transfer(
    api: &Api,
    group: &str,
    source: &Revision,
    own_settings: &[String],
) -> Result<Plan, Failure> {
    api.specs().get(group).await?;
    let base = api.desired(group)?.load().await?.map(|(state, _)| state.revision);
    let old = match &base {
        Some(base) => api.revisions(group)?.load(base).await?,
        None => Revision::default(),
    };
    let key = api.key().await?;
    let key = key.as_deref();
    let mut new = source.transfer(&old, key, key, &api.secrets(group)?.names().await?, own_settings)?;
    // The version of its secrets is the group's own: without it a transfer of what it runs would be a change.
    new.secrets = old.secrets;
    finish(api, base, old, new, &BTreeMap::new())
}

/// Refuses what cannot run.
fn finish(
    api: &Api,
    base: Option<String>,
    old: Revision,
    new: Revision,
    set_nodes: &BTreeMap<String, NodeSettings>,
) -> Result<Plan, Failure> {
    if let Some((_, why)) = unprotected(&new.settings) {
        return Err(Problem::new(422, "bad_settings", why).of_field("settings").into());
    }
    let mut document = Document::from_value(new.flows.clone())
        .map_err(|error| Problem::new(422, "not_a_flow_document", error.to_string()).of_field("flows"))?;
    if let Some(id) =
        set_nodes.iter().find_map(|(id, set)| (!set.is_empty() && document.get(id).is_none()).then_some(id))
    {
        let detail = format!("the flow document has no node \"{id}\": settings go by node id, see `flotilla review`");
        return Err(Problem::new(404, "no_such_node", detail).of_field("set_nodes").into());
    }
    document.set_node_settings(&new.nodes);
    let allowed = api.types.allow_unknown || new.settings.get(ALLOW_UNKNOWN).is_some_and(|flag| flag == true);
    let found = problems(&document, &api.types.known, allowed);
    if !found.is_empty() {
        let lines: Vec<_> = found.iter().map(|problem| problem.detail.as_str()).collect();
        let detail = format!("the flow document cannot run: {}", lines.join("; "));
        return Err(Problem { problems: found, ..Problem::new(422, "cannot_run", detail).of_field("flows") }.into());
    }
    Ok(Plan { base, old, new, document })
}

/// The error for a change of a revision that the group no longer runs, with what differs.
pub(super) async fn base_changed(api: &Api, group: &str, base: &str, now: &str) -> Failure {
    let changed = async {
        let revisions = api.revisions(group)?;
        let (old, new) = (revisions.load(base).await?, revisions.load(now).await?);
        Ok::<_, Failure>(old.diff(&new, api.key().await?.as_deref())?.summary())
    };
    let changed = changed.await.unwrap_or_else(|_| "what cannot be read without the group's key".to_owned());
    let error =
        GroupError::BaseChanged { group: group.to_owned(), base: base.to_owned(), now: now.to_owned(), changed };
    error.into()
}

fn change(deploy: &Deploy) -> Result<RevisionChange, Failure> {
    let credentials = match &deploy.credentials {
        Value::Object(_) => Some(
            read_credentials(&deploy.credentials, deploy.credential_secret.as_deref())
                .map_err(|error| Problem::new(422, "bad_credentials", error.to_string()).of_field("credentials"))?,
        ),
        Value::Null => None,
        _ => {
            let detail = "credentials must be an object: the content of a credentials file";
            return Err(Problem::new(422, "bad_credentials", detail).of_field("credentials").into());
        }
    };
    Ok(RevisionChange {
        flows: Some(deploy.flows.clone()).filter(|flows| !flows.is_null()),
        replace_env: deploy.env.clone(),
        set_env: deploy.set_env.clone(),
        unset_env: deploy.unset_env.clone(),
        replace_settings: deploy.settings.clone(),
        set_settings: deploy.set_settings.clone(),
        unset_settings: deploy.unset_settings.clone(),
        replace_credentials: credentials,
        set_credentials: deploy.set_credentials.clone(),
        unset_credentials: deploy.unset_credentials.clone(),
        set_nodes: deploy.set_nodes.clone(),
    })
}

/// Everything that keeps a document from running, at once.
fn problems(document: &Document, known: &[String], allow_unknown: bool) -> Vec<Part> {
    let Refusal { errors, unknown } = refusal(document, |kind| known.iter().any(|known| known == kind));
    let invalid = errors.into_iter().map(|problem| Part {
        code: "invalid".into(),
        detail: problem.message,
        node: problem.node,
        name: problem.name,
        field: problem.field.to_owned(),
        more: Map::new(),
    });
    let unknown = unknown.into_iter().filter(|_| !allow_unknown).map(unknown_type);
    invalid.chain(unknown).collect()
}

fn unknown_type(node: UnknownType) -> Part {
    let detail = format!("node type \"{}\" on tab \"{}\" is not known here; {}", node.kind, node.tab, node.origin());
    let more = [("type", node.kind.into()), ("tab", node.tab.into()), ("package", node.package.into())];
    Part {
        code: "unknown_type".into(),
        detail,
        node: node.node,
        name: node.name,
        field: String::new(),
        more: more.into_iter().map(|(name, value): (&str, Value)| (name.to_owned(), value)).collect(),
    }
}
