//! One file of an image: what is known about it, its text where contents are open to everybody, and who else holds it.

use super::context::{Context, file_link, image_link};
use super::files::{letters, modified};
use super::object;
use actix_web::HttpResponse;
use actors::image_index::Holders;
use bstr::ByteSlice;
use front::page::{Page, encode, escape, shell_word};
use hash::Hash;
use image::InodeRef;

/// Bytes of a file that are shown.
const SHOWN_BYTES_MAX: u64 = 256 << 10;
/// Other images that are named.
const HOLDERS_MOST: usize = 50;

/// The page.
pub(super) async fn respond(
    context: &Context<'_>,
    page: Page<'_>,
    image: &str,
    inode: InodeRef<'_>,
    path: &[u8],
) -> HttpResponse {
    let (uid, gid) = inode.owner();
    let mut body = format!(
        "<dl class=\"facts\"><dt>Kind</dt><dd>{}</dd><dt>Mode</dt><dd><code>{}</code></dd><dt>Owner</dt><dd>{uid}:{gid}</dd>",
        kind(inode),
        letters(inode),
    );
    if let Some(at) = modified(inode) {
        body += &format!("<dt>Modified</dt><dd>{}</dd>", front::page::time(at));
    }
    match inode {
        InodeRef::Regular(file) => {
            body += &format!("<dt>Size</dt><dd>{}</dd>", front::page::size(file.size));
            if file.size > 0 {
                body += &format!(
                    "<dt>Content</dt><dd>{}</dd>",
                    front::page::hash(&file.hash.to_string())
                );
            }
            body += "</dl>";
            if file.size > 0 {
                body += &content(context, image, file.hash, path).await;
                body += &held_by(context, image, file.hash).await;
            } else {
                body += "<p>It is empty.</p>";
            }
        }
        InodeRef::Symlink(link) => {
            let target = super::paths::resolve(path, &link.symlink);
            body += &format!(
                "<dt>Leads to</dt><dd><a href=\"{}\">{}</a></dd></dl>",
                escape(&file_link(image, &target)),
                escape(&link.symlink.to_string())
            );
        }
        InodeRef::ComputedRegular(file) => {
            body += &format!(
                "<dt>Computed by</dt><dd>{}</dd></dl><p>Each machine gets a content of its own.</p>",
                escape(&file.source)
            );
        }
        InodeRef::Special(special) => {
            let (major, minor) = (rustix::fs::major(special.rdev), rustix::fs::minor(special.rdev));
            body += &format!("<dt>Device</dt><dd>{major}, {minor}</dd></dl>");
        }
        InodeRef::Directory(_) => body += "</dl>",
    }
    page.command(fetch_command(image, path)).body(body).respond()
}

fn kind(inode: InodeRef<'_>) -> &'static str {
    match inode {
        InodeRef::Regular(_) => "file",
        InodeRef::ComputedRegular(_) => "computed file",
        InodeRef::Symlink(_) => "symbolic link",
        InodeRef::Special(_) => "device, pipe or socket",
        InodeRef::Directory(_) => "directory",
    }
}

fn fetch_command(image: &str, path: &[u8]) -> String {
    let (image, path) = (shell_word(image), shell_word(&path.to_str_lossy()));
    format!("imagetool get-file-in-image {image} {path}")
}

/// Contents are for everybody only where unauthenticated reads are (`imageserver.md §9`).
async fn content(context: &Context<'_>, image: &str, hash: Hash, path: &[u8]) -> String {
    if !context.shared.options.allow_unauthenticated_reads {
        return "<h2>Content</h2><p class=\"empty\">This server shows contents to nobody without a certificate \
            (it runs without <code>-allowUnauthenticatedReads</code>). The command below fetches it.</p>"
            .to_owned();
    }
    let read = match object::read(&context.shared.objects, hash, SHOWN_BYTES_MAX).await {
        Ok(Some(read)) => read,
        Ok(None) => {
            return format!(
                "<h2>Content</h2><p>Too large to be shown: <a href=\"/getObject?{hash}\">as it is</a>.</p>"
            );
        }
        Err(error) => return format!("<p class=\"problem\">{}</p>", escape(&error.to_string())),
    };
    let download = format!("<a href=\"/getObject?{hash}\">as it is</a>");
    let Some(text) = text_of(&read.bytes, read.size) else {
        let size = human::bytes(read.size);
        return format!("<h2>Content</h2><p>{size} that are no text: {download}.</p>");
    };
    let mut html = format!("<h2>Content</h2><p>{download}, ");
    html += &format!(
        "<a href=\"/compareFile?right={}&amp;path={}\">compared with the image before</a></p>",
        escape(&encode(image)),
        escape(&encode(path))
    );
    html += &format!("<pre class=\"text\" tabindex=\"0\">{}</pre>", escape(text));
    if read.size > SHOWN_BYTES_MAX {
        let (shown, size) = (human::bytes(SHOWN_BYTES_MAX), human::bytes(read.size));
        html += &format!("<p>The first {shown} of {size}.</p>");
    }
    html
}

/// The text, if it is one. Of a file that is cut, the character at its end may be half there.
pub(super) fn text_of(bytes: &[u8], size: u64) -> Option<&str> {
    if bytes.contains(&0) {
        return None;
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Some(text),
        Err(error) if error.error_len().is_none() && size > bytes.len() as u64 => {
            std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()
        }
        Err(_) => None,
    }
}

/// Which other images hold the same content.
async fn held_by(context: &Context<'_>, image: &str, hash: Hash) -> String {
    let snapshot = context.shared.images.snapshot();
    let found = context
        .shared
        .heavy_page(move || snapshot.holders(&hash, HOLDERS_MOST + 1))
        .await;
    let Some(Holders {
        names,
        images,
        is_cut,
    }) = found
    else {
        return String::new();
    };
    let others: Vec<String> = names
        .iter()
        .filter(|name| &***name != image)
        .take(HOLDERS_MOST)
        .map(|name| {
            format!(
                "<li><a href=\"{}\">{}</a></li>",
                escape(&image_link(name)),
                escape(name)
            )
        })
        .collect();
    let count = images.saturating_sub(1);
    let mut html = String::from("<h2 id=\"holders\">Other images with the same content</h2>");
    if others.is_empty() {
        html += "<p>None.</p>";
        return html;
    }
    html += &format!(
        "<p>{count}{}</p><ul>{}</ul>",
        if is_cut { " at least" } else { "" },
        others.concat()
    );
    if count > others.len() as u64 {
        html += &format!("<p>The first {} are shown.</p>", others.len());
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_told_from_other_bytes() {
        assert_eq!(text_of("über\n".as_bytes(), 6), Some("über\n"));
        assert_eq!(text_of(b"a\0b", 3), None);
        assert_eq!(text_of(b"\xff\xfe", 2), None);
        // Cut within a character.
        assert_eq!(text_of(b"a\xc3", 9), Some("a"));
        assert_eq!(text_of(b"a\xc3", 2), None);
    }
}
