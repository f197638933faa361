//! What an image that was built has, and what it does not cost.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use anyhow::Result;
use builder::Delivery;
use image::{FileSystem, Image, Inode};
use integration::imaginator::lacks_root;
use integration::workshop::{Place, SOURCE};
use std::fs;
use std::os::unix::fs::{chown, symlink};

const MANIFEST: (&str, &str) = ("manifest", r#"{"SourceImage": "base"}"#);

fn inode<'a>(image: &'a Image, path: &str) -> Option<&'a Inode> {
    let tree = image.file_system.as_ref().unwrap();
    tree.inode_table.get(number(tree, path)?)
}

fn number(tree: &FileSystem, path: &str) -> Option<u64> {
    tree.find_all([path.into()]).into_values().next()
}

fn mtime(image: &Image, path: &str) -> (i64, i32) {
    inode(image, path).unwrap().as_ref().mtime().unwrap()
}

/// The content of a file of an image.
fn content(place: &Place, image: &Image, path: &str) -> String {
    let regular = inode(image, path).unwrap().as_regular().unwrap();
    let data = place.call(async |server| server.get_object(&regular.hash, 1 << 20).await);
    String::from_utf8(data.unwrap()).unwrap()
}

#[test]
fn an_image_has_all_that_is_said_about_it() -> Result<()> {
    if lacks_root("an_image_has_all_that_is_said_about_it") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let mut order = place.order(
        "user/all",
        &[
            MANIFEST,
            ("filter", "/etc/own\n"),
            ("triggers", r#"[{"MatchLines": ["/etc/own"], "Service": "own"}]"#),
            ("owners.json", r#"{"Groups": ["g"], "Users": ["u"]}"#),
            (
                "tags.json",
                r#"{"stream": "$IMAGE_STREAM", "nothing": "$NOTHING", "empty": ""}"#,
            ),
            (
                "scripts/10_own",
                "#! /bin/sh\necho own > /etc/own; touch /tmp/left\n",
            ),
        ],
    )?;
    order.variables.insert("X".to_owned(), "y".to_owned());
    let (image, name, log) = place.image(&order)?;
    assert!(name.starts_with("user/all/20"), "{name}");
    assert_eq!(name.len(), "user/all/2026-01-01:00:00:00".len());
    assert_eq!(image.source_image, format!("{SOURCE}/2026-01-01:00:00:00"));
    assert_eq!(image.filter.as_ref().unwrap().filter_lines, ["/etc/own"]);
    assert_eq!(image.triggers.as_ref().unwrap().triggers[0].service, "own");
    assert_eq!(
        (&*image.owner_groups, &*image.owner_users),
        (&["g".to_owned()][..], &["u".to_owned()][..])
    );
    let tags: Vec<(&str, &str)> = image.tags.iter().map(|(key, value)| (&**key, &**value)).collect();
    assert_eq!(tags, [("empty", ""), ("stream", "user/all")]);
    let packages: Vec<(&str, u64)> = image.packages.iter().map(|p| (&*p.name, p.size)).collect();
    assert_eq!(packages, [("bash", 2048), ("zsh", 3072)]);
    assert_eq!(image.created_for, "somebody");
    let lives = image.expires_at.unix_seconds() - image.created_on.unix_seconds();
    assert!((3500..=3700).contains(&lives), "{lives}");
    assert_eq!(
        (
            &*image.build_branch,
            &*image.build_commit_id,
            &*image.build_git_url
        ),
        ("", "", "")
    );
    assert!(image.release_notes.is_none());
    assert_eq!(content(&place, &image, "/etc/own"), "own\n");
    assert!(inode(&image, "/tmp").is_some() && inode(&image, "/tmp/left").is_none());
    // The log that is kept is the one that was shown, but for what came after it was kept.
    let object = image.build_log.unwrap().object.unwrap();
    let kept = place.call(async |server| server.get_object(&object, 1 << 20).await)?;
    let kept = String::from_utf8(kept)?;
    assert!(
        log.starts_with(&kept) && kept.contains("Running script: 10_own"),
        "{kept}"
    );
    assert!(
        log[kept.len()..].starts_with(&format!("Uploaded {name} in ")),
        "{log}"
    );
    assert!(log.contains(", total build duration: "));
    assert_eq!(place.leftovers()?, [""; 0]);
    Ok(())
}

#[test]
fn without_a_filter_an_image_is_sparse_and_what_is_added_is_joined() -> Result<()> {
    if lacks_root("without_a_filter_an_image_is_sparse_and_what_is_added_is_joined") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let (sparse, _, _) = place.image(&place.order("user/sparse", &[MANIFEST])?)?;
    assert_eq!((sparse.filter, sparse.triggers), (None, None));
    assert!(sparse.tags.is_empty() && sparse.owner_users.is_empty());
    let (joined, _, _) = place.image(&place.order("user/joined", &[MANIFEST, ("filter.add", "/a\n")])?)?;
    assert_eq!(joined.filter.unwrap().filter_lines, ["/a", "/var/log/.*"]);
    let (empty, _, _) = place.image(&place.order("user/empty", &[MANIFEST, ("filter", "")])?)?;
    assert!(empty.filter.unwrap().filter_lines.is_empty());
    Ok(())
}

#[test]
fn only_what_a_build_made_is_read_and_sent_and_a_second_one_fetches_nothing() -> Result<()> {
    if lacks_root("only_what_a_build_made_is_read_and_sent_and_a_second_one_fetches_nothing") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let files = [
        MANIFEST,
        (
            "scripts/own",
            "#! /bin/sh\necho own > /etc/own; cat /etc/passwd > /etc/copy\n",
        ),
    ];
    let (first, _, log) = place.image(&place.order("user/one", &files)?)?;
    assert!(log.contains("copied 0 from the object cache"), "{log}");
    assert!(log.contains(": read 2 of them, sent 2 objects"), "{log}");
    let (second, _, log) = place.image(&place.order("user/two", &files)?)?;
    assert!(log.contains("fetched 0 objects"), "{log}");
    assert!(log.contains(": read 2 of them, sent 2 objects"), "{log}");
    let listing = |image: &Image| {
        let tree = image.file_system.as_ref().unwrap();
        let mut objects: Vec<_> = image::objects::of_tree(tree).collect();
        objects.sort();
        (objects, tree.num_regular_inodes, tree.directory_count)
    };
    assert_eq!(listing(&first), listing(&second));
    Ok(())
}

#[test]
fn a_tree_that_is_used_again_cannot_be_told_from_a_new_one() -> Result<()> {
    if lacks_root("a_tree_that_is_used_again_cannot_be_told_from_a_new_one") {
        return Ok(());
    }
    let place = Place::new(|system| Ok(fs::write(system.join("etc/kept"), "kept")?))?;
    // Whatever a script may think of; what it did must not be there when the next one looks.
    let script = "#! /bin/sh\nset -e\ntest ! -e /etc/own; test ! -e /var/new; test ! -e /.hidden\n\
                  test \"$(cat /etc/kept)\" = kept; test \"$(stat -c %a%u /etc)\" = 7550; test ! -L /root; id www-data\n\
                  echo own >/etc/own; echo bad >/etc/kept; touch -d @1 /etc/kept; chmod 777 /etc; chown 33 /etc\n\
                  mkdir -p /var/new/deep; ln /etc/group /.hidden; rm /etc/passwd; mv /usr/bin/wc /usr/bin/wx\n\
                  rm -r /root; ln -s /etc /root; chmod 4777 /usr/bin/tail\n";
    let order = place.order("user/wild", &[MANIFEST, ("scripts/wild", script)])?;
    let (first, _, log) = place.image(&order)?;
    assert!(!log.contains("Took over"), "{log}");
    for _ in 0..2 {
        let (again, _, log) = place.image(&order)?;
        assert!(log.contains("Took over the tree of the build before"), "{log}");
        let differences = image::diff::diff(
            first.file_system.as_ref().unwrap(),
            again.file_system.as_ref().unwrap(),
        );
        let paths: Vec<String> = differences.iter().map(|d| d.path.to_string()).collect();
        assert_eq!(paths, [""; 0]);
    }
    // Another stream has another tree, and a newer source image is unpacked.
    let (_, _, log) = place.image(&place.order("user/tame", &[MANIFEST])?)?;
    assert!(!log.contains("Took over"), "{log}");
    place.add_source("2026-01-02:00:00:00")?;
    let (_, _, log) = place.image(&order)?;
    assert!(!log.contains("Took over"), "{log}");
    // A failed build leaves none.
    let bad = place.order("user/wild", &[MANIFEST, ("scripts/bad", "#! /bin/sh\nexit 1\n")])?;
    place.build(&bad).0.unwrap_err();
    let (_, _, log) = place.image(&place.order("user/wild", &[MANIFEST])?)?;
    assert!(!log.contains("Took over"), "{log}");
    Ok(())
}

#[test]
fn owners_modes_links_and_devices_come_through_a_build_unchanged() -> Result<()> {
    if lacks_root("owners_modes_links_and_devices_come_through_a_build_unchanged") {
        return Ok(());
    }
    let place = Place::new(|system| {
        fs::write(system.join("etc/one"), "linked")?;
        fs::hard_link(system.join("etc/one"), system.join("etc/two"))?;
        fs::write(system.join("etc/owned"), "owned")?;
        chown(system.join("etc/owned"), Some(33), Some(12))?;
        fs::set_permissions(
            system.join("etc/owned"),
            std::os::unix::fs::PermissionsExt::from_mode(0o6750),
        )?;
        symlink("/etc/owned", system.join("etc/link"))?;
        rustix::fs::mknodat(
            rustix::fs::CWD,
            system.join("dev/mine"),
            rustix::fs::FileType::CharacterDevice,
            rustix::fs::Mode::from_raw_mode(0o666),
            rustix::fs::makedev(1, 3),
        )?;
        Ok(())
    })?;
    let source = place.fetch("base/2026-01-01:00:00:00")?;
    // Fetched, from the object cache, in a tree that is used again.
    for stream in ["user/same", "user/other", "user/same"] {
        let (image, _, _) = place.image(&place.order(stream, &[MANIFEST])?)?;
        let tree = image.file_system.as_ref().unwrap();
        assert_eq!(number(tree, "/etc/one"), number(tree, "/etc/two"));
        let before = source.file_system.as_ref().unwrap();
        let differences = image::diff::diff(before, tree);
        let paths: Vec<String> = differences.iter().map(|d| d.path.to_string()).collect();
        // That one was filled and emptied again.
        assert_eq!(paths, ["/etc/resolv.conf"]);
    }
    Ok(())
}

#[test]
fn files_made_anew_keep_the_time_they_had_unless_they_changed_or_are_exempt() -> Result<()> {
    if lacks_root("files_made_anew_keep_the_time_they_had_unless_they_changed_or_are_exempt") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let script = "#! /bin/sh\necho same > /etc/same; date +%N > /etc/other; echo exempt > /etc/exempt\n";
    let manifest = r#"{"SourceImage": "base", "MtimesCopyFilterLines": ["/etc/exempt"]}"#;
    let order = place.order("user/times", &[("manifest", manifest), ("scripts/own", script)])?;
    let (first, name, _) = place.image(&order)?;
    let (second, _, log) = place.image(&order)?;
    assert_eq!(mtime(&first, "/etc/same"), mtime(&second, "/etc/same"));
    assert_ne!(mtime(&first, "/etc/other"), mtime(&second, "/etc/other"));
    assert_ne!(mtime(&first, "/etc/exempt"), mtime(&second, "/etc/exempt"));
    assert!(log.contains(&format!("mtimes from {name}")), "{log}");
    Ok(())
}

#[test]
fn computed_files_are_spliced_in_and_inherited_only_where_asked() -> Result<()> {
    if lacks_root("computed_files_are_spliced_in_and_inherited_only_where_asked") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let script = (
        "scripts/own",
        "#! /bin/sh\necho one > /etc/one; echo two > /etc/two; chmod 640 /etc/one\n",
    );
    let base = place.order(
        "computed",
        &[MANIFEST, script, ("computed-files", "/etc/one host:1\n")],
    )?;
    let (image, _, _) = place.image(&base)?;
    let source = |image: &Image, path: &str| match inode(image, path) {
        Some(Inode::ComputedRegular(computed)) => Some((computed.source.clone(), computed.mode & 0o777)),
        _ => None,
    };
    assert_eq!(source(&image, "/etc/one"), Some(("host:1".to_owned(), 0o640)));
    let on_it = ("manifest", r#"{"SourceImage": "computed"}"#);
    let added = place.order(
        "user/added",
        &[
            on_it,
            (
                "computed-files.add.json",
                r#"[{"Filename": "/etc/two", "Source": "host:2"}]"#,
            ),
        ],
    )?;
    let (image, _, _) = place.image(&added)?;
    assert_eq!(source(&image, "/etc/one"), Some(("host:1".to_owned(), 0o640)));
    assert_eq!(source(&image, "/etc/two").unwrap().0, "host:2");
    // Nobody asked: a plain empty file.
    let (image, _, _) = place.image(&place.order("user/plain", &[on_it])?)?;
    assert_eq!(inode(&image, "/etc/one").unwrap().as_regular().unwrap().size, 0);
    let missing = place.order(
        "user/missing",
        &[MANIFEST, ("computed-files", "/etc/none host:1\n")],
    )?;
    let error = place.build(&missing).0.unwrap_err().to_string();
    assert_eq!(
        error,
        "error splicing computed files: /etc/none: missing from image"
    );
    Ok(())
}

#[test]
fn an_image_can_be_handed_back_instead() -> Result<()> {
    if lacks_root("an_image_can_be_handed_back_instead") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let mut order = place.order(
        "user/back",
        &[MANIFEST, ("scripts/own", "#! /bin/sh\necho own > /etc/own\n")],
    )?;
    order.delivery = Delivery::Return;
    let (built, log) = place.build(&order);
    let built = built?;
    let image = built.image.expect(&log);
    assert_eq!(built.name, "");
    // Its objects are there, it itself is not.
    assert_eq!(content(&place, &image, "/etc/own"), "own\n");
    assert!(!place.tool.must(&["list"])?.contains("user/back"));
    assert!(image.created_for == "somebody" && image.expires_at.is_zero());
    Ok(())
}

#[test]
fn two_images_of_one_second_have_two_names() -> Result<()> {
    if lacks_root("two_images_of_one_second_have_two_names") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let order = place.order("user/twice", &[MANIFEST])?;
    let other = builder::Order {
        number: 1000,
        slot: 1,
        ..order.clone()
    };
    let names: Vec<String> = std::thread::scope(|scope| {
        let builds = [&order, &other].map(|order| scope.spawn(|| place.build(order).0.unwrap().name));
        builds.map(|build| build.join().unwrap()).into()
    });
    assert_ne!(names[0], names[1]);
    let list = place.tool.must(&["list"])?;
    assert!(names.iter().all(|name| list.contains(name)), "{list}");
    Ok(())
}
