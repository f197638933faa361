//! Passwords and other secrets of what is fetched from git: where they go, and where not.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::git_place::{Repository, SECRET, fetched, left_behind};
use crate::tree::Place;

/// A server that wants to know who asks, and says nothing more to who told it. Gives what it was told, when it was.
fn server_that_stalls() -> (u16, std::sync::mpsc::Receiver<(String, std::net::TcpStream)>) {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (told, of_whom) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            let told = told.clone();
            std::thread::spawn(move || {
                let mut lines = BufReader::new(connection.try_clone().unwrap()).lines();
                let mut login = None;
                while let Some(Ok(line)) = lines.next() {
                    if let Some(is) = line.strip_prefix("Authorization: Basic ") {
                        login = Some(is.to_owned());
                    }
                    match login.take() {
                        Some(login) if line.is_empty() => {
                            let _ = told.send((login, connection.try_clone().unwrap()));
                        }
                        None if line.is_empty() => {
                            let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"git\"\r\n\
                                           Content-Length: 0\r\n\r\n";
                            (&connection).write_all(refusal.as_bytes()).unwrap();
                        }
                        of_this_request => login = of_this_request,
                    }
                }
            });
        }
    });
    (port, of_whom)
}

/// Every file below that has the text in it.
fn shown_by_files(directory: &Path, text: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.symlink_metadata() {
            Ok(data) if data.is_dir() => found.extend(shown_by_files(&path, text)),
            Ok(data) if data.is_file() => {
                let content = fs::read(&path).unwrap_or_default();
                if content.windows(text.len()).any(|part| part == text.as_bytes()) {
                    found.push(path);
                }
            }
            _ => {}
        }
    }
    found
}

#[test]
fn a_password_goes_to_its_server_and_into_no_argument_and_no_file() {
    use std::os::unix::fs::PermissionsExt;
    // Of this test alone: others fetch at the same time.
    const OWN: &str = "only-here%20with spaces%25";
    let place = Place::without_tree();
    let (port, of_whom) = server_that_stalls();
    let url = format!("http://someone:{OWN}@127.0.0.1:{port}/x.git");
    std::thread::scope(|scope| {
        let fetching = scope.spawn(|| fetched(&place, &url, "", ""));
        let (login, connection) = of_whom.recv_timeout(Duration::from_secs(60)).unwrap();
        // someone:only-here with spaces%
        assert_eq!(login, "c29tZW9uZTpvbmx5LWhlcmUgd2l0aCBzcGFjZXMl");
        let mut of_git = 0;
        for process in fs::read_dir("/proc").unwrap().flatten() {
            let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
            let line = String::from_utf8_lossy(&line);
            of_git += usize::from(line.contains(&format!("127.0.0.1:{port}/x.git")));
            assert!(!line.contains("only-here"), "{line}");
        }
        assert!(of_git > 0, "git was not looked at");
        assert_eq!(shown_by_files(place.path(), "only-here"), Vec::<PathBuf>::new());
        let own = place.path().join(&left_behind(&place)[0]);
        let mode = own.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700, "others look into {}", own.display());
        // It tries once more, and is told to go.
        connection.shutdown(std::net::Shutdown::Both).unwrap();
        while !fetching.is_finished() {
            if let Ok((_, connection)) = of_whom.recv_timeout(Duration::from_millis(100)) {
                connection.shutdown(std::net::Shutdown::Both).unwrap();
            }
        }
        let error = fetching.join().unwrap().unwrap_err().to_string();
        assert!(!error.contains("only-here"), "{error}");
    });
    assert!(!place.log().contains("only-here"), "{}", place.log());
    assert!(left_behind(&place).is_empty());
}

#[test]
fn a_repository_that_cannot_be_reached_is_an_error_and_its_password_is_said_nowhere() {
    let place = Place::without_tree();
    // Nobody listens there: what is bound and not listened at refuses.
    let listener = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::STREAM,
        None,
    )
    .unwrap();
    let address = std::net::SocketAddrV4::new(std::net::Ipv4Addr::LOCALHOST, 0);
    rustix::net::bind(&listener, &address).unwrap();
    let bound: std::net::SocketAddr = rustix::net::getsockname(&listener).unwrap().try_into().unwrap();
    for url in [
        format!("http://someone:$PASSWORD@{bound}/x.git"),
        format!("http://someone:literal-password@{bound}/x.git"),
    ] {
        let error = fetched(&place, &url, "", "").unwrap_err().to_string();
        assert!(
            error.starts_with("error running: git ls-remote: exit status 128: fatal: "),
            "{error}"
        );
        for text in [error, place.log()] {
            assert!(
                !text.contains(SECRET) && !text.contains("literal-password"),
                "{text}"
            );
        }
    }
    assert!(
        place
            .log()
            .contains("Cloning repository: http://someone:$PASSWORD@")
    );
    assert!(left_behind(&place).is_empty());
}

#[test]
fn what_git_says_has_no_secret_in_it() {
    let place = Place::without_tree();
    // git itself takes out the password of a URL, but nothing of a path.
    let error = fetched(&place, "file:///nowhere/$PASSWORD/x.git", "", "").unwrap_err();
    for text in [error.to_string(), place.log()] {
        assert!(
            text.contains("fatal: '/nowhere/***/x.git' does not appear to be a git repository"),
            "{text}"
        );
        assert!(!text.contains(SECRET), "{text}");
    }
}

#[test]
fn a_secret_in_the_manifest_directory_is_said_nowhere() {
    let place = Place::without_tree();
    let repository = Repository::new(&place, "master");
    for url in [repository.url(), format!("dir://{}", repository.path.display())] {
        for directory in ["$PASSWORD", "../$PASSWORD"] {
            let error = fetched(&place, &url, directory, "").unwrap_err().to_string();
            assert!(!error.contains(SECRET), "{error}");
        }
    }
    assert!(!place.log().contains(SECRET), "{}", place.log());
}
