//! Structs.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::{DataStruct, DeriveInput, Error, Field, Fields};

use crate::attributes::{Container, Part, upper_camel_case};

pub(crate) fn expand(
    input: &DeriveInput,
    container: &Container,
    data: &DataStruct,
) -> syn::Result<TokenStream> {
    if matches!(data.fields, Fields::Unnamed(_)) {
        return Err(Error::new_spanned(
            &input.ident,
            "a tuple struct needs #[gob(transparent)] or #[gob(map)]: gob fields have names",
        ));
    }
    let ident = &input.ident;
    let type_name = container.name.clone().unwrap_or_else(|| ident.to_string());

    let (mut sent, mut skipped): (Vec<(&Field, String)>, Vec<&Field>) = (Vec::new(), Vec::new());
    for field in &data.fields {
        let part = Part::parse(&field.attrs)?;
        if part.skip {
            skipped.push(field);
            continue;
        }
        let name = match (&part.name, &field.ident) {
            (Some(name), _) => name.clone(),
            (None, Some(ident)) => upper_camel_case(ident),
            (None, None) => return Err(Error::new_spanned(field, "gob fields have names")),
        };
        if !name.starts_with(char::is_uppercase) {
            return Err(Error::new_spanned(
                field,
                "only names that start with a capital letter travel as gob",
            ));
        }
        if sent.iter().any(|(_, other)| *other == name) {
            return Err(Error::new_spanned(field, format!("two fields named {name}")));
        }
        sent.push((field, name));
    }

    let idents: Vec<_> = sent.iter().map(|(field, _)| &field.ident).collect();
    let types: Vec<_> = sent.iter().map(|(field, _)| &field.ty).collect();
    let names: Vec<_> = sent.iter().map(|(_, name)| name).collect();
    let locals: Vec<_> = (0..sent.len())
        .map(|index| format_ident!("field_{index}"))
        .collect();
    let indexes: Vec<_> = (0..sent.len() as u64).collect();
    let targets: Vec<_> = (0..sent.len() as u32).collect();
    let skipped = skipped.iter().map(|field| &field.ident);
    let skipped: Vec<_> = skipped.collect();

    Ok(quote! {
        #[automatically_derived]
        #[allow(clippy::all, clippy::pedantic, unused_qualifications, unused_mut, unused_variables)]
        impl ::gob::Gob for #ident {
            const IS_STRUCT: bool = true;

            fn describe(describer: &mut ::gob::Describer<'_>) -> ::gob::WireId {
                describer.structure::<Self>(
                    #type_name,
                    &[#((#names, <#types as ::gob::Gob>::describe)),*],
                )
            }

            fn plan(
                planner: &mut ::gob::Planner<'_>,
                wire: ::gob::WireId,
            ) -> ::core::result::Result<::gob::Plan, ::gob::Error> {
                const FIELDS: &[::gob::FieldPlan] = &[#((#names, <#types as ::gob::Gob>::plan)),*];
                planner.structure::<Self>(#type_name, wire, FIELDS)
            }

            fn absent() -> ::core::result::Result<Self, ::gob::Error> {
                ::core::result::Result::Ok(Self {
                    #(#idents: <#types as ::gob::Gob>::absent()
                        .map_err(|error| error.in_field(#type_name, #names))?,)*
                    #(#skipped: ::core::default::Default::default(),)*
                })
            }

            fn encode(&self, writer: &mut ::gob::Writer<'_>) {
                let mut next = 0;
                #(
                    if !::gob::Gob::is_omitted(&self.#idents) {
                        writer.field(&mut next, #indexes);
                        ::gob::Gob::encode(&self.#idents, writer);
                    }
                )*
                writer.uint(0);
            }

            fn decode(
                reader: &mut ::gob::Reader<'_>,
                plan: ::gob::Plan,
            ) -> ::core::result::Result<Self, ::gob::Error> {
                #(let mut #locals: ::core::option::Option<#types> = ::core::option::Option::None;)*
                let mut fields = reader.begin_struct(plan)?;
                while let ::core::option::Option::Some((target, plan)) = reader.next_field(&mut fields)? {
                    match target {
                        #(
                            #targets => {
                                #locals = ::core::option::Option::Some(
                                    <#types as ::gob::Gob>::decode(reader, plan)
                                        .map_err(|error| error.in_field(#type_name, #names))?,
                                );
                            }
                        )*
                        _ => {}
                    }
                }
                ::core::result::Result::Ok(Self {
                    #(
                        #idents: match #locals {
                            ::core::option::Option::Some(value) => value,
                            ::core::option::Option::None => <#types as ::gob::Gob>::absent()
                                .map_err(|error| error.in_field(#type_name, #names))?,
                        },
                    )*
                    #(#skipped: ::core::default::Default::default(),)*
                })
            }
        }
    })
}
