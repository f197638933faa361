//! Stores with images for the kinds of work that need some.

use super::super::scratch::Home;
use super::super::server::Server;
use super::super::side::Side;
use super::super::stage::Stage;
use anyhow::Context;

/// A filled store per side, used by one server at a time.
pub(super) struct Homes(Vec<(Side, Home)>);

impl Homes {
    pub(super) fn make(stage: &Stage, name: &str) -> anyhow::Result<Self> {
        let mut homes = Vec::new();
        for pair in stage.same() {
            homes.push((pair.server, stage.stock()?.home(&stage.scratch, name)?));
        }
        stage.settle()?;
        Ok(Self(homes))
    }

    pub(super) fn of(&self, side: Side) -> anyhow::Result<&Home> {
        let mut homes = self.0.iter();
        let found = homes.find(|(of, _)| *of == side);
        found.map(|(_, home)| home).context("no store for this side")
    }
}

/// A running server per side, for work that does not end with one.
pub(super) struct Servers(Vec<(Side, Server)>);

impl Servers {
    pub(super) fn start(stage: &Stage, name: &str) -> anyhow::Result<Self> {
        let homes = Homes::make(stage, name)?;
        let mut servers = Vec::new();
        for (side, home) in &homes.0 {
            servers.push((*side, stage.server(*side, home)?));
        }
        Ok(Self(servers))
    }

    pub(super) fn of(&self, side: Side) -> anyhow::Result<&Server> {
        let mut servers = self.0.iter();
        let found = servers.find(|(of, _)| *of == side);
        found.map(|(_, server)| server).context("no server for this side")
    }

    pub(super) fn stop(self) -> anyhow::Result<()> {
        for (_, server) in self.0 {
            server.stop()?;
        }
        Ok(())
    }
}
