//! The lines in memory as a passage of a page, by level and words.

use std::sync::Arc;

use super::{Line, Logs};
use crate::page::{Query, encode, escape};

/// Levels that can be chosen; higher ones hardly anybody logs at.
const LEVEL_MOST: i16 = 5;

/// The lines that `q=` (words, regardless of case) and `level=` (debug level at most) ask for, with a form to ask; with
/// JavaScript they go on as lines are written.
pub(super) fn html(logs: &Logs, query: Query<'_>) -> String {
    let asked = query.get("q").unwrap_or_default();
    let level: Option<i16> = query.get("level").and_then(|level| level.parse().ok());
    let wanted = asked.to_lowercase();
    let is_wanted = |line: &Arc<Line>| {
        level.is_none_or(|level| line.level() <= level) && line.full().to_lowercase().contains(&wanted)
    };
    let all = logs.recent();
    let lines: Vec<&str> = all
        .iter()
        .filter(|line| is_wanted(line))
        .map(|line| line.full())
        .collect();
    let mut parameters = Vec::new();
    if let Some(level) = level {
        parameters.push(format!("level={level}"));
    }
    if !asked.is_empty() {
        parameters.push(format!(
            "include={}",
            encode(format!("(?i){}", regex::escape(&asked)))
        ));
    }
    let mut follow = String::from("/logs/follow");
    if !parameters.is_empty() {
        follow += &format!("?{}", parameters.join("&"));
    }
    format!(
        "{}<p>{} of {} lines</p><pre class=\"log\" tabindex=\"0\" data-live=\"{}\">{}</pre>",
        form(&asked, level),
        lines.len(),
        all.len(),
        escape(&follow),
        escape(&lines.join("\n"))
    )
}

/// All lines in memory, as a passage for a page of a daemon.
pub fn recent_html(logs: &Logs) -> String {
    html(logs, Query::new(""))
}

fn form(asked: &str, level: Option<i16>) -> String {
    let option = |value: String, word: &str, chosen: bool| {
        let chosen = if chosen { " selected" } else { "" };
        format!("<option value=\"{value}\"{chosen}>{word}</option>")
    };
    let levels: String = (super::line::ALWAYS..=LEVEL_MOST)
        .map(|known| {
            let word = match known {
                super::line::ALWAYS => "what is always logged".to_owned(),
                known => format!("up to debug level {known}"),
            };
            option(known.to_string(), &word, level == Some(known))
        })
        .collect();
    format!(
        "<form class=\"ask\" action=\"/logs#recent\"><label>with <input type=\"search\" name=\"q\" value=\"{}\"></label> \
         <label>level <select name=\"level\">{}{levels}</select></label> <button>show</button></form>",
        escape(asked),
        option(String::new(), "all", level.is_none()),
    )
}
