//! Newtypes that travel as what they hold.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataStruct, DeriveInput, Error, Member, Type};

use crate::attributes::Container;

/// Sent as the inner value, under a name of its own if there is one.
pub(crate) fn transparent(
    input: &DeriveInput,
    container: &Container,
    data: &DataStruct,
) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let (member, inner) = only_field(input, data)?;
    let describe = describe(container, quote!(<#inner as ::gob::Gob>::describe));
    Ok(quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, unused_qualifications)]
        impl ::gob::Gob for #ident {
            const IS_STRUCT: bool = <#inner as ::gob::Gob>::IS_STRUCT;

            #describe

            fn plan(
                planner: &mut ::gob::Planner<'_>,
                wire: ::gob::WireId,
            ) -> ::core::result::Result<::gob::Plan, ::gob::Error> {
                <#inner as ::gob::Gob>::plan(planner, wire)
            }

            fn absent() -> ::core::result::Result<Self, ::gob::Error> {
                ::core::result::Result::Ok(Self { #member: <#inner as ::gob::Gob>::absent()? })
            }

            fn is_omitted(&self) -> bool {
                ::gob::Gob::is_omitted(&self.#member)
            }

            fn encode(&self, writer: &mut ::gob::Writer<'_>) {
                ::gob::Gob::encode(&self.#member, writer);
            }

            fn decode(
                reader: &mut ::gob::Reader<'_>,
                plan: ::gob::Plan,
            ) -> ::core::result::Result<Self, ::gob::Error> {
                ::core::result::Result::Ok(Self { #member: <#inner as ::gob::Gob>::decode(reader, plan)? })
            }
        }
    })
}

/// A list of pairs sent as a map.
pub(crate) fn map(input: &DeriveInput, container: &Container, data: &DataStruct) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let (member, inner) = only_field(input, data)?;
    let describe = describe(container, quote!(<#inner as ::gob::Pairs>::describe));
    Ok(quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, unused_qualifications)]
        impl ::gob::Gob for #ident {
            #describe

            fn plan(
                planner: &mut ::gob::Planner<'_>,
                wire: ::gob::WireId,
            ) -> ::core::result::Result<::gob::Plan, ::gob::Error> {
                <#inner as ::gob::Pairs>::plan(planner, wire)
            }

            fn absent() -> ::core::result::Result<Self, ::gob::Error> {
                ::core::result::Result::Ok(
                    <Self as ::core::convert::From<#inner>>::from(::core::default::Default::default()),
                )
            }

            fn is_omitted(&self) -> bool {
                self.#member.is_empty()
            }

            fn encode(&self, writer: &mut ::gob::Writer<'_>) {
                <#inner as ::gob::Pairs>::encode(&self.#member, writer);
            }

            fn decode(
                reader: &mut ::gob::Reader<'_>,
                plan: ::gob::Plan,
            ) -> ::core::result::Result<Self, ::gob::Error> {
                let pairs = <#inner as ::gob::Pairs>::decode(reader, plan)?;
                ::core::result::Result::Ok(<Self as ::core::convert::From<#inner>>::from(pairs))
            }
        }
    })
}

fn describe(container: &Container, inner: TokenStream) -> TokenStream {
    let body = match &container.name {
        Some(name) => quote!(describer.named::<Self>(#name, #inner)),
        None => quote!(#inner(describer)),
    };
    quote! {
        fn describe(describer: &mut ::gob::Describer<'_>) -> ::gob::WireId {
            #body
        }
    }
}

fn only_field<'a>(input: &DeriveInput, data: &'a DataStruct) -> syn::Result<(Member, &'a Type)> {
    let mut fields = data.fields.iter().zip(data.fields.members());
    match (fields.next(), fields.next()) {
        (Some((field, member)), None) => Ok((member, &field.ty)),
        _ => Err(Error::new_spanned(&input.ident, "this needs exactly one field")),
    }
}
