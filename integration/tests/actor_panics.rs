//! A panic inside an actor is survived by the daemon: requests in flight get an error or their answer, the next ones
//! work, `/metrics` counts the restart, and nothing that was acknowledged is lost.

use anyhow::{Context, Result};
use integration::images::{add, delete, get, image, names, object_sizes, put, store};
use integration::plain_call::call;
use integration::replica::{Node, converges, figure, until};
use integration::server::{Home, INSECURE, ImageServer};
use protocol::image_server::{ScrubRequest, ScrubResponse, ScrubStatusRequest, ScrubStatusResponse};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Panics of each actor in a test: below the number at which the daemon gives an actor up.
const PANICS: usize = 3;
const CLIENTS: usize = 4;
/// What the actors are called on pages and in metrics.
const ACTORS: [&str; 3] = ["ImageIndex", "ObjectStore", "Scrubber"];
/// Where there is no answer for so long, a client would hang.
const PATIENCE: Duration = Duration::from_secs(60);

fn start() -> Result<(Home, ImageServer)> {
    let home = Home::new()?;
    let server = home.start_in(&[("IMAGEWRIGHT_TEST_PANIC", "1")], INSECURE)?;
    Ok((home, server))
}

fn panic_of(server: &ImageServer, actor: &str) -> Result<()> {
    let answer = server.request("POST", &format!("/debug/panicActor?name={actor}"), "*/*")?;
    anyhow::ensure!(answer.status == 200, "{answer:?}");
    // The actor is gone before it can reply.
    anyhow::ensure!(answer.body.contains(actor), "{answer:?}");
    Ok(())
}

fn restarts(server: &ImageServer, actor: &str) -> Result<u64> {
    let (_, text) = server.page("/metrics")?;
    let start = format!("actor_restarts_total{{actor=\"{actor}\"}} ");
    let value = text.lines().find_map(|line| line.strip_prefix(&start));
    Ok(value.with_context(|| format!("no {start} in {text}"))?.parse()?)
}

/// A request may fail while an actor is being started again, for a moment.
fn until_it_works<T>(mut attempt: impl FnMut() -> Result<T>) -> T {
    let deadline = std::time::Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Ok(value) => return value,
            Err(error) if std::time::Instant::now() > deadline => panic!("it never works again: {error:#}"),
            Err(_) => std::thread::sleep(Duration::from_millis(20)),
        }
    }
}

fn content(name: &str) -> Vec<u8> {
    format!("content of {name}").into_bytes()
}

#[test]
fn each_actor_comes_back_and_what_was_acknowledged_is_there() {
    let (home, server) = start().unwrap();
    for actor in ACTORS {
        assert_eq!(restarts(&server, actor).unwrap(), 0);
    }
    put(&server, "before", &[("file", b"from before")]).unwrap();
    put(&server, "deleted", &[("file", b"from before")]).unwrap();
    delete(&server, "deleted").unwrap();

    let server = Arc::new(server);
    let added = Arc::new(Mutex::new(BTreeSet::new()));
    let errors = Arc::new(Mutex::new(Vec::new()));
    let is_over = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (server, added, errors, is_over) =
                (server.clone(), added.clone(), errors.clone(), is_over.clone());
            std::thread::spawn(move || {
                for round in 0.. {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    let name = format!("{client}-{round}");
                    match put(&server, &name, &[("file", &content(&name))]) {
                        Ok(()) => drop(added.lock().unwrap().insert(name)),
                        Err(error) => errors.lock().unwrap().push(error.to_string()),
                    }
                }
            })
        })
        .collect();
    for round in 1..=PANICS {
        for actor in ACTORS {
            panic_of(&server, actor).unwrap();
            until_it_works(|| {
                let counted = restarts(&server, actor)?;
                anyhow::ensure!(
                    counted == round as u64,
                    "{actor}: {counted} restarts, not {round}"
                );
                Ok(())
            });
            let acknowledged = added.lock().unwrap().len();
            // The clients' next requests work.
            until_it_works(|| {
                anyhow::ensure!(added.lock().unwrap().len() > acknowledged, "nothing was added");
                Ok(())
            });
        }
    }
    is_over.store(true, Ordering::Relaxed);
    for client in clients {
        client.join().unwrap();
    }

    assert_eq!(server.page("/healthz").unwrap().0, 200);
    put(&server, "after", &[("file", b"from after")]).unwrap();
    let added = Arc::into_inner(added).unwrap().into_inner().unwrap();
    for error in errors.lock().unwrap().iter() {
        // In words, not as a connection that ends.
        assert!(
            ACTORS.iter().any(|actor| error.contains(actor)) || error.contains("is not available"),
            "{error}"
        );
    }
    let check = |server: &ImageServer| {
        let present = names(server).unwrap();
        for name in &added {
            assert!(present.contains(name), "{name} was acknowledged and is lost");
            let found = get(server, name).unwrap().unwrap();
            assert_eq!(found.file_system, image(&[("file", &content(name))]).file_system);
            let size = content(name).len() as u64;
            assert_eq!(object_sizes(server, &[hash::of(&content(name))]).unwrap(), [size]);
        }
        assert!(!present.contains(&"deleted".to_owned()));
        let again = add(server, "deleted", image(&[])).unwrap_err().to_string();
        assert_eq!(again, "cannot add previously deleted image: deleted");
    };
    check(&server);
    // On disk as well as in memory.
    Arc::into_inner(server).unwrap().kill().unwrap();
    let server = home.start_in(&[], INSECURE).unwrap();
    check(&server);
    for name in ["before", "after"] {
        assert!(get(&server, name).unwrap().is_some(), "{name}");
    }
}

