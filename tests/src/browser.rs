//! A real browser (Chromium), driven over its DevTools protocol: what a page does to a browser is known by a browser alone.

use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::process::is_on_path;
use crate::wait::eventually;

/// How long a page may take, and a browser to start.
const DEADLINE: Duration = Duration::from_secs(30);

/// A browser with one tab. Dropped, it is killed.
pub struct Browser {
    child: Child,
    socket: WebSocket<TcpStream>,
    session: String,
    asked: u64,
    /// Errors in the console and in the log of the tab (a policy of the page that was violated, a failed request).
    errors: Vec<String>,
    /// Its profile.
    _folder: tempfile::TempDir,
}

impl Browser {
    /// Starts the browser; `None`, with a line that says so, where there is none.
    pub fn start() -> anyhow::Result<Option<Browser>> {
        let Some(program) = ["chromium", "chromium-browser", "google-chrome"].into_iter().find(|name| is_on_path(name))
        else {
            eprintln!("SKIPPED: the test of pages in a browser: chromium is not here");
            return Ok(None);
        };
        let folder = tempfile::TempDir::new()?;
        let mut command = Command::new(program);
        command.args(["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]);
        command.args(["--disable-background-networking", "--remote-debugging-port=0", "about:blank"]);
        command.arg(format!("--user-data-dir={}", folder.path().display()));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        match connect(folder.path()) {
            Ok(socket) => {
                let session = String::new();
                let mut browser = Browser { child, socket, session, asked: 0, errors: Vec::new(), _folder: folder };
                browser.attach()?;
                Ok(Some(browser))
            }
            Err(error) => {
                let mut child = child;
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Goes to an address and waits until it is loaded.
    pub fn open(&mut self, url: &str) -> anyhow::Result<()> {
        let answer = self.call("Page.navigate", &json!({"url": url}))?;
        ensure!(answer["errorText"].is_null(), "{url}: {}", answer["errorText"]);
        self.loaded()
    }

    /// What an expression is worth on the page; promises are waited for.
    pub fn evaluate(&mut self, expression: &str) -> anyhow::Result<Value> {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let answer = self.call("Runtime.evaluate", &asked)?;
        ensure!(answer["exceptionDetails"].is_null(), "{expression}: {}", answer["exceptionDetails"]);
        Ok(answer["result"]["value"].clone())
    }

    /// The text that a page shows.
    pub fn text(&mut self) -> anyhow::Result<String> {
        Ok(self.evaluate("document.body.innerText")?.as_str().unwrap_or_default().to_owned())
    }

    /// Where the tab is, without the address of the server.
    pub fn path(&mut self) -> anyhow::Result<String> {
        Ok(self.evaluate("location.pathname")?.as_str().unwrap_or_default().to_owned())
    }

    /// Types into a field, as keys do: where it has a value, over it.
    pub fn type_into(&mut self, selector: &str, text: &str) -> anyhow::Result<()> {
        let found = self.evaluate(&format!(
            "(() => {{ const e = document.querySelector({}); if (!e) return false; e.focus(); e.select(); return true; }})()",
            json!(selector)
        ))?;
        ensure!(found == json!(true), "the page has no {selector}");
        self.call("Input.insertText", &json!({"text": text}))?;
        Ok(())
    }

    /// Clicks the first of what a selector finds, and waits for the page that comes.
    pub fn click(&mut self, selector: &str) -> anyhow::Result<()> {
        self.evaluate("window.__old = true")?;
        let place = self.evaluate(&format!(
            "(() => {{ const e = document.querySelector({}); if (!e) return null; e.scrollIntoView(); \
             const r = e.getBoundingClientRect(); return [r.x + r.width / 2, r.y + r.height / 2]; }})()",
            json!(selector)
        ))?;
        ensure!(!place.is_null(), "the page has no {selector}");
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({"type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1});
            self.call("Input.dispatchMouseEvent", &event)?;
        }
        let until = Instant::now() + DEADLINE;
        // While the page changes, there is none to ask.
        while self.evaluate("window.__old === true").map_or(true, |old| old == json!(true)) {
            ensure!(Instant::now() < until, "no page came after a click on {selector}");
        }
        self.loaded()
    }

    /// What went wrong on the pages so far.
    pub fn take_errors(&mut self) -> Vec<String> {
        // What has happened by now has been said before the answer to this.
        let _ = self.evaluate("0");
        std::mem::take(&mut self.errors)
    }

    fn attach(&mut self) -> anyhow::Result<()> {
        let target = self.call("Target.createTarget", &json!({"url": "about:blank"}))?;
        let asked = json!({"targetId": target["targetId"], "flatten": true});
        self.session = self.call("Target.attachToTarget", &asked)?["sessionId"].as_str().unwrap_or_default().to_owned();
        for domain in ["Page.enable", "Runtime.enable", "Log.enable"] {
            self.call(domain, &json!({}))?;
        }
        Ok(())
    }

    fn loaded(&mut self) -> anyhow::Result<()> {
        let until = Instant::now() + DEADLINE;
        while self.evaluate("document.readyState").ok() != Some(json!("complete")) {
            ensure!(Instant::now() < until, "the page is not loaded after {DEADLINE:?}");
        }
        Ok(())
    }

    fn call(&mut self, method: &str, params: &Value) -> anyhow::Result<Value> {
        self.asked += 1;
        let mut message = json!({"id": self.asked, "method": method, "params": params});
        if !self.session.is_empty() {
            message["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(message.to_string()))?;
        loop {
            let Message::Text(text) = self.socket.read().with_context(|| format!("the answer to {method}"))? else {
                continue;
            };
            let answer: Value = serde_json::from_str(&text)?;
            if answer["id"] == json!(self.asked) {
                if !answer["error"].is_null() {
                    bail!("{method}: {}", answer["error"]);
                }
                return Ok(answer["result"].clone());
            }
            self.note(&answer);
        }
    }

    fn note(&mut self, event: &Value) {
        let params = &event["params"];
        match event["method"].as_str() {
            Some("Log.entryAdded") if params["entry"]["level"] == "error" => {
                self.errors.push(format!("{} {}", params["entry"]["text"], params["entry"]["url"]));
            }
            Some("Runtime.exceptionThrown") => self.errors.push(params["exceptionDetails"].to_string()),
            _ => {}
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The browser writes where it listens into its profile.
fn connect(profile: &Path) -> anyhow::Result<WebSocket<TcpStream>> {
    let file = profile.join("DevToolsActivePort");
    let found = eventually("the browser to listen", DEADLINE, || {
        let text = std::fs::read_to_string(&file).ok()?;
        let (port, path) = text.split_once('\n')?;
        (!path.is_empty()).then(|| (port.to_owned(), path.trim().to_owned()))
    });
    let (port, path) = found?;
    let stream = TcpStream::connect(format!("127.0.0.1:{port}"))?;
    stream.set_read_timeout(Some(DEADLINE))?;
    stream.set_write_timeout(Some(DEADLINE))?;
    let (socket, _) = tungstenite::client(format!("ws://127.0.0.1:{port}{path}"), stream)
        .map_err(|error| anyhow::anyhow!("the browser's protocol: {error}"))?;
    Ok(socket)
}
