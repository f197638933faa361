//! `/listFilter?NAME`: the paths an update leaves alone.

use super::context::Context;
use actix_web::HttpResponse;
use front::page::escape;
use image::filter::CompiledFilter;

/// The page.
pub(super) fn page(context: &Context<'_>) -> HttpResponse {
    let entry = match context.image() {
        Ok(entry) => entry,
        Err(name) => return context.unknown_image(&name),
    };
    let page = context
        .page_of(&entry, format!("filter of {}", entry.name))
        .command(format!("imagetool show-filter {}", entry.name));
    let Some(filter) = &entry.metadata.filter else {
        return page.body("<p>Sparse filter</p>").respond();
    };
    let (slow, mut body) = match CompiledFilter::new(filter) {
        Ok(compiled) => (
            compiled
                .unoptimised()
                .iter()
                .map(|line| line.to_string())
                .collect(),
            String::new(),
        ),
        Err(error) => {
            let problem = escape(&error.to_string());
            (
                Vec::new(),
                format!("<p class=\"warning\" role=\"alert\">This filter does not compile: {problem}</p>"),
            )
        }
    };
    body.push_str("<div class=\"scroll\"><pre>");
    for line in &filter.filter_lines {
        if slow.contains(line) {
            // No fixed start: such a line is tried on every path. Dark orange as far as that can be read in both schemes, and
            // marked for those who do not see it.
            let text = escape(line);
            body.push_str(&format!(
                "<span class=\"changed\" title=\"not optimised\">{text}</span> <span class=\"faint\">(tried on every path)</span>\n"
            ));
        } else {
            body.push_str(&escape(line));
            body.push('\n');
        }
    }
    body.push_str("</pre></div>");
    page.body(body).respond()
}
