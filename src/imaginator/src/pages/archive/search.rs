//! `/searchBuildLogs?q=TEXT`: lines of archived logs that have a text, the newest build first.

use std::time::Duration;

use super::counts;
use crate::pages::context::{Context, time};
use crate::pages::links;
use crate::pages::state_word::Outcome;
use crate::state::Shared;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::log_archive::{FoundLog, SEARCH_TEXT_BYTES, SearchQuery, SearchResult};
use front::page::{Output, Page, Query, empty, escape};
use front::site::Site;
use tokio::sync::Semaphore;

/// Searches at a time: each may read a quarter of a gibibyte.
const SEARCHES_MOST: usize = 2;
/// How long one more waits for its turn.
const WAIT_MOST: Duration = Duration::from_secs(10);

/// The page.
pub(in crate::pages) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    static PLACES: Semaphore = Semaphore::const_new(SEARCHES_MOST);
    let context = Context::of(&shared, &site, &request);
    let Some(archive) = &shared.archive else {
        return counts::off(&context);
    };
    let (text, stream) = (context.value("q"), context.value("stream"));
    let only_failed = Query::new(context.query).has("failed");
    let page = Page::new(&site, "search in build logs")
        .crumb("/showBuildLogArchive", "archive")
        .command("grep -r TEXT BUILD_LOG_DIR")
        .crumb("/searchBuildLogs", "search");
    let form = form(&text, &stream, only_failed);
    if text.is_empty() || text.len() > SEARCH_TEXT_BYTES {
        let why = format!("Give a text of 1 to {SEARCH_TEXT_BYTES} bytes.");
        return page.body(form + &empty(&why, "")).respond();
    }
    let place = tokio::time::timeout(WAIT_MOST, PLACES.acquire()).await;
    let Ok(Ok(_place)) = place else {
        return crate::pages::context::busy(&site);
    };
    let query = SearchQuery {
        text: text.clone(),
        stream: Some(stream).filter(|stream| !stream.is_empty()),
        only_failed,
    };
    match archive.search(query).await {
        Ok(result) => match Query::new(context.query).output() {
            Output::Html => page.body(form + &html(&result, &text, context.query)).respond(),
            Output::Json => plain("application/json", json(&result)),
            Output::Text | Output::Csv => plain("text/plain; charset=utf-8", lines(&result)),
        },
        Err(error) => {
            let status = StatusCode::BAD_REQUEST;
            front::page::problem(
                &site,
                status,
                "this cannot be searched for",
                &error.to_string(),
                "",
            )
        }
    }
}

fn plain(kind: &'static str, text: String) -> HttpResponse {
    HttpResponse::Ok().content_type(kind).body(text)
}

/// The form, with what was searched for.
pub(super) fn form(text: &str, stream: &str, only_failed: bool) -> String {
    let checked = if only_failed { " checked" } else { "" };
    format!(
        "<form class=\"ask\" action=\"/searchBuildLogs\"><p><label>logs with <input type=\"search\" name=\"q\" value=\"{}\" required></label> \
         <label>of stream <input name=\"stream\" value=\"{}\" placeholder=\"any\"></label> \
         <label><input type=\"checkbox\" name=\"failed\"{checked}> failed builds only</label> <button>search logs</button></p></form>",
        escape(text),
        escape(stream)
    )
}

fn html(result: &SearchResult, text: &str, query: &str) -> String {
    if result.found.is_empty() {
        let why = format!(
            "None of the {} logs that were looked through has {text}.",
            result.logs_read
        );
        return empty(&why, "<a href=\"/showBuildLogArchive\">the archive</a>");
    }
    let cut = if result.is_cut {
        " There may be more: search for something that fewer lines have."
    } else {
        ""
    };
    let mut html = format!(
        "<p>Found in {} of {} logs.{cut}</p>",
        result.found.len(),
        result.logs_read
    );
    for found in &result.found {
        html += &of_log(found);
    }
    let query = escape(query);
    html + &format!(
        "<p class=\"alternatives\">the same as <a href=\"?{query}&amp;output=text\">text</a>, <a href=\"?{query}&amp;output=json\">JSON</a></p>"
    )
}

fn of_log(found: &FoundLog) -> String {
    let build = &found.build;
    let link = links::archived(&build.name);
    let lines: String = found
        .lines
        .iter()
        .map(|(line, text)| {
            let href = escape(&format!("{link}&line={line}#L{line}"));
            let text = crate::pages::log_lines::shown(text.as_bytes());
            format!("<a href=\"{href}\">{line}</a> {}\n", escape(&text))
        })
        .collect();
    format!(
        "<h2>{} {}</h2><p class=\"faint\">{} {}</p><pre class=\"log\" tabindex=\"0\">{lines}</pre>",
        links::anchor(&link, &build.name),
        Outcome::of_end(build.is_good(), build.is_cancelled).html(),
        time(build.finished_at),
        escape(&build.error)
    )
}

fn lines(result: &SearchResult) -> String {
    let lines = result.found.iter().flat_map(|found| {
        let line = |(line, text): &(u64, String)| format!("{}:{line}:{text}\n", found.build.name);
        found.lines.iter().map(line).collect::<Vec<_>>()
    });
    lines.collect()
}

fn json(result: &SearchResult) -> String {
    let lines: Vec<_> = result
        .found
        .iter()
        .flat_map(|found| {
            let line = |(line, text): &(u64, String)| {
                serde_json::json!({"Image Name": found.build.name, "Line": line, "Text": text})
            };
            found.lines.iter().map(line).collect::<Vec<_>>()
        })
        .collect();
    serde_json::to_string_pretty(&lines).unwrap_or_default() + "\n"
}
