//! How `flotilla sub` prints a message: `-v`, or `-F` with the letters of `mosquitto_sub`.

use anyhow::bail;
use flotilla_load::rumqtt::Arrived;

use super::args::SubArgs;

/// A piece of a format.
#[derive(Debug, PartialEq)]
enum Piece {
    Text(String),
    Topic,
    Payload,
    PayloadHex,
    Length,
    Qos,
    Retain,
    Id,
    Time,
    Json,
    ContentType,
    ResponseTopic,
    User,
}

/// See the module.
#[derive(Debug, PartialEq)]
pub struct Format(Vec<Piece>);

impl Format {
    /// Of the flags.
    ///
    /// # Errors
    /// For a letter after `%` that is not known.
    pub fn of(args: &SubArgs) -> anyhow::Result<Format> {
        match &args.format {
            Some(text) => Format::parse(text),
            None if args.verbose => Ok(Format(vec![Piece::Topic, Piece::Text(" ".to_owned()), Piece::Payload])),
            None => Ok(Format(vec![Piece::Payload])),
        }
    }

    fn parse(format: &str) -> anyhow::Result<Format> {
        let (mut pieces, mut text) = (Vec::new(), String::new());
        let mut chars = format.chars();
        while let Some(c) = chars.next() {
            let piece = match c {
                '%' => match chars.next() {
                    Some('%') => {
                        text.push('%');
                        continue;
                    }
                    Some('t') => Piece::Topic,
                    Some('p') => Piece::Payload,
                    Some('x') => Piece::PayloadHex,
                    Some('l') => Piece::Length,
                    Some('q') => Piece::Qos,
                    Some('r') => Piece::Retain,
                    Some('m') => Piece::Id,
                    Some('U') => Piece::Time,
                    Some('j' | 'J') => Piece::Json,
                    Some('C') => Piece::ContentType,
                    Some('R') => Piece::ResponseTopic,
                    Some('P') => Piece::User,
                    other => {
                        let letter = other.map(String::from).unwrap_or_default();
                        bail!(
                            "-F \"{format}\": %{letter} is not known here: use %t topic, %p payload, %x payload in hex, %l \
                             length, %q QoS, %r retained, %m packet identifier, %U time, %j all as JSON, %C content type, %R \
                             response topic, %P user properties, %%"
                        )
                    }
                },
                '\\' => {
                    text.push(match chars.next() {
                        Some('n') => '\n',
                        Some('t') => '\t',
                        Some('0') => '\0',
                        Some(other) => other,
                        None => '\\',
                    });
                    continue;
                }
                other => {
                    text.push(other);
                    continue;
                }
            };
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(&mut text)));
            }
            pieces.push(piece);
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Ok(Format(pieces))
    }

    /// Appends a message.
    pub fn write(&self, out: &mut Vec<u8>, message: &Arrived) {
        let properties = &message.properties;
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Topic => out.extend_from_slice(message.topic.as_bytes()),
                Piece::Payload => out.extend_from_slice(&message.payload),
                Piece::PayloadHex => {
                    message.payload.iter().for_each(|byte| out.extend_from_slice(format!("{byte:02x}").as_bytes()));
                }
                Piece::Length => out.extend_from_slice(message.payload.len().to_string().as_bytes()),
                Piece::Qos => out.push(b'0' + message.qos),
                Piece::Retain => out.push(b'0' + u8::from(message.retain)),
                Piece::Id => out.extend_from_slice(message.pkid.to_string().as_bytes()),
                Piece::Time => out.extend_from_slice(time().as_bytes()),
                Piece::Json => out.extend_from_slice(json(message).to_string().as_bytes()),
                Piece::ContentType => {
                    out.extend_from_slice(properties.content_type.as_deref().unwrap_or_default().as_bytes());
                }
                Piece::ResponseTopic => {
                    out.extend_from_slice(properties.response_topic.as_deref().unwrap_or_default().as_bytes());
                }
                Piece::User => {
                    let pairs = properties.user_properties.iter().map(|(name, value)| format!("{name}:{value}"));
                    out.extend_from_slice(pairs.collect::<Vec<_>>().join(" ").as_bytes());
                }
            }
        }
    }
}

/// Seconds since 1970, with fractions.
fn time() -> String {
    let now = jiff::Timestamp::now();
    format!("{}.{:09}", now.as_second(), now.subsec_nanosecond())
}

/// All of it, as `mosquitto_sub` names it.
fn json(message: &Arrived) -> serde_json::Value {
    let payload = String::from_utf8_lossy(&message.payload);
    let mut all = serde_json::json!({
        "tst": jiff::Timestamp::now().to_string(),
        "topic": message.topic,
        "qos": message.qos,
        "retain": u8::from(message.retain),
        "payloadlen": message.payload.len(),
        "payload": payload,
    });
    if message.pkid != 0 {
        all["mid"] = message.pkid.into();
    }
    let mut properties = serde_json::Map::new();
    let known = &message.properties;
    let mut put = |name: &str, value: Option<serde_json::Value>| {
        if let Some(value) = value {
            properties.insert(name.to_owned(), value);
        }
    };
    put("content-type", known.content_type.clone().map(Into::into));
    put("response-topic", known.response_topic.clone().map(Into::into));
    put("message-expiry-interval", known.message_expiry_interval.map(Into::into));
    put("payload-format-indicator", known.payload_format_indicator.map(Into::into));
    put("correlation-data", known.correlation_data.as_ref().map(|data| String::from_utf8_lossy(data).into()));
    if !known.user_properties.is_empty() {
        let pairs = known.user_properties.iter().map(|(name, value)| serde_json::json!({ name: value }));
        put("user-properties", Some(serde_json::Value::Array(pairs.collect())));
    }
    if !properties.is_empty() {
        all["properties"] = properties.into();
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(format: &str) -> String {
        let message = Arrived {
            dup: false,
            topic: "a/b".to_owned(),
            payload: "hi".into(),
            qos: 1,
            retain: true,
            pkid: 7,
            properties: flotilla_load::rumqtt::PublishProperties::default(),
        };
        let mut out = Vec::new();
        Format::parse(format).unwrap().write(&mut out, &message);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn letters() {
        assert_eq!(shown("%t=%p %x %l\\t%q%r %m 100%%"), "a/b=hi 6869 2\t11 7 100%");
        let json: serde_json::Value = serde_json::from_str(&shown("%j")).unwrap();
        assert_eq!(
            (json["topic"].as_str(), json["payload"].as_str(), json["mid"].as_u64()),
            (Some("a/b"), Some("hi"), Some(7))
        );
        assert!(Format::parse("%z").unwrap_err().to_string().contains("%z is not known"));
    }
}
