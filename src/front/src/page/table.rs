//! Tables, and the same as text, JSON and CSV.

use actix_web::HttpResponse;
use serde::ser::{Error as SerializeError, SerializeSeq, Serializer};
use serde_json::{Map, Value as Json};

use super::format::escape;
use super::{Cell, Column, Output, Page, Query};

/// Characters of a cell as HTML, roughly.
const CELL_CHARACTERS: usize = 80;

/// Rows of cells under headings.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
    text_columns: Option<Vec<usize>>,
    when_empty: String,
}

impl Table {
    /// A table without rows.
    pub fn new(columns: impl IntoIterator<Item = Column>) -> Self {
        Self {
            columns: columns.into_iter().collect(),
            rows: Vec::new(),
            text_columns: None,
            when_empty: "<p class=\"empty\">nothing here</p>".to_owned(),
        }
    }

    /// The columns the text form has, by index; all when this is not called. Scripts rely on them.
    pub fn text_columns(mut self, columns: impl IntoIterator<Item = usize>) -> Self {
        self.text_columns = Some(columns.into_iter().collect());
        self
    }

    /// What stands there instead of a table without rows; see [`super::empty`].
    pub fn when_empty(mut self, html: impl Into<String>) -> Self {
        self.when_empty = html.into();
        self
    }

    /// Adds a row; cells beyond the columns are dropped, missing ones are empty.
    pub fn push(&mut self, row: impl IntoIterator<Item = Cell>) {
        let mut row: Vec<Cell> = row.into_iter().take(self.columns.len()).collect();
        row.resize_with(self.columns.len(), Cell::empty);
        self.rows.push(row);
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The table for people.
    pub fn html(&self) -> String {
        if self.rows.is_empty() {
            return self.when_empty.clone();
        }
        let mut html = String::with_capacity(self.rows.len() * self.columns.len() * CELL_CHARACTERS);
        html += "<div class=\"scroll\" tabindex=\"0\"><table class=\"list\"><thead><tr>";
        // What begins each cell of a column, made once: there may be a hundred thousand cells.
        let mut starts = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let (class, heading) = (class(column), escape(&column.heading));
            html += &format!("<th scope=\"col\"{class}>{heading}</th>");
            starts.push(format!("<td data-label=\"{heading}\"{class}"));
        }
        html += "</tr></thead><tbody>";
        for row in &self.rows {
            html += "<tr>";
            for (start, cell) in starts.iter().zip(row) {
                html += start;
                if let Some(order) = cell.order() {
                    html += " data-order=\"";
                    html += &escape(order);
                    html += "\"";
                }
                html += ">";
                html += cell.as_html();
                html += "</td>";
            }
            html += "</tr>\n";
        }
        html + "</tbody></table></div>"
    }

    /// Lines for scripts, cells separated by one space.
    pub fn text(&self) -> String {
        let chosen = |row: &[Cell]| -> String {
            let all: Vec<usize> = (0..row.len()).collect();
            let columns = self.text_columns.as_ref().unwrap_or(&all);
            let cells: Vec<&str> = columns
                .iter()
                .filter_map(|index| row.get(*index))
                .map(Cell::as_text)
                .collect();
            cells.join(" ") + "\n"
        };
        self.rows.iter().map(|row| chosen(row)).collect()
    }

    /// A list of objects with the headings as names, indented.
    ///
    /// # Errors
    /// None that can be met: writing into memory does not fail.
    pub fn json(&self) -> serde_json::Result<String> {
        let mut written = Vec::new();
        let mut writer = serde_json::Serializer::pretty(&mut written);
        let mut list = writer.serialize_seq(Some(self.rows.len()))?;
        // Row by row: the objects of a hundred thousand at once would take half a gigabyte.
        for row in &self.rows {
            let members = self.columns.iter().zip(row);
            let object: Map<String, Json> = members
                .map(|(column, cell)| (column.heading.clone(), cell.as_json().clone()))
                .collect();
            list.serialize_element(&object)?;
        }
        list.end()?;
        written.push(b'\n');
        String::from_utf8(written).map_err(SerializeError::custom)
    }

    /// Comma separated values with a line of headings.
    pub fn csv(&self) -> String {
        let headings: Vec<&str> = self
            .columns
            .iter()
            .map(|column| column.heading.as_str())
            .collect();
        let mut text = csv_line(&headings);
        for row in &self.rows {
            let cells: Vec<&str> = row.iter().map(Cell::as_text).collect();
            text += &csv_line(&cells);
        }
        text
    }

    /// Links to the other forms; `query` is that of the page itself.
    pub fn alternatives(query: &str) -> String {
        let others: Vec<&str> = query
            .split('&')
            .filter(|part| !part.is_empty() && !part.starts_with("output=") && !part.starts_with("page="))
            .collect();
        let base = escape(&others.join("&"));
        let joined = if base.is_empty() {
            String::new()
        } else {
            format!("{base}&amp;")
        };
        let link = |name: &str, word: &str| format!("<a href=\"?{joined}output={name}\">{word}</a>");
        format!(
            "<p class=\"alternatives\">the same as {}, {}, {}</p>",
            link("text", "text"),
            link("json", "JSON"),
            link("csv", "CSV")
        )
    }

    /// The table in the form asked for: alone, or on the page with links to its other forms.
    pub fn respond(&self, query: &str, page: Page<'_>) -> HttpResponse {
        self.respond_with(query, page, "", "")
    }

    /// The same, with HTML before and after the table on the page: what is said about it, and the way to further pages of it.
    pub fn respond_with(&self, query: &str, page: Page<'_>, before: &str, after: &str) -> HttpResponse {
        let (kind, body) = match Query::new(query).output() {
            Output::Html => {
                let html = self.html() + after + &Self::alternatives(query);
                return page.body(before.to_owned() + &html).respond();
            }
            Output::Text => ("text/plain; charset=utf-8", self.text()),
            Output::Json => match self.json() {
                Ok(json) => ("application/json", json),
                Err(error) => return HttpResponse::InternalServerError().body(format!("{error}\n")),
            },
            Output::Csv => ("text/csv; charset=utf-8", self.csv()),
        };
        HttpResponse::Ok().content_type(kind).body(body)
    }
}

fn class(column: &Column) -> &'static str {
    if column.numeric { " class=\"number\"" } else { "" }
}

fn csv_line(cells: &[&str]) -> String {
    let quoted: Vec<String> = cells
        .iter()
        .map(|cell| {
            if cell.contains(['"', ',', '\n', '\r']) {
                format!("\"{}\"", cell.replace('"', "\"\""))
            } else {
                (*cell).to_owned()
            }
        })
        .collect();
    quoted.join(",") + "\r\n"
}
