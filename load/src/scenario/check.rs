//! From what was written to what can be run.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use flotilla_codec::{QoS, Version};

use super::checked::{Checked, Collect, Kind, MqttStream, Place, Stream};
use super::error::{At, ScenarioError};
use super::file::{Broker, Expect, MarkPlace, Publish, Scenario};
use super::json_path::JsonPath;
use super::pace::{Paced, SECONDS};
use super::target::Target;
use super::{Span, request};
use crate::measure::Threshold;
use crate::template::{Table, Template, expand};

/// What a message carries when the scenario does not say.
const PAYLOAD: &str = r#"{"value":{{random 20.0..80.0}},"time":{{time}}}"#;
/// See [`Scenario::drain`].
const DRAIN: Duration = Duration::from_secs(10);
/// Un-acknowledged publishes of a client.
const WINDOW: u16 = 100;

impl Scenario {
    /// Reads a file; paths in it are relative to its folder.
    ///
    /// # Errors
    /// When it is not readable, not TOML, or has a key or type that is not known.
    pub fn read(path: &Path) -> Result<(Scenario, String), ScenarioError> {
        let shown = path.display().to_string();
        let text = std::fs::read_to_string(path).map_err(|error| ScenarioError::Read { path: shown.clone(), error })?;
        let mut scenario: Scenario =
            toml::from_str(&text).map_err(|error| ScenarioError::Toml { path: shown, error: Box::new(error) })?;
        scenario.resolve(path.parent().unwrap_or(Path::new("")));
        if scenario.name.is_empty() {
            scenario.name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        }
        Ok((scenario, text))
    }

    fn resolve(&mut self, folder: &Path) {
        let broker = |broker: &mut Option<Broker>| {
            broker.iter_mut().flat_map(|one| [&mut one.ca, &mut one.cert, &mut one.key]).flatten().for_each(|path| {
                *path = folder.join(&*path);
            });
        };
        let join = |path: &mut Option<PathBuf>| {
            if let Some(path) = path {
                *path = folder.join(&*path);
            }
        };
        broker(&mut self.mqtt);
        for publish in &mut self.publish {
            broker(&mut publish.mqtt);
            join(&mut publish.csv);
        }
        for request in &mut self.request {
            join(&mut request.csv);
            join(&mut request.ca);
        }
        self.expect.iter_mut().for_each(|expect| broker(&mut expect.mqtt));
        if let Some(faults) = &mut self.faults {
            faults.flows.iter_mut().for_each(|path| *path = folder.join(&*path));
        }
    }

    /// Checks everything; `text` is what the report shows as the scenario.
    ///
    /// # Errors
    /// The first thing that cannot be run.
    pub fn check(&self, text: String) -> Result<Checked, ScenarioError> {
        let seconds = self.duration.map_or(SECONDS, Span::seconds);
        let mut streams = Vec::new();
        for (number, publish) in self.publish.iter().enumerate() {
            streams.push(self.publish(&format!("publish[{number}]"), publish, seconds)?);
        }
        for (number, request) in self.request.iter().enumerate() {
            streams.push(request::stream(&format!("request[{number}]"), request, seconds)?);
        }
        if streams.is_empty() {
            return Err(ScenarioError::field(
                "publish",
                "the scenario sends nothing: add a [[publish]] or a [[request]]",
            ));
        }
        let expect = self.expect.iter().enumerate();
        let collectors = expect.map(|(number, expect)| self.collect(number, expect)).collect::<Result<Vec<_>, _>>()?;
        if let Some(blind) = streams.iter().find(|stream| stream.place == Place::Sequence)
            && !collectors.iter().any(|collect| collect.sequence.is_some())
            && !collectors.is_empty()
        {
            let what = "the payload has {{seq}} and no {{mark}}: say in [[expect]] where \"sequence\" is in the output";
            return Err(ScenarioError::field(&blind.name, what));
        }
        let thresholds =
            self.thresholds.iter().map(|text| text.parse::<Threshold>().at("thresholds")).collect::<Result<_, _>>()?;
        Ok(Checked {
            name: self.name.clone(),
            seed: self.seed,
            text,
            drain: self.drain.map_or(DRAIN, |span| span.0),
            thresholds,
            streams,
            collectors,
            faults: self.faults.clone(),
        })
    }

    fn target(&self, field: &str, own: Option<&Broker>) -> Result<Target, ScenarioError> {
        match (own, &self.mqtt) {
            (Some(own), _) => Target::new(&format!("{field}.mqtt"), own),
            (None, Some(broker)) => Target::new("mqtt", broker),
            (None, None) => Err(ScenarioError::field(
                "mqtt.url",
                "no broker is given: write [mqtt] url = \"mqtt://127.0.0.1:1883\"",
            )),
        }
    }

