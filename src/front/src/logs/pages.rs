//! `/logs` and what is below it (`imageserver.md §10.2`).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use jiff::Timestamp;

use super::files::{LogDirectory, LogFileName};
use super::panics::PANIC_PREFIX;
use super::reading::{Collected, collect, period, since, stamp};
use super::{Line, LineFilter, Logs, recent, stack_dump};
use crate::page::{Output, Page, Query, escape, live};
use crate::site::Site;

/// Least time between two stack dumps, in milliseconds.
const STACK_DUMP_EVERY_MS: i64 = 2_000;

/// Adds the pages.
pub fn configure(config: &mut web::ServiceConfig) {
    config
        .service(web::resource("/logs").to(list))
        .service(web::resource("/logs/dump").to(dump))
        .service(web::resource("/logs/follow").to(follow))
        .service(web::resource("/logs/showLast").to(show_last))
        .service(web::resource("/logs/showSinceStartup").to(show_since_startup))
        .service(web::resource("/logs/showPreviousPanic").to(show_previous_panic))
        .service(web::resource("/logs/showStackTrace").to(show_stack_trace));
}

async fn list(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let query = Query::new(request.query_string());
    let recent_first = query.has("recentFirst");
    let mut names = site
        .logs()
        .directory()
        .map(LogDirectory::files)
        .unwrap_or_default();
    if recent_first {
        names.reverse();
    }
    if query.output() == Output::Text {
        return plain(
            StatusCode::OK,
            names
                .iter()
                .map(|name| format!("{}\n", name.as_str()))
                .collect::<String>(),
        );
    }
    let current = site.logs().directory().and_then(LogDirectory::current);
    let file = |name: &LogFileName| {
        let mark = if current.as_ref() == Some(name) {
            " (current)"
        } else {
            ""
        };
        format!(
            "<li><a href=\"/logs/dump?name={0}\">{0}</a>{mark}</li>",
            name.as_str()
        )
    };
    let periods = [
        ("1m", "minute"),
        ("10m", "10 min"),
        ("1h", "hour"),
        ("1d", "day"),
        ("1w", "week"),
        ("1M", "month"),
        ("1y", "year"),
    ];
    let last: Vec<String> = periods
        .iter()
        .map(|(period, word)| format!("<a href=\"/logs/showLast?{period}\">{word}</a>"))
        .collect();
    let order = if recent_first {
        "<a href=\"/logs\">oldest first</a>"
    } else {
        "<a href=\"/logs?recentFirst\">recent first</a>"
    };
    let files = if names.is_empty() {
        crate::page::empty(
            "There are no log files: the daemon runs without -logDir.",
            "The lines in memory are below.",
        )
    } else {
        format!(
            "<ul>{}<li><a href=\"/logs/dump?name=latest\">current</a></li></ul>",
            names.iter().map(file).collect::<String>()
        )
    };
    let body = format!(
        "<p>Show last: {}, <a href=\"/logs/showSinceStartup\">since startup</a></p>\
         <p>Show <a href=\"/logs/showStackTrace\">stack trace</a>, \
         <a href=\"/logs/showPreviousPanic\">panic of the previous run</a></p>\
         <h2>Files ({order})</h2>{files}<h2 id=\"recent\">In memory</h2>{}",
        last.join(", "),
        recent::html(site.logs(), query)
    );
    Page::new(&site, "logs")
        .body(body)
        .command("curl 'http://HOST:PORT/logs/dump?name=latest'")
        .respond()
}

/// The lines from now on, as events; a follower who cannot keep up is dropped, and its browser asks again.
async fn follow(
    request: HttpRequest,
    site: web::Data<Site>,
    server: web::Data<srpc::Server>,
) -> HttpResponse {
    let query = Query::new(request.query_string());
    let level = query
        .get("level")
        .and_then(|level| level.parse().ok())
        .unwrap_or(site.logs().level());
    match filter(query) {
        Ok(filter) => {
            let watch = site.logs().watch(filter, level);
            live(
                &server,
                stream::unfold(watch, |mut watch| async {
                    let line = watch.next().await?;
                    Some((line.full().to_owned(), watch))
                }),
            )
        }
        Err(error) => plain(StatusCode::BAD_REQUEST, error),
    }
}

async fn dump(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let query = Query::new(request.query_string());
    let filter = match filter(query) {
        Ok(filter) => filter,
        Err(error) => return plain(StatusCode::BAD_REQUEST, error),
    };
    let named = query.get("name").unwrap_or_default();
    let Some(directory) = site.logs().directory().cloned() else {
        return plain(StatusCode::NOT_FOUND, "");
    };
    let name = if named == "latest" {
        directory.current()
    } else {
        LogFileName::read(&named)
    };
    let Some(name) = name.filter(|name| directory.files().contains(name)) else {
        return plain(StatusCode::NOT_FOUND, "");
    };
    lines(query, site.logs().clone(), move |collected| {
        collect(&directory, &[name], collected, |line| filter.passes(line));
    })
    .await
}

