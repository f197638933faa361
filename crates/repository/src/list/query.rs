//! The parameters of a list, checked in the original's order.

use crate::channels::{Channels, Scope};
use crate::dates::{self, Published};
use crate::error::{ApiError, Result};
use crate::http::Parameters;
use crate::json::{self, Value};
use crate::list::{TextFilter, TypeFilter};
use crate::manifest::{Mode, SYSTEMS};
use crate::uuid::Uuid;

/// Images in one answer, at most, and if no limit is given: what the original's guide says, and what its clients page by.
pub const MAXIMUM_LISTED: usize = 1000;

/// Which states are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StateFilter {
    /// Activated, enabled, and not failed since.
    Active,
    /// Activated and disabled.
    Disabled,
    /// Not activated.
    Unactivated,
    /// All.
    All,
    /// Those whose stored state is `creating`.
    Creating,
    /// Those whose stored state is `failed`.
    Failed,
    /// None: who asks may not see them.
    Nothing,
}

/// Images of one owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnerFilter {
    /// All.
    Any,
    /// This owner's.
    Exact(Uuid),
    /// None: what was given is no owner.
    Nothing,
}

/// On whose behalf is asked; `None` inside for what is no UUID: only public images are that account's to see.
pub type AccountFilter = Option<Option<Uuid>>;

/// One tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TagFilter {
    /// The tag has this value: an entry `key=value`.
    Entry(String),
    /// The tag is there: an entry that begins with `key=`.
    Key(String),
}

/// Which way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Oldest first.
    Ascending,
    /// Newest first.
    Descending,
}

/// Where to begin, that one included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// With this image.
    Image(Uuid),
    /// With what was published then.
    Date(Published),
}

/// What an answer depends on besides the parameters.
#[derive(Clone, Copy, Debug)]
pub struct ListContext<'a> {
    /// Mode of the repository.
    pub mode: Mode,
    /// Whether the caller has said who asks, and it was true. Never without authentication.
    pub is_authenticated: bool,
    /// Channels of the repository.
    pub channels: &'a Channels,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq)]
pub struct ListQuery {
    /// Which part of the repository.
    pub scope: Scope,
    /// Whether the fields for administrators are wanted.
    pub is_admin: bool,
    /// Images, at most.
    pub limit: usize,
    /// States.
    pub state: StateFilter,
    /// Names.
    pub name: TextFilter,
    /// Versions.
    pub version: TextFilter,
    /// Type, or all but one.
    pub kind: Option<TypeFilter>,
    /// Operating system: which of the known ones; `None` inside for one there is not.
    pub system: Option<Option<usize>>,
    /// Owner.
    pub owner: OwnerFilter,
    /// Public ones or others.
    pub public: Option<bool>,
    /// Tags, all of which there must be.
    pub tags: Vec<TagFilter>,
    /// Billing tags, all of which there must be.
    pub billing_tags: Vec<String>,
    /// On whose behalf.
    pub account: AccountFilter,
    /// Which way.
    pub order: Order,
    /// Where to begin.
    pub marker: Option<Marker>,
}

impl ListQuery {
    /// Reads the parameters of a request.
    ///
    /// # Errors
    /// The first parameter that is wrong, in the order channel, inclAdminFields, limit, state, public, sort, marker.
    pub fn new(parameters: &Parameters, context: &ListContext<'_>) -> Result<Self> {
        let scope = context.channels.scope(parameters, true)?;
        let is_admin = admin_fields(parameters, context.mode, context.is_authenticated)?;
        let limit = limit(parameters)?;
        let state = state(parameters, context)?;
        let public = parameters.boolean("public")?;
        let order = order(parameters)?;
        let marker = marker(parameters)?;
        let text =
            |name: &str| TextFilter::new(parameters.get(name).as_deref(), parameters.is_repeated(name));
        let owner = match parameters.get_nonempty("owner") {
            None => OwnerFilter::Any,
            Some(owner) => Uuid::parse(&owner).map_or(OwnerFilter::Nothing, OwnerFilter::Exact),
        };
        let system = parameters.get_nonempty("os");
        Ok(Self {
            scope,
            is_admin,
            limit,
            state,
            name: text("name"),
            version: text("version"),
            kind: parameters.get_nonempty("type").map(|kind| TypeFilter::new(&kind)),
            system: system.map(|system| SYSTEMS.iter().position(|known| *known == system)),
            owner,
            public,
            tags: tags(parameters),
            billing_tags: parameters
                .all("billing_tag")
                .into_iter()
                .filter(|tag| !tag.is_empty())
                .map(str::to_owned)
                .collect(),
            account: parameters
                .get_nonempty("account")
                .map(|account| Uuid::parse(&account)),
            order,
            marker,
        })
    }
}