    fn publish(&self, field: &str, publish: &Publish, seconds: f64) -> Result<Stream, ScenarioError> {
        let target = self.target(field, publish.mqtt.as_ref())?;
        let names = topics(&format!("{field}.topic"), &publish.topic)?;
        let qos = qos(&format!("{field}.qos"), publish.qos)?;
        let table = table(&format!("{field}.csv"), publish.csv.as_ref())?;
        let text = publish.payload.as_deref().unwrap_or(PAYLOAD);
        let mut payload = Template::parse(text, table).at(&format!("{field}.payload"))?;
        let v5 = target.version == Version::V5;
        let place = place(&format!("{field}.mark"), publish.mark, &mut payload, v5)?;
        if !publish.properties.is_empty() && !v5 {
            return Err(ScenarioError::field(format!("{field}.properties"), "user properties need version = 5"));
        }
        let pace = Paced::new(field, &publish.pace, seconds)?;
        let window = publish.window.unwrap_or(WINDOW);
        if window == 0 {
            return Err(ScenarioError::field(format!("{field}.window"), "it must be at least 1"));
        }
        Ok(Stream {
            name: publish.name.clone().unwrap_or_else(|| publish.topic.clone()),
            pace,
            names,
            payload,
            place,
            kind: Kind::Mqtt(MqttStream {
                target,
                qos,
                retain: publish.retain,
                window,
                properties: publish.properties.clone(),
            }),
        })
    }

    fn collect(&self, number: usize, expect: &Expect) -> Result<Collect, ScenarioError> {
        let field = format!("expect[{number}]");
        if expect.topic.is_empty() {
            return Err(ScenarioError::field(format!("{field}.topic"), "name the topics on which outputs come"));
        }
        let path = |name: &str, text: &Option<String>| {
            let bad = |text: &str| {
                let what = format!("\"{text}\" is not a path such as \"seq\" or \"data.items[0].n\"");
                ScenarioError::field(format!("{field}.{name}"), what)
            };
            text.as_deref().map(|text| JsonPath::parse(text).ok_or_else(|| bad(text))).transpose()
        };
        let level = match expect.level {
            Some(0) => return Err(ScenarioError::field(format!("{field}.level"), "topic levels count from 1")),
            level => level.map(|level| level - 1),
        };
        Ok(Collect {
            target: self.target(&field, expect.mqtt.as_ref())?,
            filter: expect.topic.clone(),
            qos: qos(&format!("{field}.qos"), expect.qos)?,
            sequence: path("sequence", &expect.sequence)?,
            key: path("key", &expect.key)?,
            level,
            all: expect.all.unwrap_or(true),
            ordered: expect.ordered.unwrap_or(true),
        })
    }
}

fn topics(field: &str, pattern: &str) -> Result<Vec<String>, ScenarioError> {
    let topics = expand(pattern).at(field)?;
    for topic in &topics {
        if topic.is_empty() || topic.contains(['+', '#', '\0']) || topic.len() > usize::from(u16::MAX) {
            return Err(ScenarioError::field(field, format!("\"{topic}\" is not a topic that one can publish to")));
        }
    }
    Ok(topics)
}

fn qos(field: &str, qos: Option<u8>) -> Result<QoS, ScenarioError> {
    let number = qos.unwrap_or(1);
    QoS::from_bits(number).ok_or_else(|| ScenarioError::field(field, format!("{number} is not 0, 1 or 2")))
}

pub(super) fn table(field: &str, path: Option<&PathBuf>) -> Result<Arc<Table>, ScenarioError> {
    Ok(match path {
        Some(path) => Arc::new(Table::read(path).at(field)?),
        None => Arc::default(),
    })
}

/// Decides where the mark goes; `properties`: there is a place beside the payload.
pub(super) fn place(
    field: &str,
    wanted: MarkPlace,
    payload: &mut Template,
    properties: bool,
) -> Result<Place, ScenarioError> {
    let bad = |what: &str| Err(ScenarioError::field(field, what));
    let in_template = |payload: &Template| if payload.has_mark() { Place::Payload } else { Place::Sequence };
    match wanted {
        MarkPlace::None => Ok(Place::None),
        MarkPlace::Template if payload.has_sequence() => Ok(in_template(payload)),
        MarkPlace::Template => bad("the payload has neither {{mark}} nor {{seq}}"),
        MarkPlace::Property if properties => Ok(Place::Property),
        MarkPlace::Property => bad("user properties need version = 5"),
        MarkPlace::Json if payload.mark_json_object() => Ok(Place::Payload),
        MarkPlace::Json => bad("the payload is not a JSON object: use \"property\" or put {{mark}} into it"),
        MarkPlace::Auto if payload.has_sequence() => Ok(in_template(payload)),
        MarkPlace::Auto if payload.mark_json_object() => Ok(Place::Payload),
        MarkPlace::Auto if properties => Ok(Place::Property),
        MarkPlace::Auto => bad(
            "the payload is no JSON object and MQTT 3.1.1 has no user properties: put {{mark}} or {{seq}} into the \
             payload, or say mark = \"none\"",
        ),
    }
}
