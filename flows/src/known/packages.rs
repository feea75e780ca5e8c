//! Which npm packages widely used node types come from.

/// Types, and the npm package of each. A `*` at the end stands for any end; of several that fit, the longest counts.
const PACKAGES: &[(&str, &str)] = &[
    ("BACnet-*", "node-red-contrib-bacnet"),
    ("BooleanLogicUltimate", "node-red-contrib-boolean-logic-ultimate"),
    ("CPUs", "node-red-contrib-os"),
    ("Drives", "node-red-contrib-os"),
    ("FINS *", "node-red-contrib-omron-fins"),
    ("FilterUltimate", "node-red-contrib-boolean-logic-ultimate"),
    ("GSheet", "node-red-contrib-google-sheets"),
    ("InvertUltimate", "node-red-contrib-boolean-logic-ultimate"),
    ("Kafka *", "node-red-contrib-kafka-manager"),
    ("Loadavg", "node-red-contrib-os"),
    ("MC *", "node-red-contrib-mcprotocol"),
    ("MSSQL*", "node-red-contrib-mssql-plus"),
    ("Memory", "node-red-contrib-os"),
    ("MySQLdatabase", "node-red-node-mysql"),
    ("NetworkIntf", "node-red-contrib-os"),
    ("OPCUA-IIoT-*", "node-red-contrib-iiot-opcua"),
    ("OS", "node-red-contrib-os"),
    ("OpcUa-*", "node-red-contrib-opcua"),
    ("PID", "node-red-contrib-pid"),
    ("PID control", "node-red-node-pidcontrol"),
    ("SimpleOutputUltimate", "node-red-contrib-boolean-logic-ultimate"),
    ("Stackhero-InfluxDB-v2*", "node-red-contrib-stackhero-influxdb-v2"),
    ("Stackhero-MySQL*", "node-red-contrib-stackhero-mysql"),
    ("Tasmota *", "node-red-contrib-tasmota"),
    ("Unifi*", "node-red-contrib-unifi"),
    ("Uptime", "node-red-contrib-os"),
    ("actionflows*", "node-red-contrib-actionflows"),
    ("aedes broker", "node-red-contrib-aedes"),
    ("alexa-remote-*", "node-red-contrib-alexa-remote2"),
    ("amazon config", "node-red-node-aws"),
    ("amazon s3*", "node-red-node-aws"),
    ("amazon-echo-*", "node-red-contrib-amazon-echo"),
    ("amqp-*", "node-red-contrib-amqp"),
    ("api-call-service", "node-red-contrib-home-assistant-websocket"),
    ("api-current-state", "node-red-contrib-home-assistant-websocket"),
    ("api-get-history", "node-red-contrib-home-assistant-websocket"),
    ("api-render-template", "node-red-contrib-home-assistant-websocket"),
    ("arduino*", "node-red-node-arduino"),
    ("azureiothub*", "node-red-contrib-azure-iot-hub"),
    ("base64", "node-red-node-base64"),
    ("bigtimer", "node-red-contrib-bigtimer"),
    ("blind-control", "node-red-contrib-sun-position"),
    ("book", "node-red-contrib-spreadsheet-in"),
    ("buffer-maker", "node-red-contrib-buffer-parser"),
    ("buffer-parser", "node-red-contrib-buffer-parser"),
    ("cassandra*", "node-red-contrib-cassandra"),
    ("cast-to-client", "node-red-contrib-cast"),
    ("cloudant*", "node-red-node-cf-cloudant"),
    ("config", "node-red-contrib-config"),
    ("counter", "node-red-contrib-counter"),
    ("cpu", "node-red-contrib-cpu"),
    ("credentials", "node-red-contrib-credentials"),
    ("cronplus", "node-red-contrib-cron-plus"),
    ("data-generator", "node-red-node-data-generator"),
    ("deconz-*", "node-red-contrib-deconz"),
    ("decrypt", "node-red-contrib-crypto-js"),
    ("delay-until", "node-red-contrib-sun-position"),
    ("digest", "node-red-contrib-crypto-js"),
    ("discordMessage*", "node-red-contrib-discord"),
    ("e-mail*", "node-red-node-email"),
    ("encrypt", "node-red-contrib-crypto-js"),
    ("eth-ip *", "node-red-contrib-cip-ethernet-ip"),
    ("ewelink-*", "node-red-contrib-ewelink"),
    ("exif", "node-red-node-exif"),
    ("eztimer", "node-red-contrib-eztimer"),
    ("feedparse", "node-red-node-feedparser"),
    ("fs-ops-*", "node-red-contrib-fs-ops"),
    ("ftp", "node-red-contrib-ftp"),
    ("ftp in", "node-red-contrib-ftp"),
    ("gate", "node-red-contrib-simple-gate"),
    ("generic ble*", "node-red-contrib-generic-ble"),
    ("generic-ble*", "node-red-contrib-generic-ble"),
    ("geohash", "node-red-node-geohash"),
    ("ha-*", "node-red-contrib-home-assistant-websocket"),
    ("hmac", "node-red-contrib-crypto-js"),
    ("homekit-*", "node-red-contrib-homekit-bridged"),
    ("hue-*", "node-red-contrib-huemagic"),
    ("humanizer", "node-red-contrib-moment"),
    ("i2c *", "node-red-contrib-i2c"),
    ("image", "node-red-contrib-image-output"),
    ("influxdb*", "node-red-contrib-influxdb"),
    ("jwt sign", "node-red-contrib-jwt"),
    ("jwt verify", "node-red-contrib-jwt"),
    ("knxUltimate*", "node-red-contrib-knx-ultimate"),
    ("light-scheduler*", "node-red-contrib-light-scheduler"),
    ("modbus-*", "node-red-contrib-modbus"),
    ("moment", "node-red-contrib-moment"),
    ("mongodb", "node-red-node-mongodb"),
    ("mongodb in", "node-red-node-mongodb"),
    ("mongodb out", "node-red-node-mongodb"),
    ("mongodb2*", "node-red-contrib-mongodb2"),
    ("mongodb4*", "node-red-contrib-mongodb4"),
    ("moon-position", "node-red-contrib-sun-position"),
    ("mqtt sparkplug *", "node-red-contrib-mqtt-sparkplug-plus"),
    ("msgpack", "node-red-node-msgpack"),
    ("mysql", "node-red-node-mysql"),
    ("openweathermap*", "node-red-node-openweathermap"),
    ("oracledb*", "node-red-contrib-oracledb"),
    ("ping", "node-red-node-ping"),
    ("poll-state", "node-red-contrib-home-assistant-websocket"),
    ("position-config", "node-red-contrib-sun-position"),
    ("postgreSQLConfig", "node-red-contrib-postgresql"),
    ("postgresql", "node-red-contrib-postgresql"),
    ("project link*", "@flowfuse/nr-project-nodes"),
    ("pushbullet*", "node-red-node-pushbullet"),
    ("pushover*", "node-red-node-pushover"),
    ("q-gate", "node-red-contrib-queue-gate"),
    ("random", "node-red-node-random"),
    ("redis-*", "node-red-contrib-redis"),
    ("rpi-dht22", "node-red-contrib-dht-sensor"),
    ("rpi-gpio *", "node-red-node-pi-gpio"),
    ("rpi-keyboard", "node-red-node-pi-gpio"),
    ("rpi-mouse", "node-red-node-pi-gpio"),
    ("s7 *", "node-red-contrib-s7"),
    ("schedex", "node-red-contrib-schedex"),
    ("serial *", "node-red-node-serialport"),
    ("serial-port", "node-red-node-serialport"),
    ("server", "node-red-contrib-home-assistant-websocket"),
    ("server-events", "node-red-contrib-home-assistant-websocket"),
    ("server-state-changed", "node-red-contrib-home-assistant-websocket"),
    ("sheet", "node-red-contrib-spreadsheet-in"),
    ("sheet-to-json", "node-red-contrib-spreadsheet-in"),
    ("shelly-*", "node-red-contrib-shelly"),
    ("snmp*", "node-red-node-snmp"),
    ("sonos-*", "node-red-contrib-sonos-plus"),
    ("spreadsheet-in", "node-red-contrib-spreadsheet-in"),
    ("sqlite", "node-red-node-sqlite"),
    ("sqlitedb", "node-red-node-sqlite"),
    ("stoptimer", "node-red-contrib-stoptimer"),
    ("stoptimer-varidelay", "node-red-contrib-stoptimer-varidelay"),
    ("string", "node-red-contrib-string"),
    ("sun-position", "node-red-contrib-sun-position"),
    ("sunrise", "node-red-node-suncalc"),
    ("tail", "node-red-node-tail"),
    ("telegram *", "node-red-contrib-telegrambot"),
    ("tensorflowCoco", "node-red-contrib-tfjs-coco-ssd"),
    ("time-inject", "node-red-contrib-sun-position"),
    ("toggleUltimate", "node-red-contrib-boolean-logic-ultimate"),
    ("trigger-state", "node-red-contrib-home-assistant-websocket"),
    ("ttn *", "node-red-contrib-ttn"),
    ("tuya-smart-device", "node-red-contrib-tuya-smart-device"),
    ("twitter*", "node-red-node-twitter"),
    ("ui-*", "@flowfuse/node-red-dashboard"),
    ("ui_*", "node-red-dashboard"),
    ("ui_artlessgauge", "node-red-contrib-ui-artless-gauge"),
    ("ui_iframe", "node-red-node-ui-iframe"),
    ("ui_led", "node-red-contrib-ui-led"),
    ("ui_level", "node-red-contrib-ui-level"),
    ("ui_list", "node-red-node-ui-list"),
    ("ui_media", "node-red-contrib-ui-media"),
    ("ui_microphone", "node-red-node-ui-microphone"),
    ("ui_multistate_switch", "node-red-contrib-ui-multistate-switch"),
    ("ui_svg_graphics", "node-red-contrib-ui-svg"),
    ("ui_table", "node-red-node-ui-table"),
    ("ui_upload", "node-red-contrib-ui-upload"),
    ("ui_vega", "node-red-node-ui-vega"),
    ("ui_webcam", "node-red-node-ui-webcam"),
    ("uib-*", "node-red-contrib-uibuilder"),
    ("uibuilder", "node-red-contrib-uibuilder"),
    ("victron-*", "@victronenergy/node-red-contrib-victron"),
    ("vsh-*", "node-red-contrib-virtual-smart-home"),
    ("wake on lan", "node-red-node-wol"),
    ("within-time-switch", "node-red-contrib-sun-position"),
    ("worldmap*", "node-red-contrib-web-worldmap"),
    ("xmpp*", "node-red-node-xmpp"),
    ("zigbee2mqtt-*", "node-red-contrib-zigbee2mqtt"),
];

