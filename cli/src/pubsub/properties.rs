//! MQTT 5 properties, as `-D PACKET PROPERTY VALUE` gives them.

use anyhow::{Context, bail};
use flotilla_load::rumqtt::PublishProperties;

/// Those of the packets that these commands send.
#[derive(Clone, Debug, Default)]
pub struct Properties {
    /// Of PUBLISH; `None` when there are none.
    pub publish: Option<PublishProperties>,
    /// User properties of CONNECT.
    pub connect: Vec<(String, String)>,
}

/// Reads the words of all `-D`.
///
/// # Errors
/// For a packet or property that is not known here, or a value that does not fit.
pub fn read(words: &[String]) -> anyhow::Result<Properties> {
    let mut found = Properties::default();
    let mut rest = words.iter().map(String::as_str);
    while let Some(packet) = rest.next() {
        let name = rest.next().context("-D needs PACKET PROPERTY VALUE")?;
        let value = rest.next().with_context(|| format!("-D {packet} {name} needs a value"))?;
        let mut pair = || -> anyhow::Result<(String, String)> {
            let second = rest.next().with_context(|| format!("-D {packet} user-property needs a name and a value"))?;
            Ok((value.to_owned(), second.to_owned()))
        };
        match (packet.to_lowercase().as_str(), name) {
            ("connect", "user-property") => found.connect.push(pair()?),
            ("publish", "user-property") => {
                let pair = pair()?;
                found.publish.get_or_insert_default().user_properties.push(pair);
            }
            ("publish", "content-type") => {
                found.publish.get_or_insert_default().content_type = Some(value.to_owned());
            }
            ("publish", "response-topic") => {
                found.publish.get_or_insert_default().response_topic = Some(value.to_owned());
            }
            ("publish", "correlation-data") => {
                found.publish.get_or_insert_default().correlation_data = Some(value.to_owned().into());
            }
            ("publish", "message-expiry-interval") => {
                let seconds = value
                    .parse()
                    .with_context(|| format!("-D publish {name} {value}: the value must be a number of seconds"))?;
                found.publish.get_or_insert_default().message_expiry_interval = Some(seconds);
            }
            ("publish", "payload-format-indicator") => {
                let bit = match value {
                    "0" => 0,
                    "1" => 1,
                    _ => bail!("-D publish {name} {value}: the value must be 0 or 1"),
                };
                found.publish.get_or_insert_default().payload_format_indicator = Some(bit);
            }
            _ => bail!(
                "-D {packet} {name} is not known here: use publish with user-property, content-type, response-topic, \
                 correlation-data, message-expiry-interval or payload-format-indicator, or connect with user-property"
            ),
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn all_kinds() {
        let all = "publish user-property a b publish content-type text/plain connect user-property c d publish message-expiry-interval 5";
        let found = read(&words(all)).unwrap();
        let publish = found.publish.unwrap();
        assert_eq!(publish.user_properties, [("a".to_owned(), "b".to_owned())]);
        assert_eq!(publish.content_type.as_deref(), Some("text/plain"));
        assert_eq!(publish.message_expiry_interval, Some(5));
        assert_eq!(found.connect, [("c".to_owned(), "d".to_owned())]);
        for bad in ["publish colour red", "publish user-property a", "publish message-expiry-interval soon"] {
            assert!(read(&words(bad)).is_err(), "{bad}");
        }
    }
}
