//! All rules of a manifest, in the order of the original's checks (imgapi.md §5.4).

use crate::dates::Published;
use crate::error::FieldError;
use crate::json::{self, Object, Value};
use crate::manifest::fields::{STATES, ZVOL};
use crate::manifest::{Mode, Rules, requirements, structures, texts};
use crate::uuid::Uuid;

/// What is wrong with a manifest in its stored form; nothing if it is good.
pub fn validate(object: &Object, rules: &Rules) -> Vec<FieldError> {
    let mut check = Check {
        object,
        rules,
        errors: Vec::new(),
    };
    check.required();
    check.optional();
    check.errors
}

struct Check<'a> {
    object: &'a Object,
    rules: &'a Rules,
    errors: Vec<FieldError>,
}

impl Check<'_> {
    fn text(&self, field: &str) -> &str {
        self.object.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    fn is_true(&self, field: &str) -> bool {
        self.object.get(field).and_then(json::boolean).unwrap_or(false)
    }

    /// Applies a rule to a field; without the field it is an error if `is_required`.
    fn field<I>(&mut self, field: &str, is_required: bool, rule: impl FnOnce(&Value) -> I)
    where
        I: IntoIterator<Item = FieldError>,
    {
        match self.object.get(field) {
            Some(value) => self.errors.extend(rule(value)),
            None if is_required => self.errors.push(FieldError::bare(field, "MissingParameter")),
            None => {}
        }
    }

    fn required(&mut self) {
        let state = self.text("state");
        let is_activated = self.is_true("activated");
        let may_be_null = matches!(state, "creating" | "failed");
        // What is not made yet, or never was, has not much to say.
        let is_placeholder = may_be_null && !is_activated;
        let is_zvol = self.text("type") == "zvol";
        let is_lxd = self.text("type") == "lxd";
        self.field("v", true, check_v);
        self.field("uuid", true, |value| check_uuid("uuid", value));
        self.field("owner", !is_placeholder, |value| check_uuid("owner", value));
        self.field("name", true, texts::name);
        self.field("version", true, texts::version);
        self.field("disabled", !is_placeholder, |value| {
            check_boolean("disabled", value)
        });
        self.field("activated", !is_placeholder, |value| {
            check_boolean("activated", value)
        });
        self.field("published_at", is_activated, check_published_at);
        let mode = self.rules.mode;
        self.field("public", !is_placeholder, |value| check_public(value, mode));
        self.field("state", false, check_state);
        self.field("type", true, |value| texts::one_of("type", value, may_be_null));
        self.field("os", true, |value| texts::one_of("os", value, may_be_null));
        self.field("files", is_activated, |value| structures::files(value, is_lxd));
        for field in ZVOL {
            self.field(field, is_zvol, |value| texts::of_zvol(field, value, is_zvol));
        }
        if self.wants_channels() {
            self.field("channels", !is_placeholder, |value| {
                structures::channels(value, true)
            });
        }
    }

    fn optional(&mut self) {
        let is_zone = self.text("type") == "zone-dataset";
        self.field("urn", false, |value| {
            (!value.is_string()).then(|| FieldError::bare("urn", "Invalid"))
        });
        self.field("description", false, texts::description);
        self.field("homepage", false, |value| texts::url("homepage", value));
        self.field("eula", false, |value| texts::url("eula", value));
        self.field("origin", false, |value| check_uuid("origin", value));
        self.field("error", false, |value| {
            if value.is_object() {
                Vec::new()
            } else {
                structures::not_an_object("error", value)
            }
        });
        self.field("icon", false, structures::icon);
        self.field("acl", false, structures::acl);
        self.field("requirements", false, requirements::check);
        self.field("users", false, structures::users);
        self.field("billing_tags", false, structures::billing_tags);
        self.field("traits", false, structures::traits);
        self.field("tagsObj", false, structures::tags);
        self.field("generate_passwords", false, |value| {
            check_boolean("generate_passwords", value)
        });
        self.field("inherited_directories", false, |value| {
            structures::inherited_directories(value, is_zone)
        });
        if !self.wants_channels() {
            self.field("channels", false, |value| structures::channels(value, false));
        }
    }

    fn wants_channels(&self) -> bool {
        self.rules.has_channels && self.rules.mode != Mode::Datacenter
    }
}

fn check_v(value: &Value) -> Option<FieldError> {
    let is_good = value.as_f64().is_some_and(|number| number >= 0.0);
    (!is_good).then(|| FieldError::invalid("v", "\"v\" must be a positive integer"))
}

fn check_uuid(field: &str, value: &Value) -> Option<FieldError> {
    let is_uuid = value.as_str().and_then(Uuid::parse).is_some();
    (!is_uuid).then(|| FieldError::bare(field, "Invalid"))
}

/// The original has no answer for others: it fails.
fn check_boolean(field: &str, value: &Value) -> Option<FieldError> {
    let message = || {
        format!(
            "invalid image \"{field}\" (not a boolean): {}",
            json::compact(value)
        )
    };
    json::boolean(value)
        .is_none()
        .then(|| FieldError::invalid(field, message()))
}

fn check_published_at(value: &Value) -> Option<FieldError> {
    let is_date = value.as_str().and_then(Published::parse).is_some();
    let message = "published_at date not in \"YYYY-MM-DDTHH:MM:SS(.SSS)Z\" format";
    (!is_date).then(|| FieldError::invalid("published_at", message))
}

fn check_public(value: &Value, mode: Mode) -> Option<FieldError> {
    let message = match (json::boolean(value), mode) {
        (None, _) => return check_boolean("public", value),
        (Some(false), Mode::Public) => "private images are not allowed on a public Images API",
        (Some(true), Mode::Private) => "public images are not allowed on a private Images API",
        _ => return None,
    };
    Some(FieldError::invalid("public", message))
}

fn check_state(value: &Value) -> Option<FieldError> {
    let is_state = value.as_str().is_some_and(|state| STATES.contains(&state));
    (!is_state).then(|| FieldError::bare("state", "Invalid"))
}
