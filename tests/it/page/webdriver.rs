//! A small WebDriver client: chromedriver is a child process, and its commands are JSON over HTTP.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

/// The keys that have no character, as WebDriver names them.
pub const LEFT: &str = "\u{e012}";
pub const UP: &str = "\u{e013}";
pub const RIGHT: &str = "\u{e014}";
pub const DOWN: &str = "\u{e015}";
pub const END: &str = "\u{e010}";
pub const ESCAPE: &str = "\u{e00c}";
pub const ENTER: &str = "\u{e007}";
pub const SHIFT: &str = "\u{e008}";
pub const CONTROL: &str = "\u{e009}";

/// A browser of one's own, without a window, with an empty profile. It ends with this value.
pub struct Browser {
    driver: Child,
    port: u16,
    session: String,
    _profile: tempfile::TempDir,
}

impl Browser {
    /// Starts one, or returns `None` where there is none to start; with `CI` or `GILSIM_BROWSER` set that is a failure.
    pub fn start(width: u32, height: u32) -> Option<Browser> {
        // Drivers that start at the same moment can choose the same port; then one of them gives up.
        let started: std::io::Result<Option<_>> = (0..5).find_map(|_| start_driver().transpose()).transpose();
        let Ok(started) = started else {
            let needs = "chromedriver is missing: apt-get install chromium chromium-driver";
            let optional = ["CI", "GILSIM_BROWSER"].iter().all(|name| std::env::var_os(name).is_none());
            assert!(optional, "{needs}");
            eprintln!("SKIPPED: no page was opened; {needs}");
            return None;
        };
        let (driver, port) = started.expect("chromedriver starts");
        let profile = tempfile::tempdir().expect("a scratch folder");
        let mut browser = Browser { driver, port, session: String::new(), _profile: profile };
        let options = browser.options(width, height);
        let made = browser.send("POST", "/session", &options);
        browser.session = format!("/session/{}", made["sessionId"].as_str().expect("a session"));
        Some(browser)
    }

