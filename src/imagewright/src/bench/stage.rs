//! What all kinds of work share.

use super::args::BenchArgs;
use super::credentials::Credentials;
use super::figures::{Figures, Unit};
use super::interrupt;
use super::load::Target;
use super::repository::{Given, Repository};
use super::scratch::{Home, Scratch};
use super::server::Server;
use super::side::{Pair, Programs, Side};
use super::stock::Stock;
use super::synthetic_tree;
use super::tool::{Cost, Tool};
use anyhow::{Context, ensure};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Room for images, as a share of the tree: bytes of an image file per entry.
const IMAGE_BYTES_PER_ENTRY: u64 = 160;
/// Trees written by every turn: added, fetched twice, as an archive.
const TREES_PER_TURN: u64 = 4;
/// Trees beside: the synthetic one, its objects, what objects are sent one by one.
const OTHER_TREES: u64 = 8;
/// Mixed pairs have fewer rounds: they are there to tell whose part a difference is, and double the time and room.
const MIXED_ROUNDS: u32 = 3;

/// Everything is here: programs, tree, credentials, scratch directory.
pub(crate) struct Stage {
    programs: Vec<Programs>,
    pub(crate) tree: PathBuf,
    /// How the report calls the tree.
    pub(crate) tree_name: String,
    stock: Option<Stock>,
    pub(crate) credentials: Credentials,
    pub(crate) figures: Figures,
    pub(crate) runtime: Runtime,
    pub(crate) rounds: u32,
    pub(crate) images: Vec<u32>,
    pub(crate) peer_images_max: u32,
    pub(crate) many: u32,
    pub(crate) fleet: u32,
    pub(crate) call_time: Duration,
    repository_size: (u32, usize),
    pub(crate) peer_repository: Option<Given>,
    cross: bool,
    // Last, so that it goes after everything that uses it.
    pub(crate) scratch: Scratch,
}

/// One run in a series: who, and the how-manieth.
#[derive(Clone, Copy)]
pub(crate) struct Turn {
    pub(crate) round: u32,
    pub(crate) pair: Pair,
}

impl Stage {
    /// Gets everything ready.
    pub(crate) fn new(args: &BenchArgs) -> anyhow::Result<Self> {
        let scratch = Scratch::new(&args.dir, &args.user, args.keep)?;
        let runtime = Runtime::new().context("cannot start threads")?;
        interrupt::watch(&runtime, scratch.path().to_owned(), args.keep)?;
        let own = match &args.programs {
            Some(directory) => directory.clone(),
            None => std::env::current_exe()?
                .parent()
                .context("where am I?")?
                .to_owned(),
        };
        let works = args.works();
        let needs_server = works.iter().any(|work| work.needs_image_server());
        let mut programs = vec![Programs::find(Side::Ours, &own, &scratch, needs_server)?];
        if let Some(peer) = &args.peer {
            programs.push(Programs::find(Side::Theirs, peer, &scratch, needs_server)?);
        }
        let made = scratch.path().join("tree");
        let (tree, tree_name) = match &args.tree {
            Some(tree) => (tree.clone(), tree.display().to_string()),
            None => (made, "synthetic, like a minimal Debian".to_owned()),
        };
        let stock = if works.iter().any(|work| work.needs_tree()) {
            if args.tree.is_none() {
                eprintln!("making a tree like a minimal Debian");
                synthetic_tree::make(&tree)?;
            }
            Some(Stock::make(&tree, &scratch)?)
        } else {
            None
        };
        let stage = Self {
            credentials: Credentials::make(&scratch)?,
            programs,
            tree,
            tree_name,
            stock,
            figures: Figures::default(),
            runtime,
            rounds: args.rounds,
            images: args.images(),
            peer_images_max: args.peer_images_max,
            many: args.many,
            fleet: args.fleet,
            call_time: Duration::from_secs(args.call_seconds.into()),
            repository_size: args.repository_size(),
            peer_repository: args.peer_repository(),
            cross: args.cross,
            scratch,
        };
        stage.ensure_room()?;
        Ok(stage)
    }

    /// Both programs from one side, for each side.
    pub(crate) fn same(&self) -> Vec<Pair> {
        self.programs
            .iter()
            .map(|programs| Pair::both(programs.side))
            .collect()
    }

    /// Who does the works of client and server, round after round: both sides, and mixed ones if they are wanted.
    pub(crate) fn turns(&self) -> Vec<Turn> {
        let same = self.same();
        let mut pairs = same.clone();
        if self.cross {
            for (client, server) in [(Side::Theirs, Side::Ours), (Side::Ours, Side::Theirs)] {
                pairs.push(Pair { client, server });
            }
        }
        let mut turns = turns(self.rounds, &pairs);
        turns.retain(|turn| turn.round <= MIXED_ROUNDS || same.contains(&turn.pair));
        turns
    }

    /// The tree as a store holds it.
    ///
    /// # Errors
    /// The work was said to need none.
    pub(crate) fn stock(&self) -> anyhow::Result<&Stock> {
        self.stock
            .as_ref()
            .context("this work needs the tree and does not say so")
    }

    /// The same for the report: nothing where no work needed it.
    pub(crate) fn used_stock(&self) -> Option<&Stock> {
        self.stock.as_ref()
    }

