//! What a verb works with: the client, and how to show things.

use std::path::PathBuf;

use anyhow::Context;
use repository::Uuid;
use repository_client::{Auth, Client, Options};

use crate::arguments::Common;
use crate::failure::WrongUse;
use crate::profile::{self, Profile, Profiles};

/// Where a repository is if nobody says.
const DEFAULT_URL: &str = "http://localhost:8080";
/// Keys below the home directory that are tried if none is named; RSA first, which every repository takes.
const USUAL_KEYS: [&str; 3] = [".ssh/id_rsa", ".ssh/id_ecdsa", ".ssh/id_ed25519"];

/// Everything one run of the program knows.
pub(crate) struct Session {
    pub(crate) client: Client,
    pub(crate) is_json: bool,
    pub(crate) is_quiet: bool,
    pub(crate) is_debugging: bool,
    /// The channel that was named, for sentences.
    pub(crate) channel: Option<String>,
}

/// Settings after flags, environment and profile are laid over each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) url: String,
    pub(crate) user: Option<String>,
    pub(crate) identities: Vec<String>,
    pub(crate) channel: Option<String>,
    pub(crate) account: Option<Uuid>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) insecure: bool,
    pub(crate) signs: bool,
}

impl Settings {
    /// Flags before the environment before a profile; a profile that a flag names goes before the environment.
    pub(crate) fn new(
        common: &Common,
        profiles: &Profiles,
        variable: &dyn Fn(&str) -> Option<String>,
    ) -> anyhow::Result<Self> {
        let environment =
            |name: &str| variable(&format!("IMGAPI_CLI_{name}")).filter(|value| !value.is_empty());
        let named = common.profile.clone();
        let is_named = named.is_some();
        let chosen: Profile = profiles.chosen(named.or_else(|| environment("PROFILE")).as_deref())?;
        let lay = |flag: &Option<String>, name: &str, profile: &Option<String>| {
            let (first, second) = if is_named {
                (profile.clone(), environment(name))
            } else {
                (environment(name), profile.clone())
            };
            flag.clone().or(first).or(second)
        };
        let account = lay(
            &common.account.map(|account| account.to_string()),
            "ACCOUNT",
            &chosen.account,
        );
        let account = Profile {
            account,
            ..Profile::default()
        };
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let identities = match common.identity.as_slice() {
            [] => lay(&None, "IDENTITY", &chosen.identity).into_iter().collect(),
            given => given.to_vec(),
        };
        let signs = match environment("AUTH").as_deref() {
            None | Some("signature") => true,
            Some("none") => false,
            Some(other) => {
                let what = format!("IMGAPI_CLI_AUTH is {other:?}; it can be \"signature\" or \"none\"");
                return Err(WrongUse(what).into());
            }
        };
        Ok(Self {
            url: lay(&common.url, "URL", &chosen.url).unwrap_or_else(|| DEFAULT_URL.to_owned()),
            user: lay(&common.user, "USER", &chosen.user),
            identities,
            channel: lay(&common.channel, "CHANNEL", &chosen.channel),
            account: account.account()?,
            ca_file: lay(&path(&common.ca_file), "CA_FILE", &path(&chosen.ca_file)).map(PathBuf::from),
            insecure: common.insecure || chosen.insecure || environment("INSECURE").is_some(),
            signs,
        })
    }

    /// Who asks: nobody without a user. The first identity that can be used is.
    async fn auth(&self) -> anyhow::Result<Auth> {
        let Some(user) = self.user.as_ref().filter(|_| self.signs) else {
            return Ok(Auth::None);
        };
        let mut failed = None;
        for identity in &self.identities {
            match Auth::of_identity(user, &of_home(identity), None).await {
                Ok(auth) => return Ok(auth),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        if let Some(error) = failed {
            return Err(error.into());
        }
        for usual in USUAL_KEYS {
            let path = of_home(&format!("~/{usual}"));
            if std::path::Path::new(&path).exists() {
                return Ok(Auth::of_identity(user, &path, None).await?);
            }
        }
        let what = format!("user {user} has no key: name one with --identity");
        Err(WrongUse(what).into())
    }
}

impl Session {
    /// Of the flags, the environment and the profiles.
    pub(crate) async fn new(common: &Common) -> anyhow::Result<Self> {
        let profiles = Profiles::load(&profile::path()?)?;
        let settings = Settings::new(common, &profiles, &|name| std::env::var(name).ok())?;
        let mut options = Options {
            account: settings.account,
            accepts_any_certificate: settings.insecure,
            user_agent: concat!("imgapi-cli/", env!("CARGO_PKG_VERSION")).to_owned(),
            ..Options::default()
        };
        if let Some(path) = &settings.ca_file {
            options.authorities = std::fs::read(path).with_context(|| path.display().to_string())?;
        }
        let auth = settings.auth().await?;
        let mut client = Client::with_options(&settings.url, auth, options)?;
        if settings.channel.is_some() {
            client = client.on_channel(settings.channel.clone());
        }
        let channel = client.channel().map(str::to_owned);
        Ok(Self {
            client,
            is_json: common.json,
            is_quiet: common.quiet,
            is_debugging: common.debug,
            channel,
        })
    }
}

/// `~/` is the home directory also where no shell has read the text.
fn of_home(path: &str) -> String {
    match (path.strip_prefix("~/"), std::env::var("HOME")) {
        (Some(rest), Ok(home)) => format!("{home}/{rest}"),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn profiles() -> Profiles {
        let profile = |url: &str, user: &str| Profile {
            url: Some(url.to_owned()),
            user: Some(user.to_owned()),
            ..Profile::default()
        };
        Profiles {
            default: Some("usual".to_owned()),
            profiles: [
                ("usual".to_owned(), profile("http://usual", "u")),
                ("lab".to_owned(), profile("http://lab", "l")),
            ]
            .into(),
        }
    }

    fn settings(common: &Common, environment: &[(&str, &str)]) -> Settings {
        let variable = |name: &str| {
            let found = environment.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| (*value).to_owned())
        };
        Settings::new(common, &profiles(), &variable).unwrap()
    }

    #[test]
    fn flags_count_more_than_the_environment_and_that_more_than_a_profile() {
        let none = Common::default();
        assert_eq!(settings(&none, &[]).url, "http://usual");
        let environment = [("IMGAPI_CLI_URL", "http://e"), ("IMGAPI_CLI_USER", "")];
        let from_environment = settings(&none, &environment);
        assert_eq!(from_environment.url, "http://e");
        assert_eq!(from_environment.user.as_deref(), Some("u"), "empty is not set");
        let lab = Common {
            profile: Some("lab".to_owned()),
            ..Common::default()
        };
        assert_eq!(
            settings(&lab, &environment).url,
            "http://lab",
            "who names a profile means it"
        );
        let flag = Common {
            url: Some("http://f".to_owned()),
            ..lab
        };
        assert_eq!(settings(&flag, &environment).url, "http://f");
    }

    #[test]
    fn what_is_signed_is_what_the_environment_says() {
        assert!(settings(&Common::default(), &[]).signs);
        assert!(!settings(&Common::default(), &[("IMGAPI_CLI_AUTH", "none")]).signs);
        let basic = |name: &str| (name == "IMGAPI_CLI_AUTH").then(|| "basic".to_owned());
        assert!(Settings::new(&Common::default(), &profiles(), &basic).is_err());
    }
}
