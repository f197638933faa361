//! One page in the browser.

use super::chromium::Chromium;
use anyhow::Result;
use serde_json::{Value, json};

/// A tab.
pub(crate) struct Tab<'c> {
    chromium: &'c Chromium,
    session: String,
}

/// What went on while a page was shown.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// Errors and warnings in the console, violations of the policy among them; scripts that threw; dialogs that opened.
    pub(crate) complaints: Vec<String>,
    /// Addresses that were asked.
    pub(crate) requests: Vec<String>,
    /// Status of the document.
    pub(crate) status: u64,
}

impl<'c> Tab<'c> {
    /// Opens an empty one.
    pub(crate) fn open(chromium: &'c Chromium) -> Result<Self> {
        let target = chromium.call("", "Target.createTarget", json!({"url": "about:blank"}))?;
        let attached = json!({"targetId": target["targetId"], "flatten": true});
        let session = chromium.call("", "Target.attachToTarget", attached)?["sessionId"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        let tab = Self { chromium, session };
        for domain in ["Page", "Runtime", "Log", "Network"] {
            tab.call(&format!("{domain}.enable"), json!({}))?;
        }
        Ok(tab)
    }

    pub(crate) fn call(&self, method: &str, parameters: Value) -> Result<Value> {
        self.chromium.call(&self.session, method, parameters)
    }

    /// Whether the page's scripts run.
    pub(crate) fn set_scripts(&self, run: bool) {
        self.call("Emulation.setScriptExecutionDisabled", json!({"value": !run}))
            .unwrap();
    }

    /// Width of the window in pixels.
    pub(crate) fn set_width(&self, width: u32) {
        let size = json!({"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false});
        self.call("Emulation.setDeviceMetricsOverride", size).unwrap();
    }

    /// What the system is set to: `light` or `dark`.
    pub(crate) fn set_colours(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.call("Emulation.setEmulatedMedia", features).unwrap();
    }

    /// Goes to a page, and says what went on until it was whole.
    pub(crate) fn go(&self, address: &str) -> Seen {
        self.seen();
        self.call("Page.navigate", json!({"url": address})).unwrap();
        self.loaded()
    }

    /// Waits for the page that is being loaded.
    pub(crate) fn loaded(&self) -> Seen {
        self.chromium
            .wait_for(&self.session, "Page.loadEventFired")
            .unwrap();
        // A round through the page's own queue: what it had to say by now has arrived after this.
        self.evaluate("1");
        self.seen()
    }

    /// What went on since the last time.
    pub(crate) fn seen(&self) -> Seen {
        let mut seen = Seen::default();
        for event in self.chromium.events() {
            let parameters = &event["params"];
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            match event["method"].as_str().unwrap_or_default() {
                "Network.requestWillBeSent" => seen.requests.push(text(&parameters["request"]["url"])),
                "Network.responseReceived" if parameters["type"] == "Document" => {
                    seen.status = parameters["response"]["status"].as_u64().unwrap_or(0);
                }
                "Log.entryAdded" => {
                    let entry = &parameters["entry"];
                    if entry["level"] != "verbose" && entry["level"] != "info" {
                        seen.complaints.push(entry.to_string());
                    }
                }
                "Runtime.consoleAPICalled"
                    if parameters["type"] == "error" || parameters["type"] == "warning" =>
                {
                    seen.complaints.push(parameters["args"].to_string());
                }
                "Runtime.exceptionThrown" => seen.complaints.push(parameters["exceptionDetails"].to_string()),
                "Page.javascriptDialogOpening" => {
                    seen.complaints.push(format!("dialog: {}", parameters["message"]))
                }
                _ => {}
            }
        }
        seen
    }

    /// The value of an expression in the page; works without the page's own scripts as well.
    pub(crate) fn evaluate(&self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.call("Runtime.evaluate", asked).unwrap();
        assert!(result.get("exceptionDetails").is_none(), "{expression}: {result}");
        result["result"]["value"].clone()
    }

    /// The visible text of the first element that fits, empty if none does.
    pub(crate) fn text(&self, selector: &str) -> String {
        let selector = serde_json::to_string(selector).unwrap();
        let found = self.evaluate(&format!("document.querySelector({selector})?.innerText ?? ''"));
        found.as_str().unwrap_or_default().to_owned()
    }

    /// Presses a key such as `Tab` or `Enter`.
    pub(crate) fn press(&self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, ""),
            "Enter" => (13, "\r"),
            _ => (0, key),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code});
            if kind == "keyDown" && !text.is_empty() {
                event["text"] = text.into();
            }
            self.call("Input.dispatchKeyEvent", event).unwrap();
        }
    }

    /// Writes into what has the focus.
    pub(crate) fn write(&self, text: &str) {
        self.call("Input.insertText", json!({"text": text})).unwrap();
    }
}
