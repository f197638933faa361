//! What several places of a configuration must keep to.

use image::filter::Expression;

use super::Reading;
use crate::expand;
use crate::text::{Place, Record};

/// Looks up `$ARCH` alone.
pub(crate) fn architecture<'a>(reading: &Reading<'a>) -> impl Fn(&str) -> Option<&'a str> + use<'a> {
    let architecture = reading.architecture;
    move |name| (name == "ARCH").then_some(architecture)
}

/// The name of a stream, with `$ARCH` in it expanded: its images must be able to have it as their directory.
pub(crate) fn stream_name(place: &Place<'_>, key: &str, reading: &Reading<'_>) -> String {
    only_known(place, key, &["ARCH"], reading);
    let name = expand::expression(key, architecture(reading));
    if let Err(error) = image::name::check_image(&name) {
        place.error(format!("{name:?} cannot be the name of a stream: {error}"));
    }
    name
}

/// Tells of variables that become nothing because they are not known at this place.
pub(crate) fn only_known(place: &Place<'_>, text: &str, known: &[&str], reading: &Reading<'_>) {
    for name in expand::names(text) {
        if known.contains(&name.as_str()) {
            continue;
        }
        if reading
            .secrets
            .is_some_and(|secrets| secrets.get(&name).is_some())
        {
            place.warning(format!(
                "${name} is a secret of the variables file, which does not come here: it becomes nothing"
            ));
        } else {
            place.warning(format!("${name} is not known here: it becomes nothing"));
        }
    }
}

/// Tells of secrets where they may not be; of other names nothing is known, since shells and requests have their own.
pub(crate) fn no_secrets(place: &Place<'_>, text: &str, reading: &Reading<'_>) {
    let Some(secrets) = reading.secrets else {
        return;
    };
    for name in expand::names(text) {
        if secrets.get(&name).is_some() {
            place.warning(format!(
                "${name} is a secret of the variables file, which does not come here"
            ));
        }
    }
}

/// An absolute path that leads nowhere else.
pub(crate) fn absolute(place: &Place<'_>, path: &str) {
    if !path.starts_with('/') || path.contains('\0') {
        place.error(format!("{path:?} is no absolute path"));
    } else if image::name::clean(path) == "/" {
        place.error("the root directory cannot be mounted in an image");
    } else if path.split('/').any(|component| component == "..") {
        place.error(format!("{path:?} must not go up by .."));
    }
}

/// Path expressions, each of which must be one. The line `!` alone turns a list round.
pub(crate) fn filter_lines(place: &Place<'_>) -> Vec<String> {
    let lines = place.list();
    let check = |place: &Place<'_>| {
        let line = place.text();
        if line != "!"
            && let Err(error) = Expression::new(&line)
        {
            place.error(error.to_string());
        }
        line
    };
    lines.iter().map(check).collect()
}

/// Tells of a password in a URL: URLs are shown as they stand here.
pub(crate) fn password(place: &Place<'_>, url: &str) {
    let shown = crate::source::without_password(url);
    if shown != url
        && !url
            .split_once("://")
            .is_some_and(|(_, rest)| authority_has_variables(rest))
    {
        place.warning("a password stands in the URL, which is shown on pages: put it into the variables file, and its $NAME here");
    }
}

fn authority_has_variables(rest: &str) -> bool {
    let authority = rest.split('@').next().unwrap_or_default();
    authority
        .split_once(':')
        .is_some_and(|(_, password)| password.contains('$'))
}

/// Directories of the host that builds see.
pub(super) fn bind_mounts(record: &Record<'_>) -> Vec<String> {
    let places = record.get("BindMounts").map(Place::list).unwrap_or_default();
    let mut mounts = Vec::new();
    for place in places {
        let path = place.text();
        absolute(&place, &path);
        if mounts.contains(&path) {
            place.warning("the same directory stands above");
            continue;
        }
        mounts.push(path);
    }
    mounts
}
