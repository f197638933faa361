//! What every status page says of the process itself: calls, processor time, memory, actors.

use actors::{ActorState, Health};
use srpc::server::statistics::ServerStatistics;

use crate::metrics::Value;
use crate::page::{Cell, Column, Table, empty};
use crate::site::Site;

/// Methods that have been called.
pub fn calls(transport: &ServerStatistics) -> Table {
    let mut table = Table::new([
        Column::text("Method"),
        Column::number("Permitted"),
        Column::number("Denied"),
        Column::number("Running"),
    ])
    .when_empty(empty("No method has been called since the start.", ""));
    let called = transport
        .methods
        .iter()
        .filter(|method| method.permitted_calls + method.denied_calls > 0);
    for method in called {
        table.push([
            Cell::text(method.name.to_string()),
            Cell::count(method.permitted_calls),
            Cell::count(method.denied_calls),
            Cell::count(method.running_calls),
        ]);
    }
    table
}

/// Start, processor time, memory and host, from the figures every process has.
pub fn process(site: &Site) -> Table {
    let figure = |path: &str| site.metrics().sample(path).map(|sample| sample.value);
    let seconds = |path: &str| match figure(path) {
        Some(Value::Duration(duration)) => human::duration(duration),
        _ => String::new(),
    };
    let bytes = |path: &str| match figure(path) {
        Some(Value::Unsigned(bytes)) => human::bytes(bytes),
        _ => String::new(),
    };
    // The kernel's name: looking the full one up may take a resolver's time.
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let uptime = jiff::Timestamp::now().duration_since(site.started());
    let uptime = std::time::Duration::from_secs(u64::try_from(uptime.as_secs()).unwrap_or(0));
    let mut table = Table::new([
        Column::text("Started"),
        Column::text("Uptime"),
        Column::text("Processor time"),
        Column::text("Memory"),
        Column::text("Most memory"),
        Column::text("Host"),
    ]);
    table.push([
        Cell::time(Some(site.started())),
        Cell::duration(uptime),
        Cell::text(format!(
            "{} user, {} system",
            seconds("/proc/cpu/user"),
            seconds("/proc/cpu/sys")
        )),
        Cell::text(bytes("/proc/memory/total")),
        Cell::text(bytes("/proc/memory/max-resident-set-size")),
        Cell::text(host),
    ]);
    table
}

/// How the actors are.
pub fn actors(healths: &[Health]) -> Table {
    let state = |state: ActorState| match state {
        ActorState::Starting => "starting",
        ActorState::Running => "running",
        ActorState::GivenUp => "given up",
        ActorState::Stopped => "stopped",
    };
    let mut table = Table::new([
        Column::text("Actor"),
        Column::text("State"),
        Column::number("Waiting"),
        Column::number("Restarts"),
        Column::text("Last error"),
    ]);
    for health in healths {
        table.push([
            Cell::text(health.actor),
            Cell::text(state(health.state)),
            Cell::count(health.queue_len as u64),
            Cell::count(health.restarts),
            Cell::text(health.last_error.clone().unwrap_or_default()),
        ]);
    }
    table
}