    fn options(&self, width: u32, height: u32) -> Value {
        let mut flags: Vec<String> = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--hide-scrollbars",
            "--force-color-profile=srgb",
        ]
        .map(str::to_string)
        .to_vec();
        flags.push(format!("--user-data-dir={}", self._profile.path().display()));
        flags.push(format!("--window-size={width},{height}"));
        json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": flags},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "unhandledPromptBehavior": "ignore",
            "timeouts": {"script": 120_000, "pageLoad": 120_000},
        }}})
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).expect("chromedriver listens");
        stream.set_read_timeout(Some(Duration::from_secs(180))).expect("a timeout");
        let body = if method == "POST" { body.to_string() } else { String::new() };
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n",
            self.port,
            body.len()
        );
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body.as_bytes())).expect("sent");
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).expect("a header");
            if let Some((name, value)) = line.split_once(':')
                && name.eq_ignore_ascii_case("content-length")
            {
                length = value.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).expect("an answer");
        let mut answer: Value = serde_json::from_slice(&answer).expect("JSON");
        let value = answer["value"].take();
        assert!(value["error"].is_null(), "{method} {path}: {value}");
        value
    }

    fn post(&self, path: &str, body: Value) -> Value {
        self.send("POST", &format!("{}{path}", self.session), &body)
    }

    /// Opens a file.
    pub fn open(&self, file: &Path) {
        self.open_at(file, "");
    }

    /// Opens a file at a place in it.
    pub fn open_at(&self, file: &Path, place: &str) {
        self.go(&format!("file://{}{place}", file.display()));
    }

    /// Opens an address.
    pub fn go(&self, address: &str) {
        self.post("/url", json!({"url": address}));
    }

    /// Presses keys, one after the other.
    pub fn press(&self, keys: &[&str]) {
        let strokes: Vec<Value> = keys
            .iter()
            .flat_map(|key| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})])
            .collect();
        self.post("/actions", json!({"actions": [{"type": "key", "id": "keys", "actions": strokes}]}));
    }

    /// Moves, presses and lets go of the mouse, at places in the window: `("move", x, y)`, `("down", 0, 0)`, `("up", 0, 0)`.
    pub fn mouse(&self, acts: &[(&str, i64, i64)]) {
        self.post("/actions", json!({"actions": [pointer("mouse", "mouse", acts)]}));
    }

    /// Fingers that act at the same time, each as [`Browser::mouse`] does.
    pub fn fingers(&self, fingers: &[&[(&str, i64, i64)]]) {
        let fingers = fingers.iter().enumerate().map(|(n, acts)| pointer(&format!("finger-{n}"), "touch", acts));
        self.post("/actions", json!({"actions": fingers.collect::<Vec<_>>()}));
    }

    /// Turns the wheel at a place in the window, perhaps while a key is held.
    pub fn wheel(&self, (x, y): (i64, i64), (sideways, down): (i64, i64), key: Option<&str>) {
        let turn = json!({"type": "scroll", "x": x, "y": y, "deltaX": sideways, "deltaY": down, "duration": 0});
        let pause = json!({"type": "pause"});
        let wheel = json!({"type": "wheel", "id": "wheel", "actions": [pause, turn, pause]});
        let held = key.map(|key| {
            let acts = json!([{"type": "keyDown", "value": key}, pause, {"type": "keyUp", "value": key}]);
            json!({"type": "key", "id": "keys", "actions": acts})
        });
        self.post("/actions", json!({"actions": held.into_iter().chain([wheel]).collect::<Vec<_>>()}));
    }

    /// Types a text.
    pub fn enter(&self, text: &str) {
        let keys: Vec<String> = text.chars().map(String::from).collect();
        self.press(&keys.iter().map(String::as_str).collect::<Vec<_>>());
    }

    /// Runs the body of a function in the page.
    pub fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []}))
    }

    /// Runs the body of a function in the page that calls `done` with its answer.
    pub fn wait(&self, script: &str) -> Value {
        let script = format!("const done = arguments[0];\n{script}");
        self.post("/execute/async", json!({"script": script, "args": []}))
    }

    /// The text of an element as it is rendered; empty while it is hidden.
    pub fn text(&self, id: &str) -> String {
        let script =
            format!("const it = document.getElementById({id:?}); return it.checkVisibility() ? it.innerText : ''");
        self.run(&script).as_str().expect("a text").trim().to_string()
    }

    /// Waits until the page has drawn what it was asked for.
    pub fn settle(&self) {
        self.wait("requestAnimationFrame(() => requestAnimationFrame(() => done(0)))");
    }

    /// A command of the DevTools protocol.
    pub fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({"cmd": command, "params": parameters}))
    }

    /// How the page is shown: `screen` or `print`, `light` or `dark`.
    pub fn media(&self, media: &str, scheme: &str) {
        let features = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        self.devtools("Emulation.setEmulatedMedia", json!({"media": media, "features": features}));
        self.settle();
    }

    /// A picture of what is in view, as PNG.
    pub fn picture(&self) -> Vec<u8> {
        self.settle();
        base64(self.send("GET", &format!("{}/screenshot", self.session), &Value::Null).as_str().expect("a picture"))
    }

    /// The page on paper, as PDF.
    pub fn paper(&self) -> Vec<u8> {
        base64(self.post("/print", json!({"background": true})).as_str().expect("a document"))
    }

    /// What the console has said since it was last asked.
    pub fn console(&self) -> Vec<String> {
        let said = self.post("/se/log", json!({"type": "browser"}));
        said.as_array().expect("a list").iter().map(|entry| entry["message"].to_string()).collect()
    }

    /// The addresses that the browser has asked for since it was last asked.
    pub fn requests(&self) -> Vec<String> {
        let said = self.post("/se/log", json!({"type": "performance"}));
        let events = said.as_array().expect("a list").iter().map(|entry| {
            let event: Value = serde_json::from_str(entry["message"].as_str().expect("a text")).expect("JSON");
            event["message"].clone()
        });
        let asked = events.filter(|event| event["method"] == "Network.requestWillBeSent");
        // A new browser loads a page of its own first.
        let ours = asked.filter(|event| !event["params"]["documentURL"].to_string().contains("chrome://"));
        ours.map(|event| event["params"]["request"]["url"].as_str().expect("an address").to_string()).collect()
    }

    /// Whether a dialog of the browser is open.
    pub fn has_dialog(&self) -> bool {
        // Without a dialog this is an error, which `send` would take for a failure; so every page is asked instead: an
        // open dialog stops scripts.
        self.run("return 1") != 1
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.send("DELETE", &self.session, &Value::Null);
        }
        // Chromedriver takes its browser with it.
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The acts of one pointer.
fn pointer(id: &str, kind: &str, acts: &[(&str, i64, i64)]) -> Value {
    let acts = acts.iter().map(|(act, x, y)| match *act {
        "move" => json!({"type": "pointerMove", "duration": 0, "x": x, "y": y}),
        "down" => json!({"type": "pointerDown", "button": 0}),
        "up" => json!({"type": "pointerUp", "button": 0}),
        other => panic!("no pointer can {other}"),
    });
    json!({"type": "pointer", "id": id, "parameters": {"pointerType": kind}, "actions": acts.collect::<Vec<_>>()})
}

/// Chromedriver and its port; `Ok(None)` if it gave up, an error if it is missing.
fn start_driver() -> std::io::Result<Option<(Child, u16)>> {
    let mut driver =
        Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let mut lines = BufReader::new(driver.stdout.take().expect("piped")).lines();
    let port = lines.find_map(|line| {
        let line = line.expect("text");
        let port = line.strip_prefix("ChromeDriver was started successfully on port ")?;
        port.trim_end_matches('.').parse().ok()
    });
    match port {
        Some(port) => Ok(Some((driver, port))),
        None => driver.wait().map(|_| None),
    }
}

fn base64(text: &str) -> Vec<u8> {
    let digit = |c: u8| match c {
        b'A'..=b'Z' => u32::from(c - b'A'),
        b'a'..=b'z' => u32::from(c - b'a') + 26,
        b'0'..=b'9' => u32::from(c - b'0') + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u32> = text.bytes().filter(|c| *c != b'=').map(digit).collect();
    let bytes = digits.chunks(4).flat_map(|chunk| {
        let bits = chunk.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - chunk.len()));
        bits.to_be_bytes()[1..chunk.len()].to_vec()
    });
    bytes.collect()
}
