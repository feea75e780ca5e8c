//! A group in a file: what is said of it, and the replicas that are its members.

use std::path::Path;

use anyhow::Context;
use flotilla_api::group::{GroupSpec, GroupStatus};
use flotilla_api::{Client, ClientError};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::client::not_written;
use crate::exit::{Exit, Failure};

/// The field with the members, which are not part of what is said of a group.
const MEMBERS: &str = "members";

/// What `flotilla group new` prints and `flotilla group add -f` takes.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Template(Map<String, Value>);

impl Template {
    /// A group with a name and no members.
    pub(super) fn new(name: &str) -> anyhow::Result<Template> {
        let Value::Object(mut fields) = serde_json::to_value(GroupSpec::named(name))? else {
            return Ok(Template(Map::new()));
        };
        fields.insert("placement".to_owned(), json!({"server_group": null, "labels": {}}));
        fields.insert(MEMBERS.to_owned(), Value::Array(Vec::new()));
        Ok(Template(fields))
    }

    /// Reads what a file says. `name`: the name of a group whose file has none.
    fn read(text: &str, name: Option<&str>) -> anyhow::Result<(GroupSpec, Vec<String>)> {
        let not = "not a group: see `flotilla group new`";
        let mut fields: Map<String, Value> = serde_json::from_str(text).context(not)?;
        let members = fields.remove(MEMBERS).map_or(Ok(Vec::new()), serde_json::from_value);
        let members = members.context("members must be a list of replicas' ids")?;
        if let Some(name) = name {
            let given = fields.entry("name").or_insert_with(|| name.into()).as_str().unwrap_or_default().to_owned();
            if given != name {
                let why = format!("the file is of group \"{given}\", not \"{name}\": leave one of the names out");
                return Err(Failure::new(Exit::Usage, why).into());
            }
        }
        Ok((serde_json::from_value(Value::Object(fields)).context(not)?, members))
    }
}

/// Adds the group of a file, or replaces what is said of one that is there; then puts its members into it: all, or none.
pub(super) async fn put(
    client: &Client,
    name: Option<&str>,
    file: &Path,
    hint: Option<String>,
) -> anyhow::Result<GroupStatus> {
    let text = crate::flow_files::text_or_stdin(file)?;
    let (mut spec, members) =
        Template::read(&text, name).map_err(|error| Failure::new(Exit::Usage, format!("{error:#}")))?;
    if hint.is_some() {
        spec.placement.server_group = hint;
    }
    if spec.description.is_empty() {
        tracing::warn!("group \"{}\" has no description: say what it is for", spec.name);
    }
    let put = match client.group_version(&spec.name).await {
        Ok(now) => {
            // A file that does not name a server group does not take the group out of it.
            let bound = now.value.placement.server_group;
            spec.placement.server_group = spec.placement.server_group.or(bound);
            replace(client, &spec, now.tag.as_deref()).await?
        }
        Err(error) if is_missing(&error) => client.add_group(&spec).await?,
        Err(error) => return Err(error.into()),
    };
    if !members.is_empty() {
        super::member::add(client, &spec.name, &members).await?;
    }
    Ok(put)
}

/// Replaces what is said of a group, of the version with this ETag.
pub(super) async fn replace(client: &Client, spec: &GroupSpec, tag: Option<&str>) -> anyhow::Result<GroupStatus> {
    client.edit_group_of(spec, tag).await.map_err(|error| {
        let (thing, show) = (format!("group \"{}\"", spec.name), format!("flotilla group show {}", spec.name));
        not_written(error, &thing, &show)
    })
}

fn is_missing(error: &ClientError) -> bool {
    error.problem().is_some_and(|problem| problem.status == 404)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::extract::State;
    use axum::http::HeaderMap;
    use axum::http::header::{ETAG, IF_MATCH};
    use axum::response::IntoResponse;
    use axum::routing::get;
    use axum::{Json, Router};
    use flotilla_api::Problem;
    use flotilla_gateway::admin::Failure as Refused;
    use flotilla_tasks::Task;
    use parking_lot::Mutex;

    use super::*;

    /// The `If-Match` of each change.
    type Seen = Arc<Mutex<Vec<String>>>;

    async fn show() -> impl IntoResponse {
        let group = json!({"name": "plant", "revision": null, "living": 0, "ready": 0});
        ([(ETAG, "\"7\"")], Json(group))
    }

    async fn change(State(seen): State<Seen>, headers: HeaderMap) -> Refused {
        let of = headers.get(IF_MATCH).and_then(|tag| tag.to_str().ok()).unwrap_or("none").to_owned();
        seen.lock().push(of);
        Refused(Problem::new(412, "changed_meanwhile", "it was changed meanwhile"))
    }

    /// An admin API with one group, which somebody else changes after each look at it.
    async fn changing() -> (Client, Seen) {
        let seen = Seen::default();
        let app = Router::new().route("/api/v1/groups/plant", get(show).put(change)).with_state(seen.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let task = Task {
            name: "admin API",
            owner: "test".into(),
            ends: "the test ends",
            failure: "requests are not answered",
        };
        drop(task.spawn(async move { drop(axum::serve(listener, app).await) }));
        (Client::new(address, None), seen)
    }

    #[tokio::test]
    async fn what_somebody_else_changed_meanwhile_is_not_written_over() {
        let (client, seen) = changing().await;
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), r#"{"name": "plant", "description": "mine"}"#).unwrap();
        let error = put(&client, None, file.path(), None).await.unwrap_err();
        assert_eq!(*seen.lock(), ["\"7\""], "the change is of the version that was read");
        assert_eq!(Exit::of(&error), Exit::Refused);
        let said = error.to_string();
        assert!(said.contains("group \"plant\" was changed by somebody else meanwhile"), "{said}");
        assert!(said.contains("`flotilla group show plant`"), "{said}");
    }

    #[test]
    fn a_template_is_read_back_with_its_members() {
        let mut template = Template::new("plant").unwrap();
        template.0["members"] = serde_json::json!(["r-1", "r-2"]);
        let text = serde_json::to_string(&template).unwrap();
        let (spec, members) = Template::read(&text, None).unwrap();
        assert_eq!((spec, members), (GroupSpec::named("plant"), vec!["r-1".to_owned(), "r-2".to_owned()]));
        assert!(Template::read(&text, Some("other")).unwrap_err().to_string().contains("not \"other\""));
        assert_eq!(Template::read("{}", Some("g")).unwrap().0.name, "g");
        assert!(Template::read(r#"{"name": "g", "membrs": []}"#, None).is_err(), "a typo is no field");
    }
}
