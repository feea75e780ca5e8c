//! How long a message takes through a function. Run with `cargo test --release -p flotilla-runtime script_cost -- --ignored --nocapture`.

use std::time::Instant;

use super::host::{function, msg};

const ROUNDS: u32 = 50_000;

fn measure(name: &str, body: &str, input: &str) {
    let (code, host) = function(body);
    let msg = msg(input);
    let begun = Instant::now();
    for _ in 0..ROUNDS {
        code.receive(msg.clone());
        host.sent.borrow_mut().clear();
        host.done.borrow_mut().clear();
    }
    let micros = begun.elapsed().as_secs_f64() * 1e6 / f64::from(ROUNDS);
    assert!(host.errors.borrow().is_empty(), "{:?}", host.errors.borrow());
    tracing::info!("{name}: {micros:.2} us");
    let _ =
        std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("{name}: {micros:.2} us, {} B\n", input.len()));
}

#[test]
#[ignore = "a measurement"]
fn script_cost() {
    let small = r#"{"_msgid":"0123456789abcdef","topic":"plant/line1/temperature","payload":{"value":21.5,"unit":"C","sensor":"s-1042","at":1763690000000,"quality":"good","seq":42},"qos":1,"retain":false,"site":"north-7"}"#;
    measure("200 B, one line", "msg.payload.value = msg.payload.value * 1.8 + 32; return msg;", small);
    measure("200 B, return msg", "return msg;", small);
    measure("200 B, node.send", "node.send(msg);", small);
    measure("200 B, await", "await null; return msg;", small);
    measure("200 B, flow.get/set", "flow.set('n', (flow.get('n') || 0) + 1); return msg;", small);
    let reading = r#"{"id":"sensor-0001","value":21.25,"unit":"celsius","ok":true,"at":1763690000000}"#;
    let readings = vec![reading; 58].join(",");
    let large = format!(
        r#"{{"_msgid":"0123456789abcdef","topic":"plant/all","payload":{{"site":"north","count":58,"readings":[{readings}]}}}}"#
    );
    measure("5 KB, one field", "msg.payload.count += 1; return msg;", &large);
    measure("5 KB, one element", "msg.payload.first = msg.payload.readings[0].value; return msg;", &large);
    measure(
        "5 KB, every element",
        "msg.payload.sum = msg.payload.readings.reduce((s, r) => s + r.value, 0); return msg;",
        &large,
    );
    let wide: Vec<String> = (0..250).map(|n| format!(r#""field{n}":{n}.5"#)).collect();
    let wide = format!(r#"{{"_msgid":"0123456789abcdef","payload":{{{}}}}}"#, wide.join(","));
    measure("5 KB flat, one field", "msg.payload.field7 += 1; return msg;", &wide);
}
