//! ListImages: what is asked for (imgapi.md §11).

mod query;
mod text_filter;

pub use query::{
    AccountFilter, ListContext, ListQuery, MAXIMUM_LISTED, Marker, Order, OwnerFilter, StateFilter,
    TagFilter, admin_fields,
};
pub use text_filter::{TextFilter, TypeFilter};