    pub(crate) fn programs(&self, side: Side) -> anyhow::Result<&Programs> {
        let mut programs = self.programs.iter();
        programs
            .find(|programs| programs.side == side)
            .context("there is no peer")
    }

    /// What the report says about the programs.
    pub(crate) fn versions(&self) -> impl Iterator<Item = (Side, &str)> {
        self.programs
            .iter()
            .map(|programs| (programs.side, programs.version.as_str()))
    }

    /// A server of `side` that answers.
    pub(crate) fn server(&self, side: Side, home: &Home) -> anyhow::Result<Server> {
        Server::start(self.programs(side)?, home, &self.credentials, &self.scratch)
    }

    /// Our repository with a REST API, filled.
    pub(crate) fn repository(&self) -> anyhow::Result<Repository> {
        let (images, file_bytes) = self.repository_size;
        Repository::start(self.programs(Side::Ours)?, &self.scratch, images, file_bytes)
    }

    /// Bytes of a repository's file.
    pub(crate) fn file_bytes(&self) -> usize {
        self.repository_size.1
    }

    /// A client of `side`, pointed at `server`.
    pub(crate) fn tool<'a>(&'a self, side: Side, server: &'a Server) -> anyhow::Result<Tool<'a>> {
        Ok(Tool {
            programs: self.programs(side)?,
            credentials: &self.credentials,
            scratch: &self.scratch,
            server,
        })
    }

    /// What was written before is on the disk, so that it does not fall into what comes now.
    pub(crate) fn settle(&self) -> anyhow::Result<()> {
        let directory = std::fs::File::open(self.scratch.path())?;
        rustix::fs::syncfs(&directory).context("cannot flush the scratch file system")
    }

    /// Where our own client finds `server`.
    pub(crate) fn target(&self, server: &Server) -> Target {
        Target {
            port: server.port,
            credentials: Arc::clone(&self.credentials.loaded),
        }
    }

    /// A file of this content in the scratch directory.
    pub(crate) fn file(&self, name: &str, content: &str) -> anyhow::Result<PathBuf> {
        let path = self.scratch.path().join(name);
        std::fs::write(&path, content)?;
        Ok(path)
    }

    /// Records what a command took, and tells it on standard error.
    pub(crate) fn record(&mut self, work: &'static str, name: &str, turn: Turn, cost: &Cost) {
        let mut put = |what: &str, unit: Unit, value: f64| {
            let name = format!("{name}{what}");
            self.figures.record(work, &name, unit, turn.pair, value);
        };
        put("", Unit::Seconds, cost.time.as_secs_f64());
        put(", client CPU", Unit::Seconds, cost.client_cpu.as_secs_f64());
        put(", server CPU", Unit::Seconds, cost.server_cpu.as_secs_f64());
        put(
            ", client peak memory",
            Unit::Megabytes,
            megabytes(cost.client_peak_bytes),
        );
        turn.tell(self.rounds, name, &format!("{:.2} s", cost.time.as_secs_f64()));
    }

    /// Removes what it made, unless told otherwise.
    pub(crate) fn finish(self) {
        let path: &Path = self.scratch.path();
        eprintln!("done with {}", path.display());
    }

    /// Start-up comes last and removes what was there: its images need no room beside the rest.
    fn ensure_room(&self) -> anyhow::Result<()> {
        let turns = self.turns().len() as u64;
        let Some(stock) = &self.stock else {
            return Ok(());
        };
        let trees = (turns * TREES_PER_TURN + OTHER_TREES) * stock.bytes();
        let images = u64::from(self.images.last().copied().unwrap_or(0));
        let images = images * stock.entries() as u64 * IMAGE_BYTES_PER_ENTRY;
        self.scratch.ensure_room(trees.max(images))
    }
}

/// `rounds` times every pair, each round beginning with another one.
pub(crate) fn turns(rounds: u32, pairs: &[Pair]) -> Vec<Turn> {
    let mut turns = Vec::new();
    let mut order = pairs.to_vec();
    for round in 1..=rounds {
        turns.extend(order.iter().map(|pair| Turn { round, pair: *pair }));
        if !order.is_empty() {
            order.rotate_left(1);
        }
    }
    turns
}

impl Turn {
    /// Progress, on standard error.
    pub(crate) fn tell(&self, rounds: u32, what: &str, result: &str) {
        eprintln!("  {}/{rounds} {}: {what}: {result}", self.round, self.pair);
    }
}

/// Millions of bytes.
pub(crate) fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Tools refuse to add what lacks the required paths; better to say so before anything is measured.
pub(crate) fn check_tree(tree: &Path) -> anyhow::Result<()> {
    for needed in ["etc/passwd", "usr/bin"] {
        ensure!(
            tree.join(needed).exists(),
            "{}: no {needed} below it; imagetool adds system trees only",
            tree.display()
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_round_begins_with_another_side() {
        let pairs = [Pair::both(Side::Ours), Pair::both(Side::Theirs)];
        let sides: Vec<Side> = turns(2, &pairs).iter().map(|turn| turn.pair.client).collect();
        assert_eq!(sides, [Side::Ours, Side::Theirs, Side::Theirs, Side::Ours]);
    }
}
