//! The `#[gob(..)]` attributes.

use syn::{Attribute, DeriveInput, Error, Ident, LitStr};

/// On the type.
#[derive(Default)]
pub(crate) struct Container {
    pub(crate) name: Option<String>,
    pub(crate) transparent: bool,
    pub(crate) map: bool,
    pub(crate) interface: bool,
}

impl Container {
    pub(crate) fn parse(input: &DeriveInput) -> syn::Result<Self> {
        let mut container = Self::default();
        each(&input.attrs, |meta| {
            if meta.path.is_ident("name") {
                container.name = Some(meta.value()?.parse::<LitStr>()?.value());
            } else if meta.path.is_ident("transparent") {
                container.transparent = true;
            } else if meta.path.is_ident("map") {
                container.map = true;
            } else if meta.path.is_ident("interface") {
                container.interface = true;
            } else {
                return Err(meta.error("expected name, transparent, map or interface"));
            }
            Ok(())
        })?;
        let kinds = [container.transparent, container.map, container.interface];
        if kinds.iter().filter(|kind| **kind).count() > 1 {
            return Err(Error::new_spanned(
                &input.ident,
                "transparent, map and interface exclude each other",
            ));
        }
        Ok(container)
    }
}

/// On a field or a variant.
#[derive(Default)]
pub(crate) struct Part {
    pub(crate) name: Option<String>,
    pub(crate) skip: bool,
}

impl Part {
    pub(crate) fn parse(attrs: &[Attribute]) -> syn::Result<Self> {
        let mut part = Self::default();
        each(attrs, |meta| {
            if meta.path.is_ident("name") {
                part.name = Some(meta.value()?.parse::<LitStr>()?.value());
            } else if meta.path.is_ident("skip") {
                part.skip = true;
            } else {
                return Err(meta.error("expected name or skip"));
            }
            Ok(())
        })?;
        Ok(part)
    }
}

fn each(
    attrs: &[Attribute],
    mut logic: impl FnMut(syn::meta::ParseNestedMeta<'_>) -> syn::Result<()>,
) -> syn::Result<()> {
    attrs
        .iter()
        .filter(|attr| attr.path().is_ident("gob"))
        .try_for_each(|attr| attr.parse_nested_meta(&mut logic))
}

/// `image_name` is `ImageName`.
pub(crate) fn upper_camel_case(field: &Ident) -> String {
    let field = field.to_string();
    let mut name = String::with_capacity(field.len());
    for word in field.trim_start_matches("r#").split('_') {
        let mut letters = word.chars();
        name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        name.push_str(letters.as_str());
    }
    name
}

#[cfg(test)]
mod tests {
    use proc_macro2::Span;

    use super::*;

    #[test]
    fn names() {
        for (field, name) in [
            ("image_name", "ImageName"),
            ("mode", "Mode"),
            ("mtime_nano_seconds", "MtimeNanoSeconds"),
            ("r#type", "Type"),
            ("_2nd", "2nd"),
        ] {
            let field = match field.strip_prefix("r#") {
                Some(raw) => Ident::new_raw(raw, Span::call_site()),
                None => Ident::new(field, Span::call_site()),
            };
            assert_eq!(upper_camel_case(&field), name);
        }
    }
}
