//! What a server said, cut into what matters: lines, values and raw bytes.

use super::gob_value::GobValues;
use anyhow::{Context, Result, ensure};
use serde_json::Value;

#[derive(Debug, PartialEq)]
pub enum Token {
    Line(String),
    Value(Value),
    Raw(Vec<u8>),
}

const STATUS_LINE: &[u8] = b"HTTP/1.0 200 Connected to Go SRPC\n\n";

/// Fields whose contents are of the moment: times, durations, cookies, archives (which hold times).
const OF_THE_MOMENT: &[&str] = &[
    "CreatedOn",
    "ExpiresAt",
    "ComputationTime",
    "ServerDuration",
    "ServerCookie",
    "SocketPathname",
    "ArchiveData",
    "Data",
    "TreesDownloadTime",
    "FilesDownloadTime",
];

/// Cuts all that `bytes` (a whole connection, status line included) hold as answers to calls of `method`.
pub fn parse(method: &str, json: bool, bytes: &[u8]) -> Result<Vec<Token>> {
    ensure!(
        bytes.starts_with(STATUS_LINE),
        "not the status line: {:?}",
        String::from_utf8_lossy(&bytes[..bytes.len().min(60)])
    );
    let mut rest = Rest {
        bytes: &bytes[STATUS_LINE.len()..],
        json,
    };
    let mut tokens = Vec::new();
    while !rest.bytes.is_empty() {
        rest.answer(method, &mut tokens)
            .with_context(|| format!("after {tokens:?}"))?;
    }
    Ok(tokens)
}

struct Rest<'a> {
    bytes: &'a [u8],
    json: bool,
}

impl Rest<'_> {
    fn answer(&mut self, method: &str, tokens: &mut Vec<Token>) -> Result<()> {
        let accepted = self.line()?;
        let refused = !accepted.is_empty();
        tokens.push(Token::Line(accepted));
        if refused {
            return Ok(());
        }
        match method {
            "ImageServer.ListImages" | "ImageServer.ListSelectedImages" => self.sorted_lines(tokens),
            "ImageServer.ListDirectories"
            | "ImageServer.ListUnreferencedObjects"
            | "ImageServer.GetImageUpdates"
            | "ImageServer.GetFilteredImageUpdates"
            | "ObjectServer.AddObjects"
            | "ObjectServer.TestBandwidth" => self.values_to_the_end(tokens),
            "ObjectServer.GetObjects" | "Logger.Watch" => {
                tokens.extend(self.values(Some(1))?);
                tokens.push(Token::Raw(std::mem::take(&mut self.bytes).to_vec()));
                Ok(())
            }
            // Connections without a call, or with one that is refused: lines only.
            _ if !method.contains("Server.") && !method.starts_with("Logger.") => Ok(()),
            _ => {
                let error = self.line()?;
                let failed = !error.is_empty();
                tokens.push(Token::Line(error));
                if !failed {
                    tokens.extend(self.values(Some(1))?);
                }
                Ok(())
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let end = self
            .bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .context("a line without end")?;
        let line = String::from_utf8_lossy(&self.bytes[..end]).into_owned();
        self.bytes = &self.bytes[end + 1..];
        Ok(line)
    }

    fn sorted_lines(&mut self, tokens: &mut Vec<Token>) -> Result<()> {
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        lines.sort();
        tokens.extend(lines.into_iter().map(Token::Line));
        tokens.push(Token::Line(String::new()));
        Ok(())
    }

    fn values_to_the_end(&mut self, tokens: &mut Vec<Token>) -> Result<()> {
        tokens.extend(self.values(None)?);
        Ok(())
    }

    /// `count` values, or all to the end of the stream.
    fn values(&mut self, count: Option<usize>) -> Result<Vec<Token>> {
        let mut values = Vec::new();
        let wanted = count.unwrap_or(usize::MAX);
        if self.json {
            while values.len() < wanted && !self.bytes.is_empty() {
                values.push(serde_json::from_str(&self.line()?)?);
            }
        } else {
            let bytes = self.bytes;
            let mut gob = GobValues::new(bytes);
            while values.len() < wanted && gob.consumed() < bytes.len() {
                values.push(gob.next_value()?);
            }
            self.bytes = &bytes[gob.consumed()..];
        }
        Ok(values
            .into_iter()
            .map(|value| Token::Value(mask(value)))
            .collect())
    }
}

/// Leaves out fields that are of the moment (a zero would be absent too), and sorts what has no order.
fn mask(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut masked: serde_json::Map<String, Value> = map
                .into_iter()
                .filter(|(name, _)| !OF_THE_MOMENT.contains(&name.as_str()))
                .map(|(name, value)| (name, mask(value)))
                .collect();
            masked.sort_keys();
            Value::Object(masked)
        }
        Value::Array(list) => Value::Array(list.into_iter().map(mask).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Recording, shared_golden};
    use super::*;

    /// Every gob recording of the image server is understood to its last byte by the judge itself.
    #[test]
    fn the_judge_reads_every_recording() {
        let Some(golden) = shared_golden() else {
            return crate::skip(
                "the_judge_reads_every_recording",
                "no ../shared/golden beside this checkout",
            );
        };
        for entry in std::fs::read_dir(golden.join("srpc")).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir()
                && !path.to_string_lossy().contains("Imaginator")
                && !path.to_string_lossy().contains("LocalUpgrade")
            {
                let recording = Recording::read(&path).unwrap();
                parse(&recording.method(), recording.is_json(), &recording.server)
                    .unwrap_or_else(|error| panic!("{}: {error:#}", recording.name));
            }
        }
    }
}
