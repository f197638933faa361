//! Files that commands are given, and what they say.

use std::io::Read;
use std::path::Path;

use anyhow::anyhow;
use image::{Annotation, Filter, Triggers};
use image_client::ImageServer;
use tree_io::os_text;

/// Filters, triggers, lists: nobody writes more by hand, and no program should.
const INPUT_MAX_BYTES: u64 = 64 << 20;

/// Build logs and release notes become one object, sent whole.
const ANNOTATION_MAX_BYTES: u64 = 1 << 30;

/// A file's content; `-` is standard input.
pub(crate) fn read(name: &str) -> anyhow::Result<Vec<u8>> {
    if name == "-" {
        return limited(std::io::stdin().lock(), name, INPUT_MAX_BYTES);
    }
    limited(open(name)?, name, INPUT_MAX_BYTES)
}

/// Opens a file for reading, with the original's words if that fails.
pub(crate) fn open(name: impl AsRef<Path>) -> anyhow::Result<std::fs::File> {
    let name = name.as_ref();
    std::fs::File::open(name).map_err(|e| anyhow!("open {}: {}", name.display(), os_text(&e)))
}

/// All that there is to read, if it is not more than `limit` bytes.
pub(crate) fn limited(from: impl Read, name: &str, limit: u64) -> anyhow::Result<Vec<u8>> {
    let mut data = Vec::new();
    from.take(limit + 1)
        .read_to_end(&mut data)
        .map_err(|e| anyhow!("read {name}: {}", os_text(&e)))?;
    if data.len() as u64 > limit {
        return Err(anyhow!("{name}: larger than {}", human::bytes(limit)));
    }
    Ok(data)
}

/// `""` is no filter (a sparse image).
pub(crate) fn filter(name: &str) -> anyhow::Result<Option<Filter>> {
    if name.is_empty() {
        return Ok(None);
    }
    let filter = image::filter::parse_lines(&read(name)?);
    // A bad expression is an error now and not on some machine later.
    image::filter::CompiledFilter::new(&filter)?;
    Ok(Some(filter))
}

/// `""` is no triggers.
pub(crate) fn triggers(name: &str) -> anyhow::Result<Option<Triggers>> {
    if name.is_empty() {
        return Ok(None);
    }
    Ok(Some(image::triggers::parse(&read(name)?)?))
}

/// The name of a readable file becomes an object, anything else a URL; `""` is none.
pub(crate) async fn annotation(server: &mut ImageServer, value: &str) -> anyhow::Result<Option<Annotation>> {
    if value.is_empty() {
        return Ok(None);
    }
    let Ok(file) = std::fs::File::open(value) else {
        return Ok(Some(Annotation {
            object: None,
            url: value.to_owned(),
        }));
    };
    let data = limited(file, value, ANNOTATION_MAX_BYTES)?;
    let object = server.add_object(&data).await?;
    Ok(Some(Annotation {
        object: Some(object),
        url: String::new(),
    }))
}
