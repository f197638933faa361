//! Whether an image is asked for.

use crate::access::Guarded as _;
use crate::catalogue::chunk::{Row, label};
use crate::catalogue::fingerprint::{Mask, of_text};
use crate::catalogue::{Entry, State};
use crate::channels::Scope;
use crate::list::{ListQuery, OwnerFilter, StateFilter, TagFilter, TextFilter};
use crate::uuid::Uuid;

/// A query with the fingerprints of what it asks for.
pub(crate) struct Matcher<'a> {
    query: &'a ListQuery,
    name: Option<u32>,
    version: Option<u32>,
    pairs: Mask,
    labels: Mask,
}

impl<'a> Matcher<'a> {
    pub(crate) fn new(query: &'a ListQuery) -> Self {
        let mut pairs = Mask::default();
        let mut exact = |filter: &TextFilter| match filter {
            TextFilter::Exact(text) => Some(of_text(text)),
            TextFilter::Contains(part) => {
                pairs.add_pairs(part);
                None
            }
            TextFilter::Any | TextFilter::Nothing => None,
        };
        let (name, version) = (exact(&query.name), exact(&query.version));
        Self {
            query,
            name,
            version,
            pairs,
            labels: labels(query),
        }
    }

    /// Whether nothing can be found.
    pub(crate) fn is_nothing(&self) -> bool {
        let query = self.query;
        query.state == StateFilter::Nothing
            || query.owner == OwnerFilter::Nothing
            || query.name == TextFilter::Nothing
            || query.version == TextFilter::Nothing
            || query.system == Some(None)
            || query.limit == 0
    }

    pub(crate) fn matches(&self, row: &Row) -> bool {
        self.may_match(row) && self.does_match(&row.entry)
    }

    /// What the row alone tells.
    fn may_match(&self, row: &Row) -> bool {
        let query = self.query;
        let is_state = match query.state {
            StateFilter::Active => row.is_activated && !row.is_disabled,
            StateFilter::Disabled => row.is_activated && row.is_disabled,
            StateFilter::Unactivated => !row.is_activated,
            StateFilter::All | StateFilter::Creating | StateFilter::Failed => true,
            StateFilter::Nothing => false,
        };
        let is_kind = query.kind.is_none_or(|filter| {
            let is_it = filter.index.is_some() && row.kind.map(usize::from) == filter.index;
            is_it != filter.is_inverted
        });
        let is_system = query
            .system
            .is_none_or(|system| system.is_some() && row.system.map(usize::from) == system);
        is_state
            && is_kind
            && is_system
            && query.public.is_none_or(|public| row.is_public == public)
            && self.name.is_none_or(|name| row.name == name)
            && self.version.is_none_or(|version| row.version == version)
            && row.labels.may_have(self.labels)
            && row.pairs.may_have(self.pairs)
    }

    /// The rest.
    fn does_match(&self, entry: &Entry) -> bool {
        let query = self.query;
        let is_state = match query.state {
            StateFilter::Active => !matches!(entry.state, State::Failed | State::Creating),
            StateFilter::Creating => entry.state == State::Creating,
            StateFilter::Failed => entry.state == State::Failed,
            _ => true,
        };
        let is_in_scope = match &query.scope {
            Scope::One(channel) => entry.is_in_channel(channel),
            Scope::All | Scope::Unused => true,
        };
        let is_owner = match query.owner {
            OwnerFilter::Exact(owner) => entry.owner == owner,
            _ => true,
        };
        is_state
            && is_in_scope
            && is_owner
            && query.name.matches(&entry.name)
            && query.version.matches(&entry.version)
            && query.tags.iter().all(|tag| has_tag(entry, tag))
            && query
                .billing_tags
                .iter()
                .all(|tag| entry.billing_tags.iter().any(|other| **other == **tag))
            && query
                .account
                .is_none_or(|account| is_for(entry, account, query.state))
    }
}

/// What every image that is asked for has among its labels.
fn labels(query: &ListQuery) -> Mask {
    let mut mask = Mask::default();
    if let OwnerFilter::Exact(owner) = query.owner {
        mask.add(label::owner(owner));
    }
    if let Scope::One(channel) = &query.scope {
        mask.add(label::channel(channel));
    }
    for tag in &query.tags {
        match tag {
            TagFilter::Entry(entry) => mask.add(label::tag(entry)),
            TagFilter::Key(key) => mask.add(label::tag_key(key)),
        }
    }
    for tag in &query.billing_tags {
        mask.add(label::billing_tag(tag));
    }
    // Private images that are not one's own are found through the list of accounts, whichever state.
    if let (Some(Some(account)), Some(false), OwnerFilter::Exact(owner)) =
        (query.account, query.public, query.owner)
        && account != owner
    {
        mask.add(label::shared(account));
    }
    mask
}

fn has_tag(entry: &Entry, tag: &TagFilter) -> bool {
    match tag {
        TagFilter::Entry(wanted) => entry.tags.iter().any(|tag| **tag == **wanted),
        TagFilter::Key(key) => entry.tags.iter().any(|tag| tag.starts_with(key.as_str())),
    }
}

/// Whether a list on behalf of an account has the image: its own in all states asked for; of others what is activated and
/// public or shared with it, unless only disabled or not activated ones are asked for (imgapi.md §11.2).
fn is_for(entry: &Entry, account: Option<Uuid>, state: StateFilter) -> bool {
    if Some(entry.owner) == account {
        return true;
    }
    let are_others_hidden = matches!(state, StateFilter::Disabled | StateFilter::Unactivated);
    let is_shared = || account.is_some_and(|account| entry.is_shared_with(account));
    !are_others_hidden && entry.is_activated && (entry.is_public || is_shared())
}
