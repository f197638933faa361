//! Paths inside images.

/// Where a symbolic link at `path` leads, without looking at any other link on the way.
pub(super) fn resolve(path: &[u8], target: &[u8]) -> Vec<u8> {
    let mut steps: Vec<&[u8]> = Vec::new();
    let start: &[u8] = if target.starts_with(b"/") {
        b""
    } else {
        // The directory the link is in.
        path.iter()
            .rposition(|byte| *byte == b'/')
            .and_then(|slash| path.get(..slash))
            .unwrap_or_default()
    };
    for step in start
        .split(|byte| *byte == b'/')
        .chain(target.split(|byte| *byte == b'/'))
    {
        match step {
            b"" | b"." => {}
            b".." => {
                steps.pop();
            }
            step => steps.push(step),
        }
    }
    let mut resolved = vec![b'/'];
    resolved.extend_from_slice(&steps.join(&b'/'));
    resolved
}

/// The directory a path is in; that of the root is the root.
pub(super) fn parent(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| *byte == b'/') {
        None | Some(0) => b"/",
        Some(slash) => path.get(..slash).unwrap_or(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bstr::ByteSlice;

    #[test]
    fn links_lead_where_they_say() {
        for (path, target, resolved) in [
            ("/etc/alternatives/vi", "/usr/bin/vim", "/usr/bin/vim"),
            ("/lib", "usr/lib", "/usr/lib"),
            ("/a/b/c", "../d", "/a/d"),
            ("/a", "../../..", "/"),
            ("/a/b", "./x/./y", "/a/x/y"),
        ] {
            assert_eq!(resolve(path.as_bytes(), target.as_bytes()).as_bstr(), resolved);
        }
        assert_eq!(parent(b"/a/b"), b"/a");
        assert_eq!((parent(b"/a"), parent(b"/")), (&b"/"[..], &b"/"[..]));
    }
}
