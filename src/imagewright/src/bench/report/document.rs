//! Reports as files: Markdown with a description of the machine, JSON with every sample.

use super::super::side::{Pair, Side};
use super::Report;
use serde_json::{Map, Value, json};

impl Report<'_> {
    /// To be kept beside others.
    pub(crate) fn markdown(&self) -> String {
        let stage = self.stage;
        let machine = &self.machine;
        let mut rows = vec![
            ("date", machine.date.clone()),
            ("processor", format!("{}, {} cores", machine.cpu, machine.cores)),
            ("memory", format!("{:.1} GB", machine.memory_bytes as f64 / 1e9)),
            ("kernel", machine.kernel.clone()),
            ("file system", machine.file_system.clone()),
            (
                "load before and after",
                format!("{}; {}", machine.load_before, self.load_after),
            ),
        ];
        for (side, version) in stage.versions() {
            rows.push((side.name(), version.to_owned()));
        }
        if let Some(stock) = stage.used_stock() {
            let tree = format!(
                "{}: {} inodes, {} objects, {:.0} MB",
                stage.tree_name,
                stock.entries(),
                stock.objects.len(),
                stock.bytes() as f64 / 1e6
            );
            rows.push(("tree", tree));
        }
        rows.push(("rounds", format!("{}{}", stage.rounds, self.fewer_rounds())));
        let mut text = String::from("# A run of `imagewright bench`\n\n| what | |\n| --- | --- |\n");
        for (what, value) in rows {
            text.push_str(&format!("| {what} | {value} |\n"));
        }
        text.push_str(
            "\nClients and servers share the machine; clients use TLS over TCP. What each figure means: docs/benchmarks.md.\n",
        );
        if self.is_with_peer() && stage.images.iter().any(|images| *images > stage.peer_images_max) {
            text.push_str(&format!(
                "\nThe peer was not started with more than {} images: it keeps all of them in memory.\n",
                stage.peer_images_max
            ));
        }
        for table in self.tables() {
            text.push_str(&format!("\n## {}\n\n{}", table.title, table.markdown()));
        }
        text
    }

    fn fewer_rounds(&self) -> &'static str {
        if self.stage.images.iter().any(|images| *images >= 1_000) {
            ", fewer for start-up with 1,000 images and more"
        } else {
            ""
        }
    }

    /// For other programs.
    ///
    /// # Errors
    /// None that is known: all values are plain.
    pub(crate) fn json(&self) -> anyhow::Result<String> {
        let stage = self.stage;
        let figures: Vec<Value> = self
            .figures()
            .iter()
            .map(|figure| {
                let samples: Map<String, Value> = figure
                    .samples
                    .iter()
                    .map(|(pair, samples)| (pair.to_string(), json!(samples)))
                    .collect();
                json!({
                    "work": figure.work,
                    "figure": figure.name,
                    "unit": figure.unit.symbol(),
                    "more_is_better": figure.unit.more_is_better(),
                    "samples": samples,
                    "ours_by_theirs": super::ratio(figure, Pair::both(Side::Ours), Pair::both(Side::Theirs)),
                })
            })
            .collect();
        let versions: Map<String, Value> = stage
            .versions()
            .map(|(side, version): (Side, &str)| (side.name().to_owned(), json!(version)))
            .collect();
        let tree = stage.used_stock().map(|stock| {
            json!({
                "name": stage.tree_name,
                "inodes": stock.entries(),
                "objects": stock.objects.len(),
                "bytes": stock.bytes(),
            })
        });
        let document = json!({
            "machine": self.machine,
            "load_after": self.load_after,
            "programs": versions,
            "tree": tree,
            "rounds": stage.rounds,
            "figures": figures,
        });
        Ok(serde_json::to_string_pretty(&document)? + "\n")
    }
}
