//! Where builds start: the source image, its look-up, the object cache.
#![allow(
    clippy::unwrap_used,
    reason = "a test ends where something is not as it must be"
)]

use anyhow::Result;
use builder::order::NeededSource;
use builder::{Phase, Recipe};
use integration::imaginator::lacks_root;
use integration::server::INSECURE;
use integration::workshop::{Place, Recorder};
use recipe::Cache;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const MANIFEST: (&str, &str) = ("manifest", r#"{"SourceImage": "base"}"#);

#[test]
fn a_source_image_that_is_lacking_is_asked_for_with_all_that_its_build_needs() -> Result<()> {
    if lacks_root("a_source_image_that_is_lacking_is_asked_for_with_all_that_its_build_needs") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let manifest = r#"{"SourceImage": "sources/$WHAT", "SourceImageGitCommitId": "v1", "SourceImageTagsToMatch": {"k": ["a", "b"], "none": ["$NO"]},
        "SourceImageBuildVariables": {"FOR": "$IMAGE_STREAM"}}"#;
    let mut order = place.order("user/lacking", &[("manifest", manifest)])?;
    order.variables.insert("WHAT".to_owned(), "os".to_owned());
    let error = place.build(&order).0.unwrap_err();
    assert_eq!(
        error.text,
        "error unpacking image: no source image: sources/os@gitCommitId:v1@tags:k=a,k=b"
    );
    assert_eq!(error.phase, Some(Phase::FindSource));
    let needs = NeededSource {
        stream: "sources/os".to_owned(),
        commit: "v1".to_owned(),
        variables: BTreeMap::from([("FOR".to_owned(), "user/lacking".to_owned())]),
    };
    assert_eq!(error.needs, Some(needs));
    // There was no such directory: there is now, and asking again ends the same.
    assert!(place.tool.must(&["listdirs"])?.contains("sources/os"));
    assert!(place.build(&order).0.unwrap_err().needs.is_some());
    assert_eq!(place.leftovers()?, [""; 0]);
    Ok(())
}

#[test]
fn a_source_image_may_be_of_any_age_unless_a_greatest_age_is_given() -> Result<()> {
    if lacks_root("a_source_image_may_be_of_any_age_unless_a_greatest_age_is_given") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let mut order = place.order("user/age", &[MANIFEST])?;
    order.max_source_age = Some(Duration::from_nanos(1));
    let error = place.build(&order).0.unwrap_err();
    assert_eq!(error.text, "error unpacking image: too old source image: base");
    assert_eq!(error.needs.unwrap().stream, "base");
    order.max_source_age = Some(Duration::from_secs(3600));
    place.image(&order)?;
    order.max_source_age = None;
    place.image(&order)?;
    Ok(())
}

#[test]
fn the_newest_image_is_the_source() -> Result<()> {
    if lacks_root("the_newest_image_is_the_source") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    fs::write(place.path().join("system/etc/newer"), "newer")?;
    place.add_source("2020-01-01:00:00:00")?;
    let (image, _, _) = place.image(&place.order("user/newest", &[MANIFEST])?)?;
    assert_eq!(image.source_image, "base/2020-01-01:00:00:00");
    Ok(())
}

fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found
}

#[test]
fn what_is_damaged_in_the_object_cache_is_fetched_again() -> Result<()> {
    if lacks_root("what_is_damaged_in_the_object_cache_is_fetched_again") {
        return Ok(());
    }
    let mut place = Place::new(|_| Ok(()))?;
    let order = place.order("user/cached", &[MANIFEST])?;
    let (first, _, _) = place.image(&order)?;
    // A restart: nothing counts as verified.
    place.restart_with(|_| ())?;
    let cached = files(&place.path().join("cache"));
    let objects: Vec<&PathBuf> = cached
        .iter()
        .filter(|path| !path.ends_with(".lock") && !path.ends_with(".uses"))
        .collect();
    assert!(objects.len() > 20, "{}", objects.len());
    let mut torn = fs::read(objects[0])?;
    torn[0] ^= 1;
    fs::write(objects[0], torn)?;
    fs::write(objects[1], "")?;
    fs::remove_file(objects[2])?;
    let (second, _, log) = place.image(&order)?;
    assert!(log.contains("fetched 3 objects"), "{log}");
    assert_eq!(
        first.file_system.unwrap().total_data_bytes,
        second.file_system.as_ref().unwrap().total_data_bytes
    );
    // Behind the back of a running workshop: noticed when it is to be copied.
    let victim = files(&place.path().join("cache"))
        .into_iter()
        .find(|path| path.to_string_lossy().len() > 150)
        .unwrap();
    let mut torn = fs::read(&victim)?;
    torn[0] ^= 1;
    fs::write(&victim, torn)?;
    let other = place.order("user/other", &[MANIFEST])?;
    let (third, _, log) = place.image(&other)?;
    assert!(log.contains("fetched 1 objects"), "{log}");
    let objects = |image: &image::Image| image::objects::of_tree(image.file_system.as_ref().unwrap()).count();
    assert_eq!(objects(&second), objects(&third));
    Ok(())
}

