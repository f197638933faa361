//! `/compareFile?left=NAME&right=NAME&path=P`: a text file's difference in place. Without `left`, with the image before.

use super::super::context::{Context, file_link, image_link};
use super::super::file::text_of;
use super::super::{directories, object};
use crate::state::Shared;
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, HttpResponse, web};
use actors::image_index::ImageEntry;
use bstr::ByteSlice;
use front::page::{Query, escape, shell_word};
use front::site::Site;
use hash::Hash;
use image::InodeRef;
use similar::{ChangeTag, TextDiff};
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a file that are compared; larger ones are for a tool.
const COMPARED_BYTES_MAX: u64 = 1 << 20;
/// Time the comparison of lines may take before it becomes coarser.
const COMPARING_MOST: Duration = Duration::from_secs(2);
/// Lines of a difference that are shown.
const LINES_MOST: usize = 5000;
/// Lines around each change.
const AROUND_LINES: usize = 3;

/// The page.
pub(in super::super) async fn get(
    shared: web::Data<Shared>,
    site: web::Data<Site>,
    request: HttpRequest,
) -> HttpResponse {
    let context = Context::of(&shared, &site, &request);
    let (left, right) = match pair(&context) {
        Ok(pair) => pair,
        Err(name) => return context.unknown_image(&name),
    };
    let path = Query::new(context.query).bytes("path").unwrap_or_default();
    let body = match difference(&context, &left, &right, &path).await {
        Ok(body) => body,
        Err(why) => {
            let back = format!("<a href=\"{}\">the image</a>", escape(&image_link(&right.name)));
            return front::page::problem(
                context.site,
                StatusCode::NOT_FOUND,
                "no difference to show",
                &why,
                &back,
            );
        }
    };
    let side = |entry: &ImageEntry| {
        format!(
            "<a href=\"{}\">{}</a>",
            escape(&file_link(&entry.name, &path)),
            escape(&entry.name)
        )
    };
    let compare = super::super::image_cells::compare_link(&left.name, &right.name);
    context
        .page(format!("{} in two images", path.as_bstr()))
        .crumb(compare, format!("from {} to {}", left.name, right.name))
        .command(format!(
            "imagetool diff-files diff {} {} {}",
            shell_word(&left.name),
            shell_word(&right.name),
            shell_word(&path.to_str_lossy())
        ))
        .body(format!("<p>− {}<br>+ {}</p>{body}", side(&left), side(&right)))
        .respond()
}

type Pair = (Arc<ImageEntry>, Arc<ImageEntry>);

fn pair(context: &Context<'_>) -> Result<Pair, String> {
    let right = context.image_of("right")?;
    if !context.value("left").is_empty() {
        return Ok((context.image_of("left")?, right));
    }
    let snapshot = context.shared.images.snapshot();
    let before = directories::neighbours(&snapshot, &right).0.cloned();
    Ok((before.unwrap_or_else(|| Arc::clone(&right)), right))
}

/// The difference as HTML, or why there is none.
async fn difference(
    context: &Context<'_>,
    left: &ImageEntry,
    right: &ImageEntry,
    path: &[u8],
) -> Result<String, String> {
    if !context.shared.options.allow_unauthenticated_reads {
        return Err(
            "This server shows contents to nobody without a certificate (it runs without \
            -allowUnauthenticatedReads): use imagetool diff-files."
                .to_owned(),
        );
    }
    let texts = (
        text(context, left, path).await?,
        text(context, right, path).await?,
    );
    if texts.0 == texts.1 {
        return Ok("<p class=\"empty\">The contents are the same.</p>".to_owned());
    }
    let compared = context.shared.heavy_page(move || lines(&texts.0, &texts.1));
    compared
        .await
        .ok_or_else(|| "The comparison was given up: ask again.".to_owned())
}

