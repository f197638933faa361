//! `/metrics`, `/metrics/PATH`, `/metricsapi/PATH`.

use std::time::SystemTime;

use actix_web::http::header::{ACCEPT, CONTENT_TYPE, LOCATION};
use actix_web::{HttpRequest, HttpResponse, web};

use super::text::ForPeople;
use super::{Sample, json};
use crate::page::{Cell, Column, Page, Query, Table, escape};
use crate::site::Site;

/// What scrapers of Prometheus expect.
const PROMETHEUS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Adds the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/metrics").to(root))
        .service(web::resource("/metrics/{path:.*}").to(browse))
        .service(web::resource("/metricsapi").to(api))
        .service(web::resource("/metricsapi/{path:.*}").to(api))
        .service(web::resource("/has-tricorder-metrics").to(has_tricorder))
        .service(web::resource("/metricsstatic/theme.css").to(theme));
}

/// A browser is led to the pages, as ever; anything else is taken for a scraper.
async fn root(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let query = request.query_string();
    let accepts = request
        .headers()
        .get(ACCEPT)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let format = Query::new(query).get("format").unwrap_or_default();
    if format == "text" {
        return script_text(&site, "");
    }
    if format != "prometheus" && accepts.contains("text/html") {
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{query}")
        };
        return HttpResponse::TemporaryRedirect()
            .insert_header((LOCATION, format!("/metrics/{query}")))
            .finish();
    }
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, PROMETHEUS_TYPE))
        .body(site.metrics().prometheus_text())
}

async fn browse(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let path = path_of(&request);
    if Query::new(request.query_string()).is("format", "text") {
        return script_text(&site, &path);
    }
    let samples = site.metrics().samples(&path);
    if samples.is_empty() {
        return plain("Path does not exist.");
    }
    html(&site, &path, &samples)
}

fn script_text(site: &Site, path: &str) -> HttpResponse {
    plain(
        site.metrics()
            .script_text(path)
            .unwrap_or_else(|| "*Path does not exist.*".to_owned()),
    )
}

fn plain(text: impl Into<String>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; charset=utf-8")
        .body(text.into())
}

fn path_of(request: &HttpRequest) -> String {
    let path = request
        .match_info()
        .get("path")
        .unwrap_or_default()
        .trim_end_matches('/');
    if path.is_empty() {
        String::new()
    } else {
        format!("/{path}")
    }
}

/// The directories and figures directly below a path.
fn html(site: &Site, path: &str, samples: &[Sample]) -> HttpResponse {
    let mut table = Table::new([
        Column::text("Path"),
        Column::text("Value"),
        Column::text("What it is"),
    ]);
    let mut last_directory = String::new();
    for sample in samples {
        let rest = sample
            .path
            .strip_prefix(path)
            .unwrap_or_default()
            .trim_start_matches('/');
        if let Some((directory, _)) = rest.split_once('/') {
            let directory = format!("{path}/{directory}");
            if directory != last_directory {
                let link = Cell::link(format!("/metrics{directory}"), format!("{directory}/"));
                table.push([link, Cell::empty(), Cell::empty()]);
                last_directory = directory;
            }
        } else {
            let value = ForPeople(&sample.value, sample.unit).to_string();
            let about = format!("{} ({})", sample.description, sample.value.kind());
            table.push([
                Cell::text(sample.path.clone()),
                Cell::text(value),
                Cell::text(about),
            ]);
        }
    }
    let here = if path.is_empty() { "/" } else { path };
    let mut page = Page::new(site, format!("metrics {here}")).crumb("/metrics/", "metrics");
    let mut up_to = String::new();
    for step in path.split('/').filter(|step| !step.is_empty()) {
        up_to = format!("{up_to}/{step}");
        page = page.crumb(format!("/metrics{up_to}"), step);
    }
    let others = format!(
        "<p class=\"alternatives\">the same as <a href=\"/metrics{0}?format=text\">text</a>, \
         <a href=\"/metricsapi{0}\">JSON</a>; for Prometheus: <a href=\"/metrics?format=prometheus\">/metrics</a></p>",
        escape(path)
    );
    page.body(table.html() + &others)
        .command(format!("curl 'http://HOST:PORT/metrics{path}?format=text'"))
        .respond()
}

async fn api(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let path = path_of(&request);
    let mut response = HttpResponse::Ok();
    response
        .insert_header(("X-Tricorder-Media-Type", "tricorder.v1"))
        .content_type("application/json");
    let now = SystemTime::now();
    let singleton = Query::new(request.query_string()).is("singleton", "true");
    let written = if singleton {
        match site.metrics().sample(&path) {
            Some(sample) => json::single(&sample, now),
            None => {
                return HttpResponse::NotFound()
                    .insert_header(("X-Tricorder-Media-Type", "tricorder.v1"))
                    .content_type("text/plain; charset=utf-8")
                    .body("404 Not Found\n");
            }
        }
    } else {
        json::list(&site.metrics().samples(&path), now)
    };
    match written {
        Ok(body) => response.body(body),
        Err(error) => HttpResponse::InternalServerError().body(error.to_string()),
    }
}

async fn has_tricorder() -> HttpResponse {
    plain("true")
}

/// Old pages that were saved refer to it.
async fn theme() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/css; charset=utf-8")
        .body(".parens, .summary { color: #767676 }\n")
}
