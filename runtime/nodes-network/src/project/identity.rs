//! Who this group is to others: a project of a team.

use flotilla_engine::settings::Settings;
use flotilla_engine::{NodeCx, NodeError, Shared};
use serde_json::{Map, Value as Json};

/// How project links reach others, as the process was told. Put it into `Shared::extensions`. The team that the revision's
/// setting `flowforge` names comes first.
#[derive(Clone, Debug, Default)]
pub struct ProjectWire {
    /// The broker's URL, which may have user and password in it.
    pub broker: Option<String>,
    /// The team; groups of different teams do not hear each other. [`ProjectWire::TEAM`] when it is not set.
    pub team: Option<String>,
}

impl ProjectWire {
    /// The team of groups that are in no other.
    pub const TEAM: &str = "flotilla";
}

/// Who this group is to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) team: String,
    /// The project's id: FlowFuse's, else the group's name. Empty for a device that belongs to an application.
    pub(super) project: String,
    pub(super) instance: String,
    pub(super) application: String,
    pub(super) device: Option<Device>,
    /// FlowFuse says that the team does not have the feature.
    pub(super) disabled: bool,
}

/// A device of FlowFuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Device {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
}

/// FlowFuse's settings, under the name that they have in its settings.js.
pub(super) fn flowfuse(settings: &Settings) -> Option<&Map<String, Json>> {
    settings.node_red.get("flowforge")?.as_object()
}

impl Identity {
    pub(super) fn of(shared: &Shared) -> Identity {
        let wire = shared.extensions().get::<ProjectWire>();
        let team = wire.and_then(|wire| wire.team.clone());
        Identity::new(&shared.settings(), team.unwrap_or_else(|| ProjectWire::TEAM.to_owned()))
    }

    fn new(settings: &Settings, team: String) -> Identity {
        let own = flowfuse(settings);
        let said = |name: &str| own?.get(name)?.as_str().filter(|id| !id.is_empty()).map(str::to_owned);
        let var = |name: &str| settings.env_var(name).filter(|value| !value.is_empty());
        let application = said("applicationID").unwrap_or_default();
        let device = var("FF_DEVICE_ID").map(|id| Device {
            id,
            name: var("FF_DEVICE_NAME").unwrap_or_default(),
            kind: var("FF_DEVICE_TYPE").unwrap_or_default(),
        });
        let project = said("projectID").or_else(|| var("FF_PROJECT_ID"));
        let of_application = project.is_none() && device.is_some() && !application.is_empty();
        let project = project.unwrap_or_else(|| if of_application { String::new() } else { settings.group.clone() });
        let enabled = own.and_then(|own| own.get("projectLink")?.get("featureEnabled"));
        Identity {
            team: said("teamID").unwrap_or(team),
            instance: said("instanceID").or_else(|| var("FF_INSTANCE_ID")).unwrap_or_else(|| settings.replica.clone()),
            project,
            application,
            device,
            disabled: enabled == Some(&Json::Bool(false)),
        }
    }

    /// What others call this project in topics.
    pub(super) fn own(&self) -> String {
        match &self.device {
            Some(device) if self.project.is_empty() => format!("dev:{}", device.id),
            _ => self.project.clone(),
        }
    }

    /// True for a device that belongs to an application: FlowFuse lets nobody send to it directly.
    pub(super) fn is_of_application(&self) -> bool {
        self.project.is_empty()
    }

    /// An error at a node that cannot work where FlowFuse says so.
    pub(super) fn refuse(&self, cx: &NodeCx) -> Result<(), NodeError> {
        if !self.disabled {
            return Ok(());
        }
        cx.report().show("red", "dot", "feature not available");
        Err(NodeError::new(
            "project links are not available for this FlowFuse team (flowforge.projectLink.featureEnabled)",
        ))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn settings(flowforge: Json, env: &[(&str, &str)]) -> Settings {
        let mut settings = Settings { group: "plant".into(), replica: "plant-1".into(), ..Settings::default() };
        if flowforge.is_object() {
            settings.node_red.insert("flowforge".to_owned(), flowforge);
        }
        settings.env = env.iter().map(|(name, value)| ((*name).to_owned(), Some((*value).to_owned()))).collect();
        settings
    }

    #[test]
    fn a_group_is_a_project_by_its_name_and_on_flowfuse_by_its_id() {
        let of = |flowforge, env: &[(&str, &str)]| Identity::new(&settings(flowforge, env), "flotilla".to_owned());
        let plain = of(Json::Null, &[]);
        assert_eq!(
            (plain.own().as_str(), plain.team.as_str(), plain.instance.as_str()),
            ("plant", "flotilla", "plant-1")
        );
        let instance = of(json!({"teamID": "t1", "projectID": "p1", "instanceID": "i1"}), &[]);
        assert_eq!((instance.own().as_str(), instance.team.as_str(), instance.instance.as_str()), ("p1", "t1", "i1"));
        assert_eq!(of(Json::Null, &[("FF_PROJECT_ID", "p2")]).own(), "p2");
        let device = [("FF_DEVICE_ID", "d1"), ("FF_DEVICE_NAME", "press")];
        let of_application = of(json!({"teamID": "t1", "applicationID": "a1"}), &device);
        assert!(of_application.is_of_application());
        assert_eq!(of_application.own(), "dev:d1");
        let of_instance = of(json!({"teamID": "t1", "projectID": "p1", "applicationID": "a1"}), &device);
        assert!(!of_instance.is_of_application());
        assert_eq!((of_instance.own().as_str(), of_instance.device.unwrap().name.as_str()), ("p1", "press"));
        assert!(of(json!({"projectLink": {"featureEnabled": false}}), &[]).disabled);
    }
}
