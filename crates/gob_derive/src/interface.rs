//! Enums that are interfaces.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DataEnum, DeriveInput, Error, Fields};

use crate::attributes::Part;

pub(crate) fn expand(input: &DeriveInput, data: &DataEnum) -> syn::Result<TokenStream> {
    let ident = &input.ident;
    let type_name = ident.to_string();
    let (mut variants, mut names, mut types) = (Vec::new(), Vec::new(), Vec::new());
    for variant in &data.variants {
        let Fields::Unnamed(fields) = &variant.fields else {
            return Err(Error::new_spanned(
                variant,
                "a variant holds the implementer: Variant(Type)",
            ));
        };
        let (Some(field), 1) = (fields.unnamed.first(), fields.unnamed.len()) else {
            return Err(Error::new_spanned(
                variant,
                "a variant holds one implementer: Variant(Type)",
            ));
        };
        let Some(name) = Part::parse(&variant.attrs)?.name else {
            return Err(Error::new_spanned(
                variant,
                "a variant needs its registered name: #[gob(name = \"..\")]",
            ));
        };
        if names.contains(&name) {
            return Err(Error::new_spanned(variant, format!("two variants named {name}")));
        }
        variants.push(&variant.ident);
        names.push(name);
        types.push(&field.ty);
    }
    let indexes: Vec<usize> = (0..variants.len()).collect();

    Ok(quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, unused_qualifications)]
        const _: () = {
            const VARIANTS: &[::gob::Variant] = &[#(::gob::Variant::new::<#types>(#names)),*];

            impl ::gob::Gob for #ident {
                fn describe(describer: &mut ::gob::Describer<'_>) -> ::gob::WireId {
                    describer.interface::<Self>(VARIANTS)
                }

                fn plan(
                    planner: &mut ::gob::Planner<'_>,
                    wire: ::gob::WireId,
                ) -> ::core::result::Result<::gob::Plan, ::gob::Error> {
                    planner.interface::<Self>(#type_name, wire)
                }

                fn absent() -> ::core::result::Result<Self, ::gob::Error> {
                    ::core::result::Result::Err(::gob::Error::NilInterface { local: #type_name })
                }

                fn encode(&self, writer: &mut ::gob::Writer<'_>) {
                    match self {
                        #(Self::#variants(value) => writer.interface::<Self, #types>(#indexes, #names, value),)*
                    }
                }

                fn decode(
                    reader: &mut ::gob::Reader<'_>,
                    plan: ::gob::Plan,
                ) -> ::core::result::Result<Self, ::gob::Error> {
                    match <Self as ::gob::Gob>::decode_option(reader, plan)? {
                        ::core::option::Option::Some(value) => ::core::result::Result::Ok(value),
                        ::core::option::Option::None => <Self as ::gob::Gob>::absent(),
                    }
                }

                fn encode_none(writer: &mut ::gob::Writer<'_>) {
                    writer.uint(0);
                }

                fn decode_option(
                    reader: &mut ::gob::Reader<'_>,
                    plan: ::gob::Plan,
                ) -> ::core::result::Result<::core::option::Option<Self>, ::gob::Error> {
                    let ::core::option::Option::Some((variant, plan)) =
                        reader.begin_interface(plan, VARIANTS)?
                    else {
                        return ::core::result::Result::Ok(::core::option::Option::None);
                    };
                    let value = match variant {
                        #(#indexes => Self::#variants(<#types as ::gob::Gob>::decode(reader, plan)?),)*
                        _ => return <Self as ::gob::Gob>::absent().map(::core::option::Option::Some),
                    };
                    reader.end_interface();
                    ::core::result::Result::Ok(::core::option::Option::Some(value))
                }
            }
        };
    })
}
