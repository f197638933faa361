//! `#[derive(Gob)]`, which crate `gob` documents and exports. Use it from there.

mod attributes;
mod interface;
mod newtype;
mod structure;

use proc_macro::TokenStream;
use syn::{Data, DeriveInput, Error, parse_macro_input};

use attributes::Container;

/// Implements `gob::Gob`; see there for the attributes.
#[proc_macro_derive(Gob, attributes(gob))]
pub fn derive_gob(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    expand(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn expand(input: &DeriveInput) -> syn::Result<proc_macro2::TokenStream> {
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(
            &input.generics,
            "generic types cannot be gob types",
        ));
    }
    let container = Container::parse(input)?;
    match &input.data {
        Data::Struct(data) if container.transparent => newtype::transparent(input, &container, data),
        Data::Struct(data) if container.map => newtype::map(input, &container, data),
        Data::Struct(data) if !container.interface => structure::expand(input, &container, data),
        Data::Enum(data) if container.interface => interface::expand(input, data),
        Data::Enum(_) => Err(Error::new_spanned(
            &input.ident,
            "an enum is a gob interface: add #[gob(interface)]",
        )),
        _ => Err(Error::new_spanned(
            &input.ident,
            "only structs, and enums that are interfaces, can be gob types",
        )),
    }
}
