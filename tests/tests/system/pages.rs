//! The pages of the admin address in a real browser: signing in, tokens, signing out, and what the browser's own rules (the
//! policy of the pages, the origin of forms, cookies) make of them.

use std::io::Write as _;
use std::process::{Command, Stdio};

use flotilla_tests::{Browser, Up, UpOptions, flotilla, request, write_flow};
use serde_json::{Value, json};

const PASSWORD: &str = "a password of ann's";

fn start() -> Up {
    let folder = tempfile::TempDir::new().unwrap();
    let file = write_flow(folder.path(), &json!([{"id": "tab", "type": "tab", "label": "pages"}])).unwrap();
    Up::start(&file, UpOptions { replicas: 1, args: Vec::new() }).unwrap()
}

fn add_user(up: &Up, name: &str, role: &str) {
    let mut command = Command::new(flotilla().unwrap());
    command.args(["user", "add", name, "--role", role, "--admin", &up.admin.to_string()]);
    command.env("FLOTILLA_ADMIN_TOKEN", up.api().token.unwrap()).stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{PASSWORD}").unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_person_signs_in_makes_a_token_and_leaves() {
    let Some(mut browser) = Browser::start().unwrap() else { return };
    let up = start();
    add_user(&up, "ann", "viewer:default");
    let page = |path: &str| format!("http://{}{path}", up.admin);

    // Whoever is not signed in is sent there.
    browser.open(&page("/account")).unwrap();
    assert_eq!(browser.path().unwrap(), "/login");
    let sign_in = |browser: &mut Browser, password: &str| {
        browser.type_into("[name=user]", "ann").unwrap();
        browser.type_into("[name=password]", password).unwrap();
        browser.click("form button").unwrap();
    };
    sign_in(&mut browser, "another password");
    let refused = browser.text().unwrap();
    assert!(browser.path().unwrap() == "/login" && refused.contains("password"), "{refused}");
    // A browser notes each answer that is an error.
    let noted = browser.take_errors();
    assert!(noted.iter().all(|error| error.contains("403")), "{noted:?}");

    sign_in(&mut browser, PASSWORD);
    assert_eq!(browser.path().unwrap(), "/account");
    let account = browser.text().unwrap();
    assert!(account.contains("Signed in as ann") && account.contains("viewer:default"), "{account}");
    let cookies = browser.evaluate("document.cookie").unwrap();
    assert_eq!(cookies, json!(""), "scripts of a page do not see the session");

    // The token works, and is shown once.
    browser.type_into("[name=name]", "desk <b>&").unwrap();
    browser.click("[action='/account/tokens'] button").unwrap();
    let token = browser.evaluate("document.querySelector('#token')?.textContent").unwrap();
    let token = token.as_str().expect("the page shows the token").to_owned();
    let status = |token: &str| {
        request(up.admin, "GET", "/api/v1/whoami", &format!("Authorization: Bearer {token}\r\n"), "").unwrap()
    };
    let whoami: Value = serde_json::from_str(&status(&token).body).unwrap();
    assert_eq!(whoami["name"], "ann");
    browser.open(&page("/account")).unwrap();
    let account = browser.text().unwrap();
    assert!(account.contains("desk <b>&"), "names are text: {account}");
    assert!(!browser.evaluate("document.documentElement.outerHTML").unwrap().as_str().unwrap().contains(&token));

    browser.click("[action$='/revoke'] button").unwrap();
    assert_eq!(browser.path().unwrap(), "/account");
    assert_eq!(status(&token).status, 401);

    assert_eq!(browser.take_errors(), Vec::<String>::new(), "the policy of the pages refuses nothing of theirs");

    // Scripts have nothing to ask on these pages, and a form without what only the page knows does nothing.
    assert!(browser.evaluate("fetch('/api/v1/whoami').then(() => 1)").is_err());
    browser.evaluate("document.querySelector(\"[action='/account/tokens'] [name=csrf]\").remove()").unwrap();
    browser.click("[action='/account/tokens'] button").unwrap();
    let refused = browser.text().unwrap();
    assert!(refused.contains("csrf") || refused.contains("form"), "{refused}");
    drop(browser.take_errors());
    browser.open(&page("/account")).unwrap();
    assert!(browser.text().unwrap().contains("There are none"), "no token was made");

    browser.click("[action='/logout'] button").unwrap();
    assert_eq!(browser.path().unwrap(), "/login");
    browser.open(&page("/account")).unwrap();
    assert_eq!(browser.path().unwrap(), "/login", "the session has ended");
    assert_eq!(browser.take_errors(), Vec::<String>::new());
}

#[test]
fn the_description_of_the_api_is_a_page() {
    let Some(mut browser) = Browser::start().unwrap() else { return };
    let up = start();
    browser.open(&format!("http://{}/api/v1/docs", up.admin)).unwrap();
    let text = browser.text().unwrap();
    for shown in ["/api/v1/groups/{group}/deploy", "/api/v1/openapi.json"] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
    assert_eq!(browser.take_errors(), Vec::<String>::new());
}