async fn text(context: &Context<'_>, entry: &ImageEntry, path: &[u8]) -> Result<String, String> {
    // Of the two trees one at a time, and only until the file is found in it.
    let place = context.shared.heavy_place().await;
    let place = place.ok_or_else(|| "Too many are asking: try again in a moment.".to_owned())?;
    let image = context.shared.images.image(&entry.name).await;
    let image = image.map_err(|error| error.to_string())?;
    let tree = image.as_ref().and_then(|image| image.file_system.as_ref());
    let inode = tree.and_then(|tree| tree.lookup(path)).map(|(_, inode)| inode);
    let hash: Hash = match inode {
        Some(InodeRef::Regular(file)) if file.size == 0 => return Ok(String::new()),
        Some(InodeRef::Regular(file)) if file.size <= COMPARED_BYTES_MAX => file.hash,
        Some(InodeRef::Regular(file)) => {
            let (size, most) = (human::bytes(file.size), human::bytes(COMPARED_BYTES_MAX));
            return Err(format!(
                "{} has {size} in {}: up to {most} are compared here.",
                path.as_bstr(),
                entry.name
            ));
        }
        Some(_) => return Err(format!("{} is no file in {}.", path.as_bstr(), entry.name)),
        None => return Err(format!("There is no {} in {}.", path.as_bstr(), entry.name)),
    };
    drop(image);
    drop(place);
    let content = object::read(&context.shared.objects, hash, COMPARED_BYTES_MAX).await;
    let content = content.map_err(|error| error.to_string())?;
    match content
        .as_ref()
        .and_then(|content| text_of(&content.bytes, content.size))
    {
        Some(text) => Ok(text.to_owned()),
        None => Err(format!("{} is no text in {}.", path.as_bstr(), entry.name)),
    }
}

/// The changed lines with those around them.
fn lines(left: &str, right: &str) -> String {
    let diff = TextDiff::configure()
        .timeout(COMPARING_MOST)
        .diff_lines(left, right);
    let mut html = String::from("<div class=\"scroll\" tabindex=\"0\"><table class=\"difference\"><tbody>");
    let mut shown = 0;
    for group in diff.grouped_ops(AROUND_LINES) {
        if shown > 0 {
            html += "<tr class=\"gap\"><td colspan=\"3\">…</td></tr>";
        }
        for change in group.iter().flat_map(|operation| diff.iter_changes(operation)) {
            let (class, sign) = match change.tag() {
                ChangeTag::Equal => ("same", " "),
                ChangeTag::Delete => ("removed", "−"),
                ChangeTag::Insert => ("added", "+"),
            };
            let number =
                |index: Option<usize>| index.map(|index| (index + 1).to_string()).unwrap_or_default();
            html += &format!(
                "<tr class=\"{class}\"><td>{}</td><td>{}</td><td><code>{sign} {}</code></td></tr>\n",
                number(change.old_index()),
                number(change.new_index()),
                escape(change.value().trim_end_matches(['\n', '\r']))
            );
            shown += 1;
            if shown >= LINES_MOST {
                return html
                    + &format!(
                        "</tbody></table></div><p>The first {LINES_MOST} lines of the difference.</p>"
                    );
            }
        }
    }
    html + "</tbody></table></div>"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_came_and_went_are_marked_and_escaped() {
        let html = lines("a\nb\nc\n", "a\n<b>\nc\n");
        assert!(
            html.contains("<tr class=\"removed\"><td>2</td><td></td><td><code>− b</code>"),
            "{html}"
        );
        assert!(
            html.contains("<tr class=\"added\"><td></td><td>2</td><td><code>+ &lt;b&gt;</code>"),
            "{html}"
        );
        assert!(html.contains("<tr class=\"same\"><td>1</td><td>1</td>"), "{html}");
    }

    #[test]
    fn a_long_difference_is_cut() {
        let long: String = (0..LINES_MOST * 2).map(|line| format!("{line}\n")).collect();
        let html = lines("", &long);
        assert_eq!(html.matches("<tr ").count(), LINES_MOST);
        assert!(html.ends_with("lines of the difference.</p>"));
    }
}
