//! The actor that has files looked at: when the kernel tells of a change, on request, each minute, and at the start of each incarnation.
//! What the files say, and what becomes of it, is its owner's.
//!
//! Restart policy: what was read stays in force; the files are looked at anew.

use crate::file_bell::FileBell;
use crate::handle::{Envelope, Request};
use crate::pool::Pool;
use crate::supervise::Guard;
use crate::task::AbortOnDrop;
use actix::{Actor, AsyncContext, Context, Handler, WrapFuture};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Between two looks at the files, whatever the kernel tells.
const SWEEP: Duration = Duration::from_secs(60);

/// Looks that wait for another, at most; further callers wait for their turn.
const LOOKS: usize = 8;

/// What files are read into. It outlives the incarnations of its actor.
pub(crate) trait Watched: Send + Sync + 'static {
    /// Name of the actor.
    const NAME: &'static str;

    /// By which it is watched.
    fn watch(&self) -> &FileWatch;

    /// Looks at the files; if somebody asked, whatever their times say. Blocks.
    fn look(&self, is_asked: bool);
}

/// The means to be woken, and the thread that reads.
pub(crate) struct FileWatch {
    bell: Arc<FileBell>,
    reader: Pool,
    is_asked: AtomicBool,
    allow_debug_panic: bool,
}

impl FileWatch {
    /// # Errors
    /// The system has no thread for us.
    pub(crate) fn new(thread: &'static str, allow_debug_panic: bool) -> std::io::Result<FileWatch> {
        Ok(FileWatch {
            bell: FileBell::new(),
            reader: Pool::new(thread, 1, LOOKS)?,
            is_asked: AtomicBool::new(true),
            allow_debug_panic,
        })
    }

    /// See [`FileBell::follow`].
    pub(crate) fn follow<'a>(&self, directories: impl IntoIterator<Item = &'a Path>) {
        self.bell.follow(directories);
    }

    /// Has all files read again in a moment.
    pub(crate) fn ask_again(&self) {
        self.is_asked.store(true, Ordering::Relaxed);
        self.bell.ring();
    }
}

/// The actor.
pub(crate) struct FileWatcher<W: Watched> {
    watched: Arc<W>,
    looking: Option<AbortOnDrop<()>>,
    _guard: Guard,
}

impl<W: Watched> FileWatcher<W> {
    pub(crate) fn new(watched: Arc<W>, guard: Guard) -> Self {
        FileWatcher {
            watched,
            looking: None,
            _guard: guard,
        }
    }
}

impl<W: Watched> Actor for FileWatcher<W> {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Context<Self>) {
        // What an earlier incarnation was woken for and did not do.
        self.watched.watch().ask_again();
        let watched = self.watched.clone();
        self.looking = Some(AbortOnDrop::spawn(async move {
            loop {
                watched.watch().bell.wait(SWEEP).await;
                look_now(&watched).await;
            }
        }));
    }
}

async fn look_now<W: Watched>(watched: &Arc<W>) {
    let shared = watched.clone();
    let look = move || {
        let is_asked = shared.watch().is_asked.swap(false, Ordering::Relaxed);
        shared.look(is_asked);
    };
    if let Err(error) = watched.watch().reader.run(look).await {
        tracing::error!("{}: {error}", W::NAME);
    }
}

/// All files are to be read again; the reply comes when what they say is in force.
pub(crate) struct Reload;

impl Request for Reload {
    type Reply = ();
}

impl<W: Watched> Handler<Envelope<Reload>> for FileWatcher<W> {
    type Result = ();

    fn handle(&mut self, envelope: Envelope<Reload>, context: &mut Context<Self>) {
        let (Reload, reply) = envelope.open();
        let watched = self.watched.clone();
        let work = async move {
            watched.watch().ask_again();
            look_now(&watched).await;
            // Who asked may have gone.
            let _ = reply.send(());
        };
        context.spawn(work.into_actor(self));
    }
}

/// Panic on purpose.
pub(crate) struct DebugPanic;

impl Request for DebugPanic {
    type Reply = ();
}

impl<W: Watched> Handler<Envelope<DebugPanic>> for FileWatcher<W> {
    type Result = ();

    // The panic is the purpose of the message; it is off unless the configuration turns it on.
    #[allow(clippy::panic)]
    fn handle(&mut self, envelope: Envelope<DebugPanic>, _: &mut Context<Self>) {
        if self.watched.watch().allow_debug_panic {
            panic!("debug panic of {}", W::NAME);
        }
        let _ = envelope.open().1.send(());
    }
}
