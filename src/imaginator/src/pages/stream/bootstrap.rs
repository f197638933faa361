//! What a bootstrap stream is made from (`imaginator-web.md §2`).

use crate::pages::context::preformatted;
use front::page::escape;
use recipe::{BootstrapStream, Packager, packager};

pub(super) fn details(stream: &BootstrapStream) -> String {
    let mut html = String::from("<h2>Bootstrap command</h2>");
    html += &preformatted(&stream.command.join("\n"));
    html += "<h2>Filter lines</h2>";
    html += &lines(&stream.filter_lines, "Nothing is left out of the image.");
    html += &format!("<h2>Packager type: {}</h2>", escape(&stream.packager_type));
    html += &commands(&stream.packager);
    html += "<details><summary>package script</summary>";
    html += &preformatted(&packager::script(&stream.packager));
    html += "</details><h2>Image filter</h2>";
    html += &match &stream.image_filter {
        Some(filter) => lines(&filter.filter_lines, "The filter is empty."),
        None => "<p>None: the image is sparse.</p>".to_owned(),
    };
    html += "<h2>Image triggers</h2>";
    html += &match &stream.image_triggers {
        Some(triggers) => json(triggers),
        None => "<p>None.</p>".to_owned(),
    };
    html += "<h2>Image tags</h2>";
    if stream.image_tags.is_empty() {
        html += "<p>None.</p>";
    } else {
        html += &json(&stream.image_tags);
    }
    let owners = &stream.owners;
    if !owners.users.is_empty() || !owners.groups.is_empty() {
        html += &format!(
            "<h2>Owners</h2><p>Users: {}<br>Groups: {}</p>",
            escape(&owners.users.join(", ")),
            escape(&owners.groups.join(", "))
        );
    }
    html
}

fn commands(packager: &Packager) -> String {
    let commands = [
        ("Clean", &packager.clean_command),
        ("Install", &packager.install_command),
        ("List", &packager.list_command),
        ("Remove", &packager.remove_command),
        ("Update", &packager.update_command),
        ("Upgrade", &packager.upgrade_command),
    ];
    let mut html = String::from("<dl class=\"facts\">");
    for (name, command) in commands {
        let words = if command.is_empty() {
            "<span class=\"faint\">does nothing</span>".to_owned()
        } else {
            format!("<code>{}</code>", escape(&command.join(" ")))
        };
        html += &format!("<dt>{name}</dt><dd>{words}</dd>");
    }
    if packager.size_multiplier > 1 {
        html += &format!(
            "<dt>List size multiplier</dt><dd>{}</dd>",
            packager.size_multiplier
        );
    }
    html += "</dl>";
    if !packager.clean_patterns.is_empty() {
        html += "<h3>Deleted after cleaning</h3>";
        html += &preformatted(&packager.clean_patterns.join("\n"));
    }
    if !packager.verbatim.is_empty() {
        html += "<h3>Verbatim lines</h3>";
        html += &preformatted(&packager.verbatim.join("\n"));
    }
    html
}

fn lines(lines: &[String], none: &str) -> String {
    if lines.is_empty() {
        return format!("<p>{none}</p>");
    }
    preformatted(&lines.join("\n"))
}

fn json(value: &impl serde::Serialize) -> String {
    preformatted(&serde_json::to_string_pretty(value).unwrap_or_default())
}