#[test]
fn objects_that_the_server_lost_meanwhile_are_sent_again() -> Result<()> {
    if lacks_root("objects_that_the_server_lost_meanwhile_are_sent_again") {
        return Ok(());
    }
    let place = Arc::new(Place::new(|_| Ok(()))?);
    let order = place.order("user/lost", &[MANIFEST])?;
    let lost = Arc::clone(&place);
    let second_server = Arc::new(Mutex::new(None));
    let keeps = Arc::clone(&second_server);
    let recorder = Recorder::with_hook(move |phase, _| {
        if phase == Phase::Scripts {
            // With the server's process ends what it promised to those who had sent the objects.
            lost.server.kill_now().unwrap();
            while std::net::TcpStream::connect(lost.server.address()).is_ok() {
                std::thread::yield_now();
            }
            let again = lost.home.start_on(lost.server.port, &[], INSECURE).unwrap();
            *keeps.lock().unwrap() = Some(again);
            lost.tool.must(&["delete", "base/2026-01-01:00:00:00"]).unwrap();
            lost.tool.must(&["delunrefobj", "100", "0"]).unwrap();
        }
    });
    let built = place.build_watched(&order, &recorder)?;
    assert!(
        recorder.text().contains("sending all objects of the image again"),
        "{}",
        recorder.text()
    );
    place.tool.must(&["check", &built.name])?;
    let copy = place.path().join("copy").display().to_string();
    place.tool.must(&["get", &built.name, &copy])?;
    Ok(())
}

#[test]
fn a_directory_is_kept_from_build_to_build_and_trimmed() -> Result<()> {
    if lacks_root("a_directory_is_kept_from_build_to_build_and_trimmed") {
        return Ok(());
    }
    let place = Place::new(|_| Ok(()))?;
    let kept = place.path().join("kept");
    fs::create_dir(&kept)?;
    let script = "#! /bin/sh\nset -e\ncat /keep/count >/etc/before 2>/dev/null || true\necho more >>/keep/count\n\
                  dd if=/dev/zero of=/keep/large bs=1000 count=2 2>/dev/null\ntouch -d 2001-01-01 /keep/large\nln -s / /keep/out\n";
    let mut order = place.order("user/kept", &[MANIFEST, ("scripts/own", script)])?;
    let Recipe::User { cache, .. } = &mut order.recipe else {
        unreachable!()
    };
    *cache = Some(Cache {
        base_directory: kept.display().to_string(),
        mount_point: "/keep".to_owned(),
        // A block and an entry for each of two files are more, for one they are less.
        size_limit: 8000,
    });
    let (image, _, _) = place.image(&order)?;
    let names = |image: &image::Image| -> Vec<String> {
        let top = &image.file_system.as_ref().unwrap().directory_inode;
        top.entry_list
            .iter()
            .map(|entry| entry.name.to_string())
            .collect()
    };
    assert!(!names(&image).contains(&"keep".to_owned()));
    let stream = kept.join("streams/user%2Fkept");
    assert_eq!(fs::read_to_string(stream.join("count"))?, "more\n");
    assert!(!stream.join("large").exists());
    fs::remove_file(stream.join("out"))?;
    place.image(&order)?;
    assert_eq!(fs::read_to_string(stream.join("count"))?, "more\nmore\n");
    Ok(())
}
