//! `/ui/publisher`: the image server that is followed, what is published of it by itself, how that went and why something failed. For operators:
//! names there are not everybody's business.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actors::PublisherStatus;
use front::page::{Cell, Column, Page, Table, empty, escape, problem};
use repository::configuration::{PublishRule, WhenGone};
use repository::publish::published;

use super::viewer::Viewer;

/// The page.
pub(super) fn page(viewer: &Viewer<'_>) -> HttpResponse {
    if !viewer.is_operator() {
        return problem(
            viewer.site,
            StatusCode::FORBIDDEN,
            "the publisher is not shown here",
            "This page does not know who asks, and what an image server has is its users' business.",
            "On the server itself: the metrics <code>imgapi_publisher_*</code>, and <code>imgapi logs</code>",
        );
    }
    let page = Page::new(viewer.site, "publisher")
        .crumb("/ui/publisher", "publisher")
        .command(format!("imgapi-cli --url {} publish IMAGE", viewer.api()));
    let status = viewer.state.publisher().map(|publisher| publisher.status());
    let before = status.as_ref().map(summary).unwrap_or_default();
    let after = format!("<h2>Rules</h2>{}", rules(viewer).html());
    outcomes(status.as_ref()).respond_with(viewer.query, page, &before, &after)
}

/// How it goes, in a paragraph or two.
pub(super) fn summary(status: &PublisherStatus) -> String {
    let mut html = format!(
        "<p><strong>{}</strong> published since the start, {} waiting, {} of them failed and tried again. Link to {}: {}.</p>",
        status.published,
        status.waiting,
        status.failing.len(),
        escape(&status.upstream),
        status.link.word(),
    );
    if let Some(error) = &status.last_error {
        html += &format!("<p class=\"warning\">What went wrong last: {}</p>", escape(error));
    }
    html
}

/// What fails now, then what was done last, newest first.
fn outcomes(status: Option<&PublisherStatus>) -> Table {
    let mut table = Table::new([
        Column::text("In the image server"),
        Column::text("Image"),
        Column::text("State"),
        Column::text("When"),
        Column::text("Why"),
    ])
    .when_empty(match status {
        Some(_) => empty(
            "Nothing was published by itself since the start.",
            "What the rules below are about is published once it is there.",
        ),
        None => empty(
            "Nothing is published by itself.",
            "The keys <code>imageServer</code> and <code>publish</code> of the configuration say what is to be.",
        ),
    });
    let Some(status) = status else { return table };
    let mut push = |name: &str, state: &str, when: Cell, why: &str| {
        let uuid = published(name).uuid;
        table.push([
            Cell::text(name),
            Cell::link(format!("/ui/images/{uuid}"), uuid.to_string()),
            Cell::text(state),
            when,
            Cell::text(why),
        ]);
    };
    for (name, why) in &status.failing {
        push(name, "tried again", Cell::empty(), why);
    }
    for outcome in &status.outcomes {
        let (state, why) = match &outcome.failure {
            None => ("published", ""),
            Some(why) => ("failed", why.as_str()),
        };
        push(&outcome.name, state, Cell::time(outcome.at.try_into().ok()), why);
    }
    table
}

/// What is published by itself.
fn rules(viewer: &Viewer<'_>) -> Table {
    let mut table = Table::new([
        Column::text("Images of"),
        Column::text("Channel"),
        Column::text("Of those there at first"),
        Column::text("Expiring ones"),
        Column::text("Once gone there"),
    ])
    .when_empty(empty(
        "There are no rules.",
        "They are the key <code>publish</code> of the configuration.",
    ));
    for rule in &viewer.settings.join.rules {
        table.push(rule_cells(rule).map(Cell::text));
    }
    table
}

fn rule_cells(rule: &PublishRule) -> [String; 5] {
    let when_gone = match rule.when_gone {
        WhenGone::Keep => "kept",
        WhenGone::Disable => "disabled",
        WhenGone::Delete => "deleted",
    };
    [
        rule.stream.clone(),
        rule.channel.clone().unwrap_or_else(|| "the default".to_owned()),
        rule.newest
            .map_or_else(|| "all".to_owned(), |count| format!("the newest {count} of each")),
        if rule.includes_expiring { "too" } else { "not" }.to_owned(),
        when_gone.to_owned(),
    ]
}
