//! `-variablesFilename`: variables for a build (`builder-tool.md §1`).

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{anyhow, bail};
use gob::Limits;
use tree_io::os_text;

/// Nobody writes more variables than this, in bytes.
const FILE_BYTES_MOST: u64 = 16 << 20;

/// Reads the file; an empty name is no variables. How it is written shows in the name's extension.
pub(crate) fn read(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    if path.as_os_str().is_empty() {
        return Ok(BTreeMap::new());
    }
    let shown = path.display();
    let Some(extension) = path.extension() else {
        bail!("no extension for file: {shown}");
    };
    let content = || -> anyhow::Result<Vec<u8>> {
        let length = std::fs::metadata(path)
            .map_err(|error| anyhow!("open {shown}: {}", os_text(&error)))?
            .len();
        if length > FILE_BYTES_MOST {
            bail!("{shown}: larger than {}", human::bytes(FILE_BYTES_MOST));
        }
        std::fs::read(path).map_err(|error| anyhow!("open {shown}: {}", os_text(&error)))
    };
    match extension.to_str() {
        Some("json") => {
            let text = image::go_json::without_comments(&content()?);
            let mut values = serde_json::Deserializer::from_slice(&text).into_iter();
            match values.next() {
                Some(value) => value.map_err(|error| anyhow!("{shown}: {error}")),
                None => bail!("{shown}: there is nothing in it"),
            }
        }
        Some("gob") => {
            let content = content()?;
            let (variables, _) =
                gob::from_slice(&content, Limits::default()).map_err(|error| anyhow!("{shown}: {error}"))?;
            Ok(variables)
        }
        other => bail!("no decoder for .{} extension", other.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, content: &[u8]) -> Result<BTreeMap<String, String>, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        read(&path).map_err(|error| error.to_string().replace(directory.path().to_str().unwrap(), "D"))
    }

    #[test]
    fn the_extension_says_how_the_file_is_written() {
        let wanted = BTreeMap::from([("A".to_owned(), "b c".to_owned())]);
        let json = b"# comment\n{\n// another\n\"A\": \"b c\"}\n";
        assert_eq!(of("v.json", json).unwrap(), wanted);
        assert_eq!(of("v.gob", &gob::to_vec(&wanted)).unwrap(), wanted);
        assert_eq!(of("v", json).unwrap_err(), "no extension for file: D/v");
        assert_eq!(of("v.yaml", json).unwrap_err(), "no decoder for .yaml extension");
        assert!(of("v.json", b"[1]").is_err());
        assert!(of("v.gob", b"nonsense").is_err());
        assert!(read(Path::new("")).unwrap().is_empty());
    }
}
