//! The file `buildInfo`: what the original writes, and fields of our own, which it ignores.

use super::entry::ArchivedBuild;
use builder::Phase;
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime};

/// All phases, to find one by its text.
const PHASES: [Phase; 15] = [
    Phase::FetchManifest,
    Phase::FindSource,
    Phase::BuildSource,
    Phase::Unpack,
    Phase::Bootstrap,
    Phase::Files,
    Phase::PreInstallScripts,
    Phase::Packages,
    Phase::PostInstallFiles,
    Phase::Scripts,
    Phase::CleanUp,
    Phase::PostScripts,
    Phase::Pack,
    Phase::Tests,
    Phase::Publish,
];

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Info {
    /// Nanoseconds.
    #[serde(skip_serializing_if = "is_zero")]
    duration: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    error: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    requestor_username: String,
    #[serde(skip_serializing_if = "is_zero")]
    number: u64,
    #[serde(skip_serializing_if = "String::is_empty")]
    why: String,
    #[serde(skip_serializing_if = "is_false")]
    cancelled: bool,
    #[serde(skip_serializing_if = "is_false")]
    unusual: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    phases: Vec<InfoPhase>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct InfoPhase {
    name: String,
    /// Nanoseconds.
    duration: u64,
}

// Serde hands references to what it asks.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_false(value: &bool) -> bool {
    !value
}

/// The text of the file.
pub(super) fn encode(build: &ArchivedBuild) -> Result<Vec<u8>, serde_json::Error> {
    let phase = |(phase, duration): &(Phase, Duration)| InfoPhase {
        name: phase.text().to_owned(),
        duration: nanoseconds(*duration),
    };
    let info = Info {
        duration: nanoseconds(build.duration),
        error: build.error.clone(),
        requestor_username: build.requester.clone(),
        number: build.number,
        why: build.why.clone(),
        cancelled: build.is_cancelled,
        unusual: build.is_unusual,
        phases: build.phases.iter().map(phase).collect(),
    };
    let mut text = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, indent);
    info.serialize(&mut serializer)?;
    text.push(b'\n');
    Ok(text)
}

/// What a directory of the archive tells. Without a readable `buildInfo` the rest is there.
pub(super) fn decode(
    text: Option<&[u8]>,
    name: String,
    finished_at: SystemTime,
    log_bytes: u64,
) -> Result<ArchivedBuild, serde_json::Error> {
    let info: Info = text.map_or_else(|| Ok(Info::default()), serde_json::from_slice)?;
    let phase = |phase: InfoPhase| {
        let known = PHASES.into_iter().find(|known| known.text() == phase.name)?;
        Some((known, Duration::from_nanos(phase.duration)))
    };
    let stream = name.rsplit_once('/').map_or("", |(stream, _)| stream).to_owned();
    Ok(ArchivedBuild {
        name,
        stream,
        finished_at,
        duration: Duration::from_nanos(info.duration),
        error: info.error,
        requester: info.requestor_username,
        log_bytes,
        number: info.number,
        why: info.why,
        is_cancelled: info.cancelled,
        is_unusual: info.unusual,
        phases: info.phases.into_iter().filter_map(phase).collect(),
    })
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_original_wrote_is_read_and_what_we_write_begins_with_its_fields() {
        let text = b"{\n    \"Duration\": 1500000000,\n    \"Error\": \"exit status 1\",\n    \"RequestorUsername\": \"fred\"\n}\n";
        let now = SystemTime::now();
        let build = decode(Some(text), "a/b/2026-11-22:10:00:00".to_owned(), now, 7).unwrap();
        assert_eq!(build.stream, "a/b");
        assert_eq!(build.duration, Duration::from_millis(1500));
        assert_eq!(
            (build.error.as_str(), build.requester.as_str()),
            ("exit status 1", "fred")
        );
        assert_eq!(encode(&build).unwrap(), text);
    }

    #[test]
    fn everything_comes_back() {
        let build = ArchivedBuild {
            name: "a/1".to_owned(),
            stream: "a".to_owned(),
            finished_at: SystemTime::now(),
            duration: Duration::from_secs(3),
            error: "cancelled".to_owned(),
            requester: String::new(),
            log_bytes: 9,
            number: 5,
            why: "never built".to_owned(),
            is_cancelled: true,
            is_unusual: true,
            phases: PHASES
                .iter()
                .map(|phase| (*phase, Duration::from_secs(1)))
                .collect(),
        };
        let text = encode(&build).unwrap();
        let read = decode(Some(&text), build.name.clone(), build.finished_at, 9).unwrap();
        assert_eq!(read, build);
    }
}
