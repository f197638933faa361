//! `profiles`: named settings.

use std::path::Path;

use clap::{Args, Subcommand};

use crate::arguments::Common;
use crate::failure::WrongUse;
use crate::output;
use crate::profile::{self, Profile, Profiles};
use crate::table;

/// Show or change named settings: which repository, as whom
#[derive(Args)]
#[command(after_long_help = "\
Examples:
  imgapi-cli --url https://images.example.com -u joe -i ~/.ssh/key profiles set production --default
  imgapi-cli profiles
  imgapi-cli -P production list
  imgapi-cli profiles remove production")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Subcommand)]
enum Action {
    /// List them (what happens without a command, too)
    List,
    /// Keep the settings that are given as flags under a name
    Set {
        /// The name
        name: String,
        /// Use it where nobody names one
        #[arg(long)]
        default: bool,
    },
    /// Forget one
    Remove {
        /// The name
        name: String,
    },
}

impl Arguments {
    pub(crate) fn run(&self, common: &Common) -> anyhow::Result<()> {
        let path = profile::path()?;
        let mut profiles = Profiles::load(&path)?;
        match &self.action {
            None | Some(Action::List) => return show(&profiles, common.json),
            Some(Action::Set { name, default }) => {
                let one = profiles.profiles.entry(name.clone()).or_default();
                change(one, common);
                if *default {
                    profiles.default = Some(name.clone());
                }
            }
            Some(Action::Remove { name }) => {
                if profiles.profiles.remove(name).is_none() {
                    return Err(WrongUse(format!("there is no profile {name:?}")).into());
                }
                profiles.default = profiles.default.filter(|default| default != name);
            }
        }
        profiles.save(&path)
    }
}

/// What is given; the rest stays.
fn change(profile: &mut Profile, common: &Common) {
    let take = |new: Option<String>, old: &mut Option<String>| {
        if new.is_some() {
            *old = new;
        }
    };
    take(common.url.clone(), &mut profile.url);
    take(common.user.clone(), &mut profile.user);
    take(common.identity.first().map(|identity| from_anywhere(identity)), &mut profile.identity);
    take(common.channel.clone(), &mut profile.channel);
    take(common.account.map(|account| account.to_string()), &mut profile.account);
    if let Some(file) = &common.ca_file {
        profile.ca_file = Some(std::path::absolute(file).unwrap_or_else(|_| file.clone()));
    }
    profile.insecure |= common.insecure;
}

/// A file is meant wherever the profile is used; what is no file is the fingerprint of a key.
fn from_anywhere(identity: &str) -> String {
    let path = Path::new(identity);
    let absolute = std::path::absolute(path).ok().filter(|_| path.exists());
    absolute.map_or_else(|| identity.to_owned(), |path| path.to_string_lossy().into_owned())
}

fn show(profiles: &Profiles, is_json: bool) -> anyhow::Result<()> {
    if is_json {
        return output::json(&serde_json::to_value(profiles)?);
    }
    let columns = ["name", "default", "url", "user", "identity", "channel", "account"].map(str::to_owned);
    let row = |(name, profile): (&String, &Profile)| {
        let default = if profiles.default.as_ref() == Some(name) { "yes" } else { "" };
        let mut row = vec![name.clone(), default.to_owned()];
        let settings = [&profile.url, &profile.user, &profile.identity, &profile.channel, &profile.account];
        row.extend(settings.map(|setting| setting.clone().unwrap_or_default()));
        row
    };
    let rows: Vec<Vec<String>> = profiles.profiles.iter().map(row).collect();
    Ok(table::write(&mut std::io::stdout().lock(), &columns, &rows, true)?)
}
