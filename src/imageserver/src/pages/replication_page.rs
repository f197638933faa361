//! `/replication`: the link to the master, and who follows us. Our own addition.

use super::context::Context;
use super::replication::Replication;
use crate::followers::Follower;
use actix_web::HttpResponse;
use front::page::{Cell, Column, Page, Table, empty, escape};

/// The page. Programs get the followers.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    let (here, left) = context.shared.followers.all();
    let mut before = String::from("<h2>Master</h2>");
    match &context.shared.replicator {
        Some(replicator) => {
            let link = Replication::of(&replicator.status());
            let master = escape(&link.master);
            before += &format!(
                "<p>Replication master: <a href=\"http://{master}/\" rel=\"noreferrer\">{master}</a></p>"
            );
            if context.shared.options.archive_mode {
                before += "<p>Running in archive mode: nothing is deleted on request.</p>";
            }
            before += &link.table;
        }
        None => {
            before += &empty(
                "This server is a master: it follows nobody.",
                "Started with <code>-imageServerHostname=HOST</code> it would be a replica of that server.",
            );
        }
    }
    before += "<p><a href=\"/dashboards\">over the last hour and day</a></p><h2>Replication clients</h2>";
    let mut after = String::new();
    if !left.is_empty() {
        after += "<h2>Replication clients that have left</h2>";
        after += &gone(&left).html();
    }
    let page = Page::new(context.site, "replication")
        .crumb("/replication", "replication")
        .command("imagetool get-replication-master");
    followers(&here).respond_with(context.query, page, &before, &after)
}

fn followers(followers: &[Follower]) -> Table {
    let mut table = Table::new([
        Column::text("From"),
        Column::text("Who"),
        Column::text("Connected"),
        Column::text("State"),
        Column::number("Changes told"),
        Column::number("Changes waiting"),
        Column::text("Last told"),
        Column::text("Expiring images"),
    ])
    .when_empty(empty("Nobody follows this server at the moment.", ""));
    for follower in followers {
        let state = match (follower.has_list, follower.waiting) {
            (false, _) => "receiving the list",
            (true, 0) => "up to date",
            (true, _) => "behind",
        };
        table.push([
            Cell::text(follower.peer.clone()),
            Cell::text(follower.username.clone()),
            Cell::time(Some(follower.connected_at)),
            Cell::text(state),
            Cell::count(follower.told),
            Cell::count(follower.waiting),
            Cell::time(follower.last_told_at),
            Cell::text(if follower.wants_expiring {
                "told"
            } else {
                "left out"
            }),
        ]);
    }
    table
}

fn gone(followers: &[Follower]) -> Table {
    let mut table = Table::new([
        Column::text("From"),
        Column::text("Who"),
        Column::text("Connected"),
        Column::text("Left"),
        Column::number("Changes told"),
        Column::text("Error"),
    ]);
    for follower in followers {
        table.push([
            Cell::text(follower.peer.clone()),
            Cell::text(follower.username.clone()),
            Cell::time(Some(follower.connected_at)),
            Cell::time(follower.left_at),
            Cell::count(follower.told),
            Cell::text(follower.error.clone().unwrap_or_default()),
        ]);
    }
    table
}