/// `inclAdminFields`: for those who said who they are, where the repository is open (imgapi.md §2).
///
/// # Errors
/// It is no boolean, or not for the caller.
pub fn admin_fields(parameters: &Parameters, mode: Mode, is_authenticated: bool) -> Result<bool> {
    let is_admin = parameters.boolean("inclAdminFields")?.unwrap_or(false);
    if is_admin && mode != Mode::Datacenter && !is_authenticated {
        let message = "Unauthorized (auth required to use \"inclAdminFields\" parameter)";
        return Err(ApiError::unauthorized(message));
    }
    Ok(is_admin)
}

fn limit(parameters: &Parameters) -> Result<usize> {
    let Some(text) = parameters.get_nonempty("limit") else {
        return Ok(MAXIMUM_LISTED);
    };
    let invalid = || ApiError::invalid_parameter("limit", "Invalid", format!("invalid limit: \"{text}\""));
    let number = json::number(&Value::from(text.as_str()))
        .filter(|number| !number.is_nan())
        .ok_or_else(invalid)?;
    if number < 0.0 {
        return Err(invalid());
    }
    if number == 0.0 || number >= MAXIMUM_LISTED as f64 {
        return Ok(MAXIMUM_LISTED);
    }
    // Between 0 and 1000: what is behind the point is cut off.
    Ok(number as usize)
}

fn state(parameters: &Parameters, context: &ListContext<'_>) -> Result<StateFilter> {
    let text = parameters.get_nonempty("state");
    let state = match text.as_deref() {
        None | Some("active") => StateFilter::Active,
        Some("disabled") => StateFilter::Disabled,
        Some("unactivated") => StateFilter::Unactivated,
        Some("all") => StateFilter::All,
        Some("creating") => StateFilter::Creating,
        Some("failed") => StateFilter::Failed,
        Some(other) => {
            let message = format!("invalid state: \"{other}\"");
            return Err(ApiError::invalid_parameter("state", "Invalid", message));
        }
    };
    if context.mode == Mode::Datacenter || context.is_authenticated {
        return Ok(state);
    }
    Ok(match state {
        StateFilter::Active | StateFilter::All => StateFilter::Active,
        _ => StateFilter::Nothing,
    })
}

fn order(parameters: &Parameters) -> Result<Order> {
    let Some(text) = parameters.get_nonempty("sort") else {
        return Ok(Order::Ascending);
    };
    let (attribute, order) = text.split_once('.').unwrap_or((&text, "asc"));
    if attribute != "published_at" {
        let message = format!("invalid 'sort': not a valid sorting attribute: '{attribute}'");
        return Err(ApiError::invalid_parameter("sort", "Invalid", message));
    }
    Ok(if matches!(order, "asc" | "ASC") {
        Order::Ascending
    } else {
        Order::Descending
    })
}

fn marker(parameters: &Parameters) -> Result<Option<Marker>> {
    let Some(text) = parameters.get_nonempty("marker") else {
        return Ok(None);
    };
    if let Some(uuid) = Uuid::parse(&text) {
        return Ok(Some(Marker::Image(uuid)));
    }
    let date = dates::parse(&text).filter(|_| !parameters.is_repeated("marker"));
    let date = date.and_then(|date| Published::parse(&dates::iso(date)));
    let invalid = || {
        let given = parameters.json("marker");
        let message = format!("invalid value for \"marker\" param: {given} is not a UUID or date string");
        ApiError::invalid_parameter("marker", "Invalid", message)
    };
    date.map(|date| Some(Marker::Date(date))).ok_or_else(invalid)
}

