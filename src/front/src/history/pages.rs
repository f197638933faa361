//! `/dashboards`: the curves, and the readings behind them as text, JSON and CSV.

use actix_web::{HttpRequest, HttpResponse, web};
use jiff::Timestamp;

use super::chart::{Drawn, Span, svg};
use super::{Chart, History, Kept, Measure};
use crate::page::{Cell, Column, Output, Page, Query, Table, empty, escape};
use crate::site::Site;

const HOUR: Span = Span {
    end: Timestamp::UNIX_EPOCH,
    seconds: 3_600.0,
    gap_seconds: 45.0,
    marks: &[
        (2_700.0, "45 min"),
        (1_800.0, "30 min"),
        (900.0, "15 min"),
        (0.0, "now"),
    ],
    words: "the last hour",
};
const DAY: Span = Span {
    end: Timestamp::UNIX_EPOCH,
    seconds: 86_400.0,
    gap_seconds: 900.0,
    marks: &[
        (64_800.0, "18 h"),
        (43_200.0, "12 h"),
        (21_600.0, "6 h"),
        (0.0, "now"),
    ],
    words: "the last day",
};

/// Adds the page.
pub fn configure(config: &mut web::ServiceConfig) {
    config.service(web::resource("/dashboards").to(dashboards));
}

async fn dashboards(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let page = Page::new(&site, "dashboards")
        .crumb("/dashboards", "dashboards")
        .command("curl 'http://HOST:PORT/dashboards?span=day&output=csv'");
    let Some(history) = site.history() else {
        return page
            .body(empty(
                "This daemon keeps no figures over time.",
                "<a href=\"/metrics/\">its figures now</a>",
            ))
            .respond();
    };
    let query = request.query_string();
    if Query::new(query).output() != Output::Html {
        return history
            .table(Query::new(query).is("span", "day"))
            .respond(query, page);
    }
    page.body(history.html(Timestamp::now())).respond()
}

impl History {
    /// All charts, each for the hour and the day.
    pub(super) fn html(&self, now: Timestamp) -> String {
        let kept = self.kept.lock();
        let mut html = String::from(
            "<p>Read every ten seconds since the start, kept in memory only: an hour of readings, a day of averages over five minutes. \
             <a href=\"/metrics/\">All figures now</a></p>",
        );
        let mut first = 0;
        for (number, chart) in self.charts.iter().enumerate() {
            html += &format!("<h2>{}</h2><div class=\"charts\">", escape(&chart.title));
            html += &draw(chart, first, &format!("h{number}"), now, &HOUR, |index| {
                kept.fine.values(index)
            });
            html += &draw(chart, first, &format!("d{number}"), now, &DAY, |index| {
                kept.coarse.values(index)
            });
            html += "</div>";
            first += chart.curves.len();
        }
        html += "<p class=\"alternatives\">the hour as <a href=\"?output=text\">text</a>, <a href=\"?output=json\">JSON</a>, \
            <a href=\"?output=csv\">CSV</a>; the day as <a href=\"?span=day&amp;output=text\">text</a>, \
            <a href=\"?span=day&amp;output=json\">JSON</a>, <a href=\"?span=day&amp;output=csv\">CSV</a></p>";
        html
    }

    /// The readings: a row each, a column for each curve.
    fn table(&self, of_day: bool) -> Table {
        let kept = self.kept.lock();
        let curves = self
            .charts
            .iter()
            .flat_map(|chart| chart.curves.iter().map(move |curve| (chart, curve)));
        let headings = curves.map(|(chart, curve)| Column::number(heading(chart, &curve.name)));
        let mut table = Table::new(std::iter::once(Column::text("Time")).chain(headings));
        let mut push = |at: Timestamp, values: &[f64]| {
            let cells = values.iter().map(|value| Cell::number(*value));
            table.push(std::iter::once(Cell::time(Some(at))).chain(cells));
        };
        let Kept { fine, coarse, .. } = &*kept;
        if of_day {
            coarse
                .readings()
                .for_each(|reading| push(reading.at, &reading.values));
        } else {
            fine.readings()
                .for_each(|reading| push(reading.at, &reading.values));
        }
        table
    }
}

fn heading(chart: &Chart, curve: &str) -> String {
    let unit = match chart.measure {
        Measure::Count => "",
        Measure::Bytes => " (bytes)",
        Measure::PerSecond => " (per second)",
        Measure::PercentOfTime => " (percent)",
    };
    format!("{}: {curve}{unit}", chart.title)
}

fn draw(
    chart: &Chart,
    first: usize,
    id: &str,
    now: Timestamp,
    span: &Span,
    values: impl Fn(usize) -> Vec<(Timestamp, f64)>,
) -> String {
    let curves: Vec<Drawn> = chart
        .curves
        .iter()
        .enumerate()
        .map(|(index, curve)| Drawn {
            name: curve.name.clone(),
            values: values(first + index),
        })
        .collect();
    let span = Span { end: now, ..*span };
    format!(
        "<section><h3>{}</h3>{}</section>",
        span.words,
        svg(id, &chart.title, chart.measure, &curves, &span)
    )
}
