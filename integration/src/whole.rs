//! What a server holds, fetched and hashed by the test itself: nothing is taken on trust.

use crate::images::get;
use crate::plain_call::connect;
use crate::server::ImageServer;
use anyhow::{Context, Result, ensure};
use hash::Hash;
use image::{DirectoryInode, FileSystem, Inode};
use protocol::object_server::{GetObjectsRequest, GetObjectsResponse};
use std::collections::BTreeMap;
use std::io::{BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The regular files of an image: contents by path.
pub type Contents = BTreeMap<String, Vec<u8>>;

/// The image's files with their contents, each of which matches the hash the image names it by; `None` if there is no
/// such image. Fails on whatever is missing, short or different.
pub fn fetch(server: &ImageServer, name: &str) -> Result<Option<Contents>> {
    let Some(image) = get(server, name)? else {
        return Ok(None);
    };
    let tree = image.file_system.context("an image without a tree")?;
    let mut files = Vec::new();
    list(&tree, &tree.directory_inode, "", &mut files)?;
    let wanted: Vec<Hash> = files
        .iter()
        .filter(|(_, _, size)| *size > 0)
        .map(|(_, hash, _)| *hash)
        .collect();
    let mut objects = objects(server, &wanted)?.into_iter();
    let mut contents = Contents::new();
    for (path, _, size) in files {
        let content = match size {
            0 => Vec::new(),
            _ => objects.next().context("an object less than asked for")?,
        };
        ensure!(content.len() as u64 == size, "{path} has another length");
        contents.insert(path, content);
    }
    Ok(Some(contents))
}

/// Path, hash and size of each regular file.
fn list(
    tree: &FileSystem,
    directory: &DirectoryInode,
    prefix: &str,
    files: &mut Vec<(String, Hash, u64)>,
) -> Result<()> {
    for entry in &directory.entry_list {
        let path = format!("{prefix}{}", entry.name);
        match tree.inode_table.get(entry.inode_number) {
            Some(Inode::Regular(file)) => files.push((path, file.hash, file.size)),
            Some(Inode::Directory(below)) => list(tree, below, &format!("{path}/"), files)?,
            Some(_) => {}
            None => anyhow::bail!("{path} has no inode"),
        }
    }
    Ok(())
}

/// Contents of objects, each hashed here.
pub fn objects(server: &ImageServer, hashes: &[Hash]) -> Result<Vec<Vec<u8>>> {
    if hashes.is_empty() {
        return Ok(Vec::new());
    }
    let mut stream = connect(server.address())?;
    let mut bytes = b"ObjectServer.GetObjects\n".to_vec();
    let request = GetObjectsRequest {
        exclusive: false,
        hashes: hashes.to_vec(),
    };
    gob::Encoder::new().encode(&request, &mut bytes);
    stream.get_mut().write_all(&bytes)?;
    let mut line = String::new();
    stream.read_line(&mut line)?;
    ensure!(line == "\n", "GetObjects is refused: {line:?}");
    let mut decoder = gob::Decoder::new(gob::Limits::default());
    let mut answer = Vec::new();
    let reply: GetObjectsResponse = loop {
        match decoder.decode(&answer)? {
            gob::Progress::Value { value, consumed } => {
                answer.drain(..consumed);
                break value;
            }
            gob::Progress::NeedMore { .. } => {
                let more = stream.fill_buf()?;
                ensure!(!more.is_empty(), "connection closed within the reply");
                answer.extend_from_slice(more);
                let count = more.len();
                stream.consume(count);
            }
        }
    };
    ensure!(reply.response_string.is_empty(), "{}", reply.response_string);
    ensure!(
        reply.object_sizes.len() == hashes.len(),
        "another number of sizes"
    );
    let mut rest = std::io::Cursor::new(answer).chain(stream);
    let mut contents = Vec::with_capacity(hashes.len());
    for (hash, size) in hashes.iter().zip(reply.object_sizes) {
        let mut content = vec![0; usize::try_from(size)?];
        rest.read_exact(&mut content).context("objects end early")?;
        ensure!(
            hash::of(&content) == *hash,
            "a wrong byte was served: object {hash}"
        );
        contents.push(content);
    }
    Ok(contents)
}

/// Every file below a directory, dot names included, relative to it.
pub fn files_below(root: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        for entry in std::fs::read_dir(&directory)? {
            let entry = entry?;
            if entry.file_type()?.is_dir() {
                pending.push(entry.path());
            } else {
                files.push(entry.path().strip_prefix(root)?.to_owned());
            }
        }
    }
    files.sort();
    Ok(files)
}

/// How long a server may take to write an index.
const INDEX_PATIENCE: Duration = Duration::from_secs(20);

/// A running server writes its indexes when it sees fit; the temporary of one must go, if not at once.
fn is_index_temporary(root: &Path, file: &Path) -> Result<bool> {
    let name = file.to_string_lossy();
    if !(name.starts_with(".imagewright.") && name.ends_with(".index~")) {
        return Ok(false);
    }
    let deadline = Instant::now() + INDEX_PATIENCE;
    while root.join(file).exists() {
        ensure!(Instant::now() < deadline, "a temporary is left: {name}");
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(true)
}

/// Looks at the object directory as it lies on disk: every object is whole, no temporary is left. Gives their number.
pub fn check_objects_on_disk(root: &Path) -> Result<usize> {
    let mut count = 0;
    for file in files_below(root)? {
        if is_index_temporary(root, &file)? {
            continue;
        }
        let path = file.to_string_lossy();
        if path.starts_with(".imagewright.tmp/") || path.ends_with('~') {
            anyhow::bail!("a temporary is left: {path}");
        }
        if path.starts_with('.') {
            continue;
        }
        let content = match std::fs::read(root.join(&file)) {
            // A full disk makes the server collect what nobody needs. What is needed is missed by whoever fetches it.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            content => content?,
        };
        ensure!(
            hash::of(&content).to_string() == path.replace('/', ""),
            "half an object is visible: {path}, {} bytes",
            content.len()
        );
        count += 1;
    }
    Ok(count)
}

/// Looks at the image directory as it lies on disk: no temporary is left.
pub fn check_images_on_disk(root: &Path) -> Result<()> {
    for file in files_below(root)? {
        ensure!(
            is_index_temporary(root, &file)? || !file.to_string_lossy().ends_with('~'),
            "a temporary is left: {}",
            file.display()
        );
    }
    Ok(())
}