/// The npm package of a type that is not Node-RED's own, where it is known.
pub fn npm_package(kind: &str) -> Option<&'static str> {
    let fits = |pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => kind.starts_with(start),
        None => kind == pattern,
    };
    // A whole name is longer than any beginning of it.
    let best = PACKAGES.iter().filter(|(pattern, _)| fits(pattern)).max_by_key(|(pattern, _)| {
        let whole = !pattern.ends_with('*');
        (whole, pattern.len())
    });
    best.map(|(_, package)| *package)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_fit_counts() {
        assert_eq!(npm_package("ui_gauge"), Some("node-red-dashboard"));
        assert_eq!(npm_package("ui_table"), Some("node-red-node-ui-table"));
        assert_eq!(npm_package("ui-gauge"), Some("@flowfuse/node-red-dashboard"));
        assert_eq!(npm_package("modbus-read"), Some("node-red-contrib-modbus"));
        assert_eq!(npm_package("influxdb out"), Some("node-red-contrib-influxdb"));
        assert_eq!(npm_package("server"), Some("node-red-contrib-home-assistant-websocket"));
        assert_eq!(npm_package("counterfeit"), None);
        assert_eq!(npm_package("no such thing"), None);
    }

    #[test]
    fn no_core_type_comes_from_a_package() {
        // The project link nodes are here as well, and a snapshot for FlowFuse names their package.
        assert!(PACKAGES.iter().all(|(pattern, _)| !super::super::is_core_type(pattern)));
        for (pattern, package) in PACKAGES {
            assert!(package.contains("node-red") || package.contains("nr-"), "{pattern}: {package}");
        }
    }
}
