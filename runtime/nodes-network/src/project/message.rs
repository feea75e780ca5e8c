//! Messages between projects: payload and properties.

use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use flotilla_codec::QoS;
use flotilla_mqtt::{Publish, PublishProps};
use flotilla_value::{Object, Str, StringifyError, Value};

use super::encoding::{DecodeError, decode, encode};
use super::identity::Identity;
use super::topics::link_of;

/// A message as it is published: MQTT 5, QoS 2, who sends it in the user properties. `call`: the id of the call that it
/// makes or answers.
///
/// # Errors
/// When the message cannot be written as JSON.
pub(super) fn publish(
    identity: &Identity,
    node: &str,
    topic: String,
    message: &Object,
    call: Option<&str>,
) -> Result<Publish, StringifyError> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let mut user = vec![
        ("_projectID", identity.project.clone()),
        ("_applicationID", identity.application.clone()),
        ("_nodeID", node.to_owned()),
        ("_publishTime", now.to_string()),
    ];
    if let Some(device) = &identity.device {
        user.push(("_deviceId", device.id.clone()));
        user.push(("_deviceName", device.name.clone()));
        user.push(("_deviceType", device.kind.clone()));
    }
    let props = PublishProps {
        content_type: Some(Str::new_static("application/json")),
        correlation: call.map(|call| Bytes::copy_from_slice(call.as_bytes())),
        user: user.into_iter().map(|(name, value)| (Str::new_static(name), Str::from(value))).collect(),
        ..PublishProps::default()
    };
    Ok(Publish {
        qos: QoS::ExactlyOnce,
        topic: Str::from(topic),
        payload: Bytes::from(encode(message)?),
        props: Some(Box::new(props)),
        ..Publish::default()
    })
}

/// The message that was published, with `projectLink` saying who sent it.
///
/// # Errors
/// When it is no message.
pub(super) fn read(publish: &Publish) -> Result<Object, DecodeError> {
    let mut message = match decode(&publish.payload)? {
        Value::Object(object) => (*object).clone(),
        other => return Err(DecodeError::NoMessage(other.type_of())),
    };
    let mut link = message.get("projectLink").and_then(Value::as_object).cloned().unwrap_or_default();
    let said = |name: &str| user_property(publish, name);
    for (name, property) in
        [("instanceId", "_projectID"), ("projectId", "_projectID"), ("applicationId", "_applicationID")]
    {
        link.insert(name, Value::String(said(property).unwrap_or_default()));
    }
    link.insert("topic", link_of(&publish.topic));
    if let Some(device) = said("_deviceId").filter(|id| !id.is_empty()) {
        link.insert("deviceId", Value::String(device));
        link.insert("deviceName", Value::String(said("_deviceName").unwrap_or_default()));
        link.insert("deviceType", Value::String(said("_deviceType").unwrap_or_default()));
    }
    message.insert("projectLink", link);
    Ok(message)
}

/// What came, for an error that says that it cannot be read.
pub(super) fn unread(publish: &Publish) -> Object {
    [("topic", Value::String(publish.topic.clone())), ("payload", Value::Buffer(publish.payload.clone()))]
        .into_iter()
        .collect()
}

/// The id of the call that a message makes or answers.
pub(super) fn call_of(publish: &Publish) -> Option<&str> {
    std::str::from_utf8(publish.props.as_ref()?.correlation.as_ref()?).ok()
}

fn user_property(publish: &Publish, wanted: &str) -> Option<Str> {
    let user = &publish.props.as_ref()?.user;
    user.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
}

#[cfg(test)]
mod tests {
    use super::super::identity::Device;
    use super::*;

    #[test]
    fn who_sent_a_message_is_read_from_its_properties_and_nothing_else() {
        let identity = Identity {
            team: "t".into(),
            project: "p".into(),
            instance: "i".into(),
            application: "a".into(),
            device: Some(Device { id: "d".into(), name: "press".into(), kind: "pi".into() }),
            disabled: false,
        };
        let forged: Object = [("deviceName", "other"), ("mine", "kept")].into_iter().collect();
        let message: Object = [("payload", Value::from(1.0)), ("projectLink", forged.into())].into_iter().collect();
        let sent = publish(&identity, "n", "ff/v1/t/p/q/in/a/b".into(), &message, Some("c0")).unwrap();
        assert_eq!((sent.qos, sent.retain, call_of(&sent)), (QoS::ExactlyOnce, false, Some("c0")));
        assert_eq!(sent.props.as_ref().unwrap().content_type.as_deref(), Some("application/json"));
        let came = Value::from(read(&sent).unwrap());
        let link = came.get("projectLink");
        for (name, value) in [
            ("projectId", "p"),
            ("instanceId", "p"),
            ("applicationId", "a"),
            ("topic", "a/b"),
            ("deviceId", "d"),
            ("deviceName", "press"),
            ("deviceType", "pi"),
            ("mine", "kept"),
        ] {
            assert_eq!(link.get(name).as_str(), Some(value), "{name}");
        }
        assert!(read(&Publish { payload: Bytes::from_static(b"7"), ..sent }).is_err());
    }
}