#[test]
fn an_actor_that_is_away_is_told_by_name_and_reads_go_on() {
    let (_home, server) = start().unwrap();
    put(&server, "image", &[("file", b"content")]).unwrap();
    panic_of(&server, "ObjectStore").unwrap();
    // What needs no actor never stops.
    assert!(get(&server, "image").unwrap().is_some());
    assert_eq!(object_sizes(&server, &[hash::of(b"content")]).unwrap(), [7]);
    panic_of(&server, "ImageIndex").unwrap();
    assert_eq!(names(&server).unwrap(), ["image"]);
    assert!(get(&server, "image").unwrap().is_some());
    until_it_works(|| store(&server, &[b"next"]));
    until_it_works(|| add(&server, "next", image(&[("file", b"next")])));
    let (_, status) = server.page_as("/", "text/html").unwrap();
    assert!(
        status.contains("ImageIndex") && status.contains("panic"),
        "{status}"
    );
    assert!(server.logs("panic", 1), "the log tells of it");
}

#[test]
fn a_scrub_under_way_when_its_actor_panics_comes_to_its_end() {
    let home = Home::new().unwrap();
    let slow = ["-scrubRate=5000", "-scrubInterval=0s"];
    let server = home
        .start_in(&[("IMAGEWRIGHT_TEST_PANIC", "1")], &[INSECURE, &slow].concat())
        .unwrap();
    for number in 0..30_u8 {
        put(&server, &number.to_string(), &[("file", &[number; 1000])]).unwrap();
    }
    let scrub = |bytes_per_second| -> Result<u64> {
        let request = ScrubRequest { bytes_per_second };
        let reply: ScrubResponse = call(server.address(), "ImageServer.Scrub", &request)?;
        Ok(reply.number)
    };
    let status = || {
        call::<_, ScrubStatusResponse>(
            server.address(),
            "ImageServer.ScrubStatus",
            &ScrubStatusRequest {},
        )
    };
    let number = scrub(0).unwrap();
    for round in 1..=PANICS {
        let checked =
            |status: &ScrubStatusResponse| status.running.images_checked + status.running.objects_checked;
        let before = checked(&status().unwrap());
        until_it_works(|| {
            anyhow::ensure!(checked(&status()?) > before, "it does not go on");
            Ok(())
        });
        panic_of(&server, "Scrubber").unwrap();
        // Others go on with their work.
        put(&server, &format!("after{round}"), &[("file", &content("after"))]).unwrap();
        until_it_works(|| {
            anyhow::ensure!(
                restarts(&server, "Scrubber")? == round as u64,
                "it does not come back"
            );
            Ok(())
        });
    }
    assert_eq!(until_it_works(|| scrub(1 << 30)), number, "the same pass");
    until_it_works(|| {
        anyhow::ensure!(status()?.last.number == number, "it does not end");
        Ok(())
    });
    let pass = status().unwrap().last;
    assert!(
        pass.images_checked >= 30 && pass.objects_checked >= 30,
        "{pass:?}"
    );
    assert_eq!((pass.damaged_objects, pass.failure.as_str()), (0, ""), "{pass:?}");
}

#[test]
fn without_the_variable_nobody_can_make_an_actor_panic() {
    let home = Home::new().unwrap();
    let server = home.start_insecure(&[]).unwrap();
    let answer = server
        .request("POST", "/debug/panicActor?name=ImageIndex", "*/*")
        .unwrap();
    assert_eq!(answer.status, 404, "{answer:?}");
    assert_eq!(restarts(&server, "ImageIndex").unwrap(), 0);
}

#[test]
fn each_actor_of_a_replica_comes_back_under_load_and_it_still_converges() {
    let master = Node::start(None, &[]).unwrap();
    let home = Home::new().unwrap();
    let port = format!("-imageServerPortNum={}", master.port);
    let flags = [INSECURE, &["-imageServerHostname=127.0.0.1", &port]].concat();
    let replica = home.start_in(&[("IMAGEWRIGHT_TEST_PANIC", "1")], &flags).unwrap();
    let master = master.server().unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let (is_over, replica) = (&is_over, &replica);
            scope.spawn(move || {
                for round in 0.. {
                    if is_over.load(Ordering::Relaxed) {
                        break;
                    }
                    let name = format!("{client}-{round}");
                    // What is added here is on its way to the master while an actor is away.
                    let server = if client == 0 { replica } else { master };
                    let added = put(server, &name, &[("file", &content(&name))]);
                    if client != 0 {
                        added.unwrap();
                        // Few enough to be looked at one by one.
                        if round % 4 != 0 {
                            delete(server, &name).unwrap();
                        }
                    }
                }
            });
        }
        for round in 1..=PANICS {
            for actor in ACTORS.into_iter().chain(["Replicator"]) {
                panic_of(&replica, actor).unwrap();
                until(&format!("{actor} is back"), || {
                    restarts(&replica, actor).is_ok_and(|counted| counted == round as u64)
                })
                .unwrap();
                let added = figure(&replica, "imageserver_replication_images_added_total");
                until("it goes on", || {
                    figure(&replica, "imageserver_replication_images_added_total") > added
                })
                .unwrap();
            }
        }
        is_over.store(true, Ordering::Relaxed);
    });
    converges(&replica, master).unwrap();
    assert!(replica.logs("Replicator failed; starting it again", PANICS));
    assert_eq!(replica.page("/healthz").unwrap().0, 200);
}