async fn show_last(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let query = Query::new(request.query_string());
    let (wanted, filter) = (period(&query.raw_name()), filter(query));
    let (Some(from), Ok(filter)) = (wanted.and_then(since), filter) else {
        return plain(StatusCode::BAD_REQUEST, "");
    };
    let logs = site.logs().clone();
    let text = gather(query, logs.clone(), move |collected| {
        let Some(directory) = logs.directory() else {
            for line in logs.recent().iter().filter(|line| line.full() >= from.as_str()) {
                push(collected, line, &filter);
            }
            return;
        };
        let mut is_within = false;
        let names = files_since(directory, &from);
        collect(directory, &names, collected, |line| {
            // Lines without a time belong to the line before them.
            is_within = stamp(line).map_or(is_within, |stamp| stamp >= from.as_str());
            is_within && filter.passes(line)
        });
    })
    .await;
    match text {
        Ok(text) => {
            let title = format!("log of the last {}", query.raw_name());
            let body = format!("<pre class=\"log\" tabindex=\"0\">{}</pre>", escape(&text));
            Page::new(&site, title)
                .crumb("/logs", "logs")
                .body(body)
                .respond()
        }
        Err(response) => response,
    }
}

async fn show_since_startup(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let query = Query::new(request.query_string());
    let filter = match filter(query) {
        Ok(filter) => filter,
        Err(error) => return plain(StatusCode::BAD_REQUEST, error),
    };
    let logs = site.logs().clone();
    lines(query, logs.clone(), move |collected| match logs.directory() {
        Some(directory) => {
            collect(directory, &directory.files_of_this_process(), collected, |line| {
                filter.passes(line)
            });
        }
        None => logs
            .recent()
            .iter()
            .for_each(|line| push(collected, line, &filter)),
    })
    .await
}

async fn show_previous_panic(request: HttpRequest, site: web::Data<Site>) -> HttpResponse {
    let query = Query::new(request.query_string());
    let filter = match filter(query) {
        Ok(filter) => filter,
        Err(error) => return plain(StatusCode::BAD_REQUEST, error),
    };
    let logs = site.logs().clone();
    let text = gather(query, logs.clone(), move |collected| {
        let Some(directory) = logs.directory() else { return };
        let Some(previous) = directory.last_of_the_previous_process() else {
            return;
        };
        let mut has_panicked = false;
        collect(directory, &[previous], collected, |line| {
            has_panicked |= line.get(20..).is_some_and(|text| text.starts_with(PANIC_PREFIX));
            has_panicked && filter.passes(line)
        });
    })
    .await;
    match text {
        Ok(text) if text.is_empty() => plain(StatusCode::OK, "Last invocation did not panic!\n"),
        Ok(text) => plain(StatusCode::OK, text),
        Err(response) => response,
    }
}

async fn show_stack_trace() -> HttpResponse {
    static LAST_MS: AtomicI64 = AtomicI64::new(i64::MIN / 2);
    let now = Timestamp::now().as_millisecond();
    let last = LAST_MS.load(Ordering::Relaxed);
    let is_turn = now - last >= STACK_DUMP_EVERY_MS
        && LAST_MS
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
    if !is_turn {
        return plain(StatusCode::OK, "Too soon\n");
    }
    match web::block(stack_dump).await {
        Ok(text) => plain(StatusCode::OK, text),
        Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

/// The filter of `include=` and `exclude=`, each repeatable.
fn filter(query: Query<'_>) -> Result<LineFilter, String> {
    let include: Vec<_> = query.all("include").collect();
    let exclude: Vec<_> = query.all("exclude").collect();
    LineFilter::new(
        include.iter().map(AsRef::as_ref),
        exclude.iter().map(AsRef::as_ref),
    )
}

/// The files that may hold lines since `from`: the last one begun before it, and all after.
fn files_since(directory: &LogDirectory, from: &str) -> Vec<LogFileName> {
    let mut names = directory.files();
    // The names write dates with hyphens and a colon before the time.
    let begun_before =
        |name: &LogFileName| name.as_str().replacen('-', "/", 2).replacen(':', " ", 1).as_str() < from;
    let first = names.iter().rposition(begun_before).unwrap_or(0);
    names.drain(..first);
    names
}

fn push(collected: &mut Collected, line: &Arc<Line>, filter: &LineFilter) {
    if filter.passes(line.full()) {
        collected.push(line.full().to_owned());
    }
}

/// Reads away from the thread that answers; what was logged before the request is in the files by then.
async fn gather(
    query: Query<'_>,
    logs: Logs,
    read: impl FnOnce(&mut Collected) + Send + 'static,
) -> Result<String, HttpResponse> {
    let recent_first = query.has("recentFirst");
    let text = web::block(move || {
        logs.flush();
        let mut collected = Collected::new();
        read(&mut collected);
        collected.text(recent_first)
    });
    text.await
        .map_err(|error| plain(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()))
}

async fn lines(
    query: Query<'_>,
    logs: Logs,
    read: impl FnOnce(&mut Collected) + Send + 'static,
) -> HttpResponse {
    match gather(query, logs, read).await {
        Ok(text) => plain(StatusCode::OK, text),
        Err(response) => response,
    }
}

fn plain(status: StatusCode, text: impl Into<String>) -> HttpResponse {
    HttpResponse::build(status)
        .content_type("text/plain; charset=utf-8")
        .body(text.into())
}

#[cfg(test)]
#[path = "tests/pages.rs"]
mod tests;
