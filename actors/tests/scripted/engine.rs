//! An engine that does what a test tells it.

use builder::{BuildError, Built, Engine, NeededSource, Order, Phase, Watcher};
use image::Image;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// What a build does. Without any told it succeeds.
#[derive(Clone, Debug)]
pub enum Step {
    Succeed,
    Fail(&'static str),
    /// Fails because the image server is away.
    ServerAway,
    /// Waits until the stream is let go, or the build is cancelled.
    Wait,
    /// Waits until the stream is let go, whatever happens meanwhile.
    Hang,
    Panic,
    /// Needs a source first.
    Needs(&'static str),
    /// Says so much.
    Say(Vec<u8>),
}

#[derive(Default)]
pub struct ScriptedEngine {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    scripts: HashMap<String, VecDeque<Vec<Step>>>,
    begun: Vec<Order>,
    ended: Vec<String>,
    /// How many builds of a stream may go on.
    go: HashMap<String, usize>,
    running: usize,
    most_running: usize,
}

impl ScriptedEngine {
    /// The next build of a stream does this.
    pub fn next(&self, stream: &str, steps: &[Step]) {
        let mut state = self.state.lock().unwrap();
        let scripts = state.scripts.entry(stream.to_owned()).or_default();
        scripts.push_back(steps.to_vec());
    }

    /// Lets one build of a stream go on that waits, or will.
    pub fn go(&self, stream: &str) {
        *self
            .state
            .lock()
            .unwrap()
            .go
            .entry(stream.to_owned())
            .or_default() += 1;
        self.changed.notify_all();
    }

    pub fn begun(&self) -> Vec<Order> {
        self.state.lock().unwrap().begun.clone()
    }

    pub fn begun_streams(&self) -> Vec<String> {
        self.begun().into_iter().map(|order| order.stream).collect()
    }

    /// Streams in the order in which their builds ended.
    pub fn ended(&self) -> Vec<String> {
        self.state.lock().unwrap().ended.clone()
    }

    /// Builds that ran at the same time, at most.
    pub fn most_running(&self) -> usize {
        self.state.lock().unwrap().most_running
    }

    /// Waits for a go, or until it `is_over`; true for a go.
    fn wait(&self, stream: &str, is_over: impl Fn() -> bool) -> bool {
        let mut state = self.state.lock().unwrap();
        loop {
            if is_over() {
                return false;
            }
            if let Some(go) = state.go.get_mut(stream).filter(|go| **go > 0) {
                *go -= 1;
                return true;
            }
            // Whoever cancels knows nothing of this condition.
            let pause = Duration::from_millis(2);
            state = self.changed.wait_timeout(state, pause).unwrap().0;
        }
    }
}

/// Counts down also when a build panics.
struct Running<'a>(&'a ScriptedEngine, String);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap();
        state.running -= 1;
        state.ended.push(self.1.clone());
    }
}

impl Engine for ScriptedEngine {
    fn build(&self, order: &Order, watcher: &Arc<dyn Watcher>) -> Result<Built, BuildError> {
        let steps = {
            let mut state = self.state.lock().unwrap();
            state.begun.push(order.clone());
            state.running += 1;
            state.most_running = state.most_running.max(state.running);
            let scripts = state.scripts.get_mut(&order.stream);
            scripts.and_then(VecDeque::pop_front).unwrap_or_default()
        };
        let _running = Running(self, order.stream.clone());
        watcher.phase(Phase::FetchManifest);
        watcher.log(format!("build of {}\n", order.stream).as_bytes());
        watcher.phase(Phase::Scripts);
        for step in steps {
            self.step(&step, order, watcher)?;
        }
        watcher.phase(Phase::Publish);
        let is_returned = order.delivery == builder::Delivery::Return;
        Ok(Built {
            name: if is_returned {
                String::new()
            } else {
                format!("{}/{}", order.stream, order.number)
            },
            image: is_returned.then(|| Box::new(Image::default())),
            source_image: String::new(),
            commit: String::new(),
        })
    }
}

impl ScriptedEngine {
    fn step(&self, step: &Step, order: &Order, watcher: &Arc<dyn Watcher>) -> Result<(), BuildError> {
        let error = |text: &str, is_cancelled| BuildError {
            text: text.to_owned(),
            phase: Some(Phase::Scripts),
            needs: None,
            is_cancelled,
            is_server_away: false,
        };
        match step {
            Step::Succeed => {}
            Step::Fail(text) => return Err(error(text, false)),
            Step::ServerAway => {
                return Err(BuildError {
                    is_server_away: true,
                    ..error("the image server is away", false)
                });
            }
            Step::Say(bytes) => watcher.log(bytes),
            Step::Panic => panic!("on purpose"),
            Step::Hang => {
                self.wait(&order.stream, || false);
            }
            Step::Wait => {
                let is_over = Arc::new(AtomicBool::new(false));
                let end = is_over.clone();
                let _withdraw = watcher.on_cancel(Box::new(move || end.store(true, Ordering::SeqCst)));
                if !self.wait(&order.stream, || is_over.load(Ordering::SeqCst)) {
                    return Err(error("ended", true));
                }
            }
            Step::Needs(stream) => {
                return Err(BuildError {
                    needs: Some(NeededSource {
                        stream: (*stream).to_owned(),
                        ..NeededSource::default()
                    }),
                    ..error(&format!("no source image: {stream}"), false)
                });
            }
        }
        Ok(())
    }
}
