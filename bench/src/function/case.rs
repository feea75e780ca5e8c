//! What goes through the function.

/// A function and the message for it.
pub struct Case {
    /// What it shows.
    pub name: &'static str,
    /// The function node's code.
    pub code: &'static str,
    /// How many readings the payload has; 0 for the small message.
    readings: usize,
}

/// What is measured.
pub const CASES: &[Case] = &[
    Case {
        name: "200 B, one line",
        code: "msg.payload.value = msg.payload.value * 1.8 + 32; return msg;",
        readings: 0,
    },
    Case { name: "5 KB, one field", code: "msg.payload.count += 1; return msg;", readings: 58 },
    Case {
        name: "5 KB, every element",
        code: "msg.payload.sum = msg.payload.readings.reduce((s, r) => s + r.value, 0); return msg;",
        readings: 58,
    },
];

impl Case {
    /// The message as JSON.
    pub fn message(&self) -> String {
        if self.readings == 0 {
            return r#"{"_msgid":"0123456789abcdef","topic":"plant/line1/temperature","payload":{"value":21.5,"unit":"C","sensor":"s-1042","at":1763690000000,"quality":"good","seq":42},"qos":1,"retain":false,"site":"north-7"}"#
                .to_owned();
        }
        let reading = r#"{"id":"sensor-0001","value":21.25,"unit":"celsius","ok":true,"at":1763690000000}"#;
        let readings = vec![reading; self.readings].join(",");
        format!(
            r#"{{"_msgid":"0123456789abcdef","topic":"plant/all","payload":{{"site":"north","count":58,"readings":[{readings}]}}}}"#
        )
    }
}
