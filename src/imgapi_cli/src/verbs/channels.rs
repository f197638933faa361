//! `channels`: the parts of a repository.

use std::io::Write;

use clap::Args;
use repository::json::{self, Value};

use crate::failure::WrongUse;
use crate::output;
use crate::session::Session;
use crate::table;

const FIELDS: [&str; 3] = ["name", "default", "description"];

/// List the channels of the repository
#[derive(Args)]
#[command(after_long_help = "Examples:\n  imgapi-cli channels\n  imgapi-cli channels -H -o name")]
pub(crate) struct Arguments {
    /// No line of headings
    #[arg(long, short = 'H', alias = "skipHeader")]
    skip_header: bool,
    /// Fields to show: name, default, description
    #[arg(long, short = 'o', value_name = "FIELD,...")]
    output: Option<String>,
}

impl Arguments {
    pub(crate) async fn run(self, session: &Session) -> anyhow::Result<()> {
        let Some(channels) = session.client.channels().await? else {
            anyhow::bail!("the repository has no channels");
        };
        if session.is_json {
            return output::json(&Value::Array(channels));
        }
        let columns: Vec<String> = match &self.output {
            Some(names) => names.split(',').map(str::to_owned).collect(),
            None => FIELDS.map(str::to_owned).to_vec(),
        };
        if let Some(unknown) = columns.iter().find(|name| !FIELDS.contains(&name.as_str())) {
            let what = format!("there is no field {unknown:?}; fields are {}", FIELDS.join(", "));
            return Err(WrongUse(what).into());
        }
        let cell = |channel: &Value, column: &String| channel.get(column).map(json::to_text).unwrap_or_default();
        let row = |channel: &Value| columns.iter().map(|column| cell(channel, column)).collect();
        let rows: Vec<Vec<String>> = channels.iter().map(row).collect();
        let mut out = std::io::stdout().lock();
        table::write(&mut out, &columns, &rows, !self.skip_header)?;
        Ok(out.flush()?)
    }
}