fn tags(parameters: &Parameters) -> Vec<TagFilter> {
    let tags = parameters
        .iter()
        .filter_map(|(key, value)| Some((key.strip_prefix("tag.")?, value)));
    tags.map(|(key, value)| match value {
        "" => TagFilter::Key(format!("{key}=")),
        value => TagFilter::Entry(format!("{key}={value}")),
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn query(text: &str, mode: Mode, is_authenticated: bool) -> Result<ListQuery> {
        let channels = Channels::default();
        let context = ListContext {
            mode,
            is_authenticated,
            channels: &channels,
        };
        ListQuery::new(&Parameters::parse(text), &context)
    }

    #[test]
    fn the_first_wrong_parameter_is_told_in_the_order_of_the_original() {
        let bad = [
            (
                "inclAdminFields=x",
                "invalid value for \"inclAdminFields\" param: \"x\" is not a boolean",
            ),
            ("limit=abc", "invalid limit: \"abc\""),
            ("state=bogus", "invalid state: \"bogus\""),
            (
                "public=maybe",
                "invalid value for \"public\" param: \"maybe\" is not a boolean",
            ),
            (
                "sort=name",
                "invalid 'sort': not a valid sorting attribute: 'name'",
            ),
            (
                "marker=bogus",
                "invalid value for \"marker\" param: \"bogus\" is not a UUID or date string",
            ),
        ];
        for from in 0..bad.len() {
            let text: Vec<&str> = bad[from..].iter().rev().map(|(text, _)| *text).collect();
            let error = query(&text.join("&"), Mode::Datacenter, false).unwrap_err();
            assert_eq!((error.message(), error.status()), (bad[from].1, 422));
        }
    }

    #[test]
    fn a_limit_is_cut_down_and_never_above_a_thousand() {
        let limit =
            |text: &str| query(&format!("limit={text}"), Mode::Public, false).map(|query| query.limit);
        for (text, expected) in [
            ("", 1000),
            ("0", 1000),
            ("5000", 1000),
            ("Infinity", 1000),
            ("1.5", 1),
            ("20", 20),
            ("0.5", 0),
        ] {
            assert_eq!(limit(text), Ok(expected), "{text}");
        }
        for text in ["-1", "abc", "1,2", "NaN"] {
            assert_eq!(
                limit(text).unwrap_err().errors().unwrap()[0].field,
                "limit",
                "{text}"
            );
        }
    }

    #[test]
    fn who_does_not_say_who_asks_sees_active_images_only() {
        let state = |text: &str, mode, is_authenticated| query(text, mode, is_authenticated).unwrap().state;
        assert_eq!(state("state=all", Mode::Public, false), StateFilter::Active);
        assert_eq!(state("state=failed", Mode::Private, false), StateFilter::Nothing);
        assert_eq!(state("state=all", Mode::Public, true), StateFilter::All);
        assert_eq!(
            state("state=disabled", Mode::Datacenter, false),
            StateFilter::Disabled
        );
    }

    #[test]
    fn fields_for_administrators_are_not_for_strangers() {
        let error = query("inclAdminFields=true", Mode::Public, false).unwrap_err();
        assert_eq!(error.status(), 401);
        assert!(
            query("inclAdminFields=true", Mode::Datacenter, false)
                .unwrap()
                .is_admin
        );
        assert!(
            query("inclAdminFields=true", Mode::Public, true)
                .unwrap()
                .is_admin
        );
    }

    #[test]
    fn a_repeated_name_matches_nothing_and_a_repeated_marker_is_refused() {
        assert_eq!(
            query("name=a&name=b", Mode::Public, false).unwrap().name,
            TextFilter::Nothing
        );
        let error = query("marker=2020&marker=2021", Mode::Public, false).unwrap_err();
        assert!(error.message().contains("[\"2020\",\"2021\"] is not"), "{error}");
    }

    proptest! {
        #[test]
        fn no_parameters_make_it_panic(text in "(&?(limit|state|sort|marker|tag\\.a|name|owner|type|account)=[^&]{0,12}){0,6}") {
            let _ = query(&text, Mode::Public, false);
        }
    }
}
