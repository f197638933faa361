//! Lists in flags and files, and names.

use image::{computed_files, name, required_paths, tags};

pub(super) fn tags(text: &str) {
    let (own, wanted) = (tags::parse(text), tags::parse_match(text));
    assert_eq!(own.is_ok(), wanted.is_ok());
    if let (Ok(own), Ok(wanted)) = (own, wanted) {
        assert!(
            tags::matches(&own, &wanted),
            "what one asks for is not what one has: {text:?}"
        );
    }
}

pub(super) fn required_paths(text: &str) {
    if let Ok(paths) = required_paths::parse(text) {
        assert!(paths.len() <= text.len());
        let _ = required_paths::verify(&image::FileSystem::default(), &paths);
    }
}

pub(super) fn computed_files(text: &[u8]) {
    let Ok(files) = computed_files::parse("list", text) else {
        return;
    };
    let lines: String = files
        .iter()
        .map(|file| format!("{} {}\n", file.filename, file.source))
        .collect();
    // A path that starts like a comment is not read again.
    if files.iter().all(|file| !file.filename.starts_with('#')) {
        assert_eq!(computed_files::parse_text(lines.as_bytes()).ok(), Some(files));
    }
}

pub(super) fn names(text: &str) {
    let clean = name::clean(text);
    assert_eq!(name::clean(&clean), clean);
    assert_eq!(clean.starts_with('/'), text.starts_with('/'));
    if name::check_image(text).is_ok() {
        assert_eq!(clean, text, "a good name is not clean");
        assert!(
            text.split('/')
                .all(|component| component != ".." && !component.is_empty())
        );
        assert!(name::check_directory(text).is_ok());
    }
    let parent = name::parent(text);
    assert!(parent == "." || text.starts_with(parent));
}
