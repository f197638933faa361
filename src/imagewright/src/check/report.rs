//! What came of it, for people and programs.

use super::finding::{Finding, Kind};
use std::io::Write;

/// Findings of a kind that are listed one by one; of further ones there is only the number. JSON has all.
const LISTED: usize = 1000;

/// All findings, and sums.
#[derive(Default)]
pub(super) struct Report {
    pub(super) findings: Vec<Finding>,
    pub(super) images: u64,
    pub(super) image_bytes: u64,
    pub(super) incomplete_images: u64,
    pub(super) expired_images: u64,
    pub(super) tombstones: u64,
    pub(super) directories: u64,
    pub(super) objects: u64,
    pub(super) object_bytes: u64,
    pub(super) unreferenced_objects: u64,
    pub(super) unreferenced_bytes: u64,
}

impl Report {
    pub(super) fn find(&mut self, kind: Kind, name: impl Into<String>, cause: impl Into<String>) {
        self.findings.push(Finding::new(kind, name, cause));
    }

    pub(super) fn is_damaged(&self) -> bool {
        self.findings.iter().any(|finding| finding.kind.is_damage())
    }

    /// Worst first, then by name.
    pub(super) fn print(&mut self, json: bool) -> anyhow::Result<()> {
        self.findings.sort_by(|left, right| {
            let key = |finding: &Finding| (!finding.kind.is_damage(), finding.kind);
            (key(left), &left.name).cmp(&(key(right), &right.name))
        });
        let mut out = std::io::BufWriter::new(std::io::stdout());
        match json {
            true => self.json(&mut out)?,
            false => self.text(&mut out)?,
        }
        Ok(out.flush()?)
    }

    fn text(&self, out: &mut impl Write) -> anyhow::Result<()> {
        for of_a_kind in self.findings.chunk_by(|left, right| left.kind == right.kind) {
            for finding in of_a_kind.iter().take(LISTED) {
                writeln!(out, "{} {}", finding.kind.word(), finding.name)?;
                writeln!(out, "  what is wrong  {}", finding.cause)?;
                if finding.affected_images > 0 {
                    writeln!(out, "  affects        {}", affects(finding))?;
                }
                writeln!(out, "  what to do     {}", finding.remedy())?;
            }
            if let Some(more) = of_a_kind.len().checked_sub(LISTED).filter(|more| *more > 0) {
                writeln!(out, "... and {more} more of these; --json lists all")?;
            }
        }
        let damages = self
            .findings
            .iter()
            .filter(|finding| finding.kind.is_damage())
            .count();
        writeln!(
            out,
            "{} images in {} directories ({}), {} of them incomplete, {} expired; {} deleted names",
            self.images,
            self.directories,
            human::bytes(self.image_bytes),
            self.incomplete_images,
            self.expired_images,
            self.tombstones,
        )?;
        writeln!(
            out,
            "{} objects ({}), {} of them needed by no image ({})",
            self.objects,
            human::bytes(self.object_bytes),
            self.unreferenced_objects,
            human::bytes(self.unreferenced_bytes),
        )?;
        match damages {
            0 => writeln!(out, "nothing is damaged")?,
            count => writeln!(out, "{count} damaged or missing")?,
        }
        Ok(())
    }

    fn json(&self, out: &mut impl Write) -> anyhow::Result<()> {
        for finding in &self.findings {
            let line = serde_json::json!({
                "Kind": finding.kind.word(),
                "Name": finding.name,
                "IsDamage": finding.kind.is_damage(),
                "Cause": finding.cause,
                "AffectedImages": finding.affected_images,
                "ImageNames": finding.images,
                "Remedy": finding.remedy(),
            });
            writeln!(out, "{line}")?;
        }
        let summary = serde_json::json!({
            "Kind": "summary",
            "IsDamaged": self.is_damaged(),
            "Images": self.images,
            "ImageBytes": self.image_bytes,
            "IncompleteImages": self.incomplete_images,
            "ExpiredImages": self.expired_images,
            "Tombstones": self.tombstones,
            "Directories": self.directories,
            "Objects": self.objects,
            "ObjectBytes": self.object_bytes,
            "UnreferencedObjects": self.unreferenced_objects,
            "UnreferencedBytes": self.unreferenced_bytes,
        });
        Ok(writeln!(out, "{summary}")?)
    }
}

fn affects(finding: &Finding) -> String {
    let named = finding.images.join(", ");
    match finding
        .affected_images
        .saturating_sub(finding.images.len() as u64)
    {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
