//! A Chromium of one test, and the DevTools protocol over its pipe: JSON messages, each ended by a NUL.

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// How long the browser may take for anything on a machine that is busy with other tests.
const PATIENCE: Duration = Duration::from_secs(90);
/// Names under which Debian and others know it.
const PROGRAMS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// The browser; dropping it ends it.
pub(crate) struct Chromium {
    child: Child,
    wire: RefCell<Wire>,
    _profile: tempfile::TempDir,
}

struct Wire {
    to: ChildStdin,
    from: Receiver<Value>,
    last_id: u64,
    /// What happened while an answer was waited for.
    events: VecDeque<Value>,
}

/// Whether there is a browser on this machine.
pub(crate) fn program() -> Option<&'static str> {
    let is_there = |program: &&str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
    };
    PROGRAMS.into_iter().find(|program| is_there(program))
}

impl Chromium {
    /// Starts one without a window that knows no host but the loopback.
    pub(crate) fn start(program: &str) -> Result<Self> {
        let profile = tempfile::Builder::new()
            .prefix("imagewright-browser.")
            .tempdir()?;
        // Its ends of the pipe are descriptors 3 and 4: the shell moves them there.
        let script = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";
        let mut command = Command::new("sh");
        command
            .args(["-c", script, program])
            .args([
                "--headless",
                "--remote-debugging-pipe",
                "--no-first-run",
                "--disable-gpu",
            ])
            .args([
                "--disable-dev-shm-usage",
                "--disable-extensions",
                "--disable-sync",
                "--mute-audio",
            ])
            .args([
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-default-apps",
            ])
            // In containers there is often no sandbox to be had, and root gets none. What is opened comes from the test.
            .args([
                "--no-sandbox",
                "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
            ])
            .arg(format!("--user-data-dir={}", profile.path().display()))
            .arg("about:blank");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let to = child.stdin.take().context("no way to the browser")?;
        let out = child.stdout.take().context("no way from the browser")?;
        let (sender, from) = channel();
        std::thread::spawn(move || {
            let mut out = BufReader::new(out);
            let mut message = Vec::new();
            while out.read_until(0, &mut message).is_ok_and(|read| read > 0) {
                let parsed = serde_json::from_slice(message.strip_suffix(b"\0").unwrap_or(&message));
                if parsed.is_ok_and(|parsed| sender.send(parsed).is_err()) {
                    return;
                }
                message.clear();
            }
        });
        let wire = Wire {
            to,
            from,
            last_id: 0,
            events: VecDeque::new(),
        };
        Ok(Self {
            child,
            wire: RefCell::new(wire),
            _profile: profile,
        })
    }

    /// Calls a method and waits for its result; `session` is empty for the browser itself.
    pub(crate) fn call(&self, session: &str, method: &str, parameters: Value) -> Result<Value> {
        let mut wire = self.wire.borrow_mut();
        wire.last_id += 1;
        let id = wire.last_id;
        let mut message = json!({"id": id, "method": method, "params": parameters});
        if !session.is_empty() {
            message["sessionId"] = session.into();
        }
        let mut bytes = message.to_string().into_bytes();
        bytes.push(0);
        wire.to.write_all(&bytes)?;
        let deadline = Instant::now() + PATIENCE;
        loop {
            let answer = wire
                .next(deadline)
                .with_context(|| format!("no answer to {method}"))?;
            if answer["id"] != id {
                wire.events.push_back(answer);
            } else if let Some(error) = answer.get("error") {
                bail!("{method}: {error}");
            } else {
                return Ok(answer["result"].clone());
            }
        }
    }

    /// Everything that has happened so far.
    pub(crate) fn events(&self) -> Vec<Value> {
        let mut wire = self.wire.borrow_mut();
        let arrived: Vec<Value> = wire.from.try_iter().collect();
        wire.events.extend(arrived);
        wire.events.drain(..).collect()
    }

    /// Waits for something to happen; what happened before it stays to be seen.
    pub(crate) fn wait_for(&self, session: &str, method: &str) -> Result<()> {
        let mut wire = self.wire.borrow_mut();
        let is_it = |event: &Value| event["method"] == method && event["sessionId"] == session;
        if wire.events.iter().any(is_it) {
            return Ok(());
        }
        let deadline = Instant::now() + PATIENCE;
        loop {
            let event = wire
                .next(deadline)
                .with_context(|| format!("{method} did not happen"))?;
            let done = is_it(&event);
            wire.events.push_back(event);
            if done {
                return Ok(());
            }
        }
    }
}

impl Wire {
    fn next(&mut self, deadline: Instant) -> Result<Value> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.from.recv_timeout(left).context("the browser says nothing")
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        // Asked, it ends its helpers as well; if it does not listen any more, it is killed.
        let _ = self.call("", "Browser.close", json!({}));
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
