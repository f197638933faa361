//! The log on the page of a build: a page of its lines, or those that have a text.

use super::Subject;
use crate::pages::log_lines::Survey;
use actix_web::error::BlockingError;
use actix_web::web;
use front::page::{Query, encode, escape};

/// Bytes of a text to be searched for.
const TEXT_MOST: usize = 256;

/// What is asked for of a log.
#[derive(Debug, Default)]
pub(super) struct Asked {
    /// Only lines with this; all if it is empty.
    text: String,
    /// The page with this line.
    line: Option<u64>,
    /// This page, the first is 1; the last if there is none.
    page: Option<usize>,
}

impl Asked {
    pub(super) fn of(query: &str) -> Self {
        let query = Query::new(query);
        let number = |name: &str| query.get(name).and_then(|text| text.trim().parse::<u64>().ok());
        let text: String = query
            .get("q")
            .unwrap_or_default()
            .trim()
            .chars()
            .take(TEXT_MOST)
            .collect();
        Self {
            text,
            line: number("line"),
            page: number("page").and_then(|page| usize::try_from(page).ok()),
        }
    }

    fn page_of(&self, survey: &Survey) -> usize {
        let last = survey.page_count() - 1;
        match (self.line, self.page) {
            (Some(line), _) => Survey::page_of(line).min(last),
            (None, Some(page)) => page.saturating_sub(1).min(last),
            (None, None) => last,
        }
    }
}

/// The log as HTML. Reads it away from the thread that answers.
pub(super) async fn show(subject: Subject, asked: Asked) -> Result<(Subject, String), BlockingError> {
    web::block(move || {
        let html = html(&subject, &asked);
        (subject, html)
    })
    .await
}

fn html(subject: &Subject, asked: &Asked) -> String {
    let survey = Survey::of(subject.log(), &asked.text);
    let link = subject.link();
    let mut html = head(subject, &survey, &link, &asked.text);
    if !asked.text.is_empty() {
        return html + &found(&survey, &link, &asked.text);
    }
    let page = asked.page_of(&survey);
    let is_last = page + 1 == survey.page_count();
    html += &pages(&survey, page, &link);
    let follow = match subject {
        Subject::Live(build) if is_last && !subject.has_ended() => {
            format!(
                " data-follow=\"/build/follow?{}&amp;from={}\"",
                build.number, survey.bytes
            )
        }
        _ => String::new(),
    };
    let lines = survey.html(subject.log(), page);
    let before = Survey::lines_before(page);
    format!(
        "{html}<pre class=\"log lines\" tabindex=\"0\" aria-label=\"build log\" data-lines=\"{before}\"{follow}>{lines}</pre>\
         <p id=\"bottom\" class=\"alternatives\">{} lines; <a href=\"{}\">as plain text</a></p>",
        survey.lines,
        escape(&raw_link(subject))
    )
}

/// The whole log as text.
fn raw_link(subject: &Subject) -> String {
    match subject {
        Subject::Archived(build, _) => crate::pages::links::of_name("showBuildLog", &build.name),
        _ => format!("{}&output=text", subject.link()),
    }
}

/// The search field, and where errors are.
fn head(subject: &Subject, survey: &Survey, link: &str, text: &str) -> String {
    let name = link.split_once('?').map_or("", |(_, name)| name);
    let name = Query::new(name).raw_name().into_owned();
    let mut html = format!(
        "<form class=\"ask\" action=\"/build\"><p><label>lines with \
         <input type=\"search\" name=\"q\" value=\"{}\"></label> <input type=\"hidden\" name=\"of\" value=\"{}\"> \
         <button>search this log</button></p></form>",
        escape(text),
        escape(&name)
    );
    if !text.is_empty() || survey.errors.is_empty() {
        return html;
    }
    let on_last_page = |line: u64| Survey::page_of(line) + 1 == survey.page_count();
    let numbers: Vec<String> = survey
        .errors
        .iter()
        .map(|&line| match on_last_page(line) {
            true if !subject.has_ended() || survey.page_count() == 1 => {
                format!("<a href=\"#L{line}\">{line}</a>")
            }
            _ => format!("<a href=\"{}\">{line}</a>", escape(&line_link(link, line))),
        })
        .collect();
    let more = if survey.error_count > survey.errors.len() as u64 {
        ", …"
    } else {
        ""
    };
    let count = match survey.error_count {
        1 => "1 line looks like an error".to_owned(),
        count => format!("{count} lines look like errors"),
    };
    html += &format!("<p>{count}: {}{more}</p>", numbers.join(", "));
    html
}

fn line_link(link: &str, line: u64) -> String {
    format!("{link}&line={line}#L{line}")
}

fn pages(survey: &Survey, page: usize, link: &str) -> String {
    if survey.page_count() == 1 {
        return String::new();
    }
    let link = escape(link);
    let to = |page: usize, word: &str, is_there: bool| match is_there {
        true => format!("<li><a href=\"{link}&amp;page={}\">{word}</a></li>", page + 1),
        false => format!("<li class=\"faint\">{word}</li>"),
    };
    let last = survey.page_count() - 1;
    format!(
        "<nav class=\"pager\" aria-label=\"further lines\"><p>lines from {} of {}</p><ul>{}{}{}{}</ul></nav>",
        Survey::lines_before(page) + 1,
        survey.lines,
        to(0, "first", page > 0),
        to(page.saturating_sub(1), "previous", page > 0),
        to(page + 1, "next", page < last),
        to(last, "last", page < last),
    )
}

fn found(survey: &Survey, link: &str, text: &str) -> String {
    if survey.found.is_empty() {
        return front::page::empty(
            &format!("None of the {} lines has {text}.", survey.lines),
            &format!("<a href=\"{}\">the whole log</a>", escape(link)),
        );
    }
    let lines: String = survey
        .found
        .iter()
        .map(|(line, shown)| {
            let href = escape(&line_link(link, *line));
            format!("<a href=\"{href}\">{line}</a> {}\n", escape(shown))
        })
        .collect();
    let cut = match survey.found_count - survey.found.len() as u64 {
        0 => String::new(),
        more => format!(" The first {}; {more} more have it.", survey.found.len()),
    };
    format!(
        "<p>{} of {} lines have “{}”.{cut} <a href=\"{}\">The whole log</a></p><pre class=\"log\" tabindex=\"0\">{lines}</pre>",
        survey.found_count,
        survey.lines,
        escape(text),
        escape(link)
    )
}

/// The query of the search form in the form links have: the name first.
pub(super) fn of_form(query: &str) -> Option<String> {
    let parsed = Query::new(query);
    let name = parsed.get("of")?;
    let text = parsed.get("q").unwrap_or_default();
    Some(format!(
        "{}&q={}",
        encode(name.as_bytes()),
        encode(text.as_bytes())
    ))
}
