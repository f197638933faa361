//! Long lists for people in pages of so many rows. Programs get the whole list.

use std::ops::Range;

use super::format::escape;
use super::{Output, Query};

/// Which rows of a list a request shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pager {
    total: usize,
    shown: Range<usize>,
    page: usize,
    pages: usize,
    /// The query string without the number of the page.
    base: String,
}

impl Pager {
    /// Page `page=N` of a list of `total` rows, `rows_most` on each; everything where another form than HTML is asked for.
    pub fn new(query: &str, total: usize, rows_most: usize) -> Self {
        let parsed = Query::new(query);
        let rows_most = if parsed.output() == Output::Html {
            rows_most.max(1)
        } else {
            total.max(1)
        };
        let pages = total.div_ceil(rows_most).max(1);
        let asked = parsed.get("page").and_then(|page| page.parse().ok());
        let page = asked.unwrap_or(1).clamp(1, pages);
        let start = (page - 1) * rows_most;
        let others: Vec<&str> = query
            .split('&')
            .filter(|part| !part.is_empty() && !part.starts_with("page="))
            .collect();
        Self {
            total,
            shown: start..total.min(start + rows_most),
            page,
            pages,
            base: others.join("&"),
        }
    }

    /// Indices of the rows of this page.
    pub fn shown(&self) -> Range<usize> {
        self.shown.clone()
    }

    /// Links to the other pages; nothing if there is one page only.
    pub fn html(&self) -> String {
        if self.pages == 1 {
            return String::new();
        }
        let joined = if self.base.is_empty() {
            String::new()
        } else {
            format!("{}&amp;", escape(&self.base))
        };
        let link = |page: usize, word: &str, is_there: bool| {
            if is_there {
                format!("<li><a href=\"?{joined}page={page}\">{word}</a></li>")
            } else {
                format!("<li class=\"faint\">{word}</li>")
            }
        };
        let (before, after) = (self.page > 1, self.page < self.pages);
        format!(
            "<nav class=\"pager\" aria-label=\"further rows\"><p>rows {} to {} of {}</p><ul>{}{}{}{}</ul></nav>",
            self.shown.start + 1,
            self.shown.end,
            self.total,
            link(1, "first", before),
            link(self.page.saturating_sub(1), "previous", before),
            link(self.page + 1, "next", after),
            link(self.pages, "last", after),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_get_pages_and_programs_everything() {
        let second = Pager::new("directory=a%26b&page=2", 25, 10);
        assert_eq!(second.shown(), 10..20);
        let html = second.html();
        assert!(html.contains("rows 11 to 20 of 25"), "{html}");
        assert!(
            html.contains("href=\"?directory=a%26b&amp;page=3\">next"),
            "{html}"
        );
        assert_eq!(Pager::new("page=9", 25, 10).shown(), 20..25);
        assert_eq!(Pager::new("page=0", 25, 10).shown(), 0..10);
        assert_eq!(Pager::new("page=2&output=text", 25, 10).shown(), 0..25);
        assert_eq!(Pager::new("", 0, 10).shown(), 0..0);
        assert_eq!(Pager::new("", 10, 10).html(), "");
    }
}
