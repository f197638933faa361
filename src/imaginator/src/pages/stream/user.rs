//! What a user stream is made from, as configured (`imaginator-web.md §2`).

use front::page::escape;
use recipe::{ManifestLocation, UserStream};

pub(super) fn details(name: &str, stream: &UserStream) -> String {
    let mut html = String::from("<h2>Configuration</h2><dl class=\"facts\">");
    let mut fact = |name: &str, value: &str| {
        html += &format!("<dt>{name}</dt><dd>{}</dd>", escape(value));
    };
    if !stream.builder_groups.is_empty() {
        fact("BuilderGroups", &stream.builder_groups.join(", "));
    }
    if !stream.builder_users.is_empty() {
        fact("BuilderUsers", &stream.builder_users.join(", "));
    }
    let expanded = ManifestLocation::without_secrets(name, stream);
    fact("Manifest URL", &stream.manifest_url);
    if expanded.url != stream.manifest_url {
        fact("Manifest URL, expanded", &expanded.url);
    }
    fact(
        "Manifest Directory",
        match stream.manifest_directory.as_str() {
            "" => "the top",
            directory => directory,
        },
    );
    if expanded.directory != stream.manifest_directory {
        fact("Manifest Directory, expanded", &expanded.directory);
    }
    html += "</dl>";
    html += "<h2>Stream variables</h2>";
    if stream.variables.is_empty() {
        html += "<p>None.</p>";
    } else {
        html += "<dl class=\"facts\">";
        for (name, value) in &stream.variables {
            html += &format!("<dt>{}</dt><dd><code>{}</code></dd>", escape(name), escape(value));
        }
        html += "</dl>";
    }
    html
}
