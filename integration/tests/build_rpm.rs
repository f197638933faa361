//! A stream of an RPM family: bootstrapped by `dnf` on the host, more installed by `dnf` in the image.

// Helpers of tests are tests.
#![allow(clippy::unwrap_used)]

use integration::imaginator::{ADMINISTRATOR, Workplace, lacks_root};
use integration::rpm_repository::RpmRepository;
use serde_json::json;
use std::fs;

#[test]
fn an_rpm_stream_is_bootstrapped_and_packages_are_installed_upgraded_and_listed() {
    const TEST: &str = "an_rpm_stream_is_bootstrapped_and_packages_are_installed_upgraded_and_listed";
    if lacks_root(TEST) {
        return;
    }
    let lacking = RpmRepository::lacking();
    if !lacking.is_empty() {
        return integration::skip(TEST, &format!("it takes {}", lacking.join(", ")));
    }
    let mut place = Workplace::new().unwrap();
    let work = place.path().join("rpm");
    fs::create_dir(&work).unwrap();
    let repository = RpmRepository::make(&work, &["hello", "other"]).unwrap();
    let at = repository.path().display().to_string();
    place
        .configure(|configuration| {
            configuration["BindMounts"] = json!([at]);
            configuration["BootstrapStreams"] = json!({ "bootstrap/rpm": {
                "BindMounts": [at],
                "BootstrapCommand": ["dnf", "--quiet", "--assumeyes", "--disablerepo=*", format!("--repofrompath=test,file://{at}"),
                    "--enablerepo=test", "--nogpgcheck", "--releasever=1", "--setopt=cachedir=/tmp/dnf", "--setopt=logdir=/tmp",
                    "--setopt=persistdir=/tmp/dnf", "--installroot=$dir", "install", "base-system"],
                "FilterLines": ["/var/log/.*", "/var/cache/.*"],
                "PackagerType": "rpm",
            } });
            configuration["PackagerTypes"] = json!({ "rpm": {
                "CleanCommand": ["dnf", "--quiet", "clean", "all"],
                "InstallCommand": ["dnf", "--quiet", "--assumeyes", "install"],
                "ListCommand": { "ArgList": ["rpm", "-qa", "--queryformat", "%{NAME} %{VERSION}-%{RELEASE} %{SIZE}\n"] },
                "RemoveCommand": ["dnf", "--quiet", "--assumeyes", "remove"],
                "UpdateCommand": ["dnf", "--quiet", "makecache"],
                "UpgradeCommand": ["dnf", "--quiet", "--assumeyes", "upgrade"],
            } });
        })
        .unwrap();
    let source = format!("[test]\nname=test\nbaseurl=file://{at}\nenabled=1\ngpgcheck=0\n");
    let files = [
        ("files/etc/yum.repos.d/test.repo", source.as_str()),
        ("files/etc/dnf/vars/releasever", "1\n"),
        ("package-list", "hello\n"),
        ("tests/hello", "#! /bin/sh\ntest -f /usr/share/hello/text\n"),
    ];
    place.add_stream("users/rpm", "bootstrap/rpm", &files).unwrap();
    place
        .add_stream("users/newer", "users/rpm", &[("package-list", "other\n")])
        .unwrap();
    let daemon = place.start(&[]).unwrap();
    let name = place.built(&daemon, "users/rpm").unwrap();
    let packages = |name: &str| {
        let told = place
            .images
            .tool(ADMINISTRATOR)
            .run(&["get-package-list", name])
            .unwrap();
        let mut words: Vec<(String, String)> = Vec::new();
        for line in told.out.lines() {
            let mut fields = line.split_whitespace().map(str::to_owned);
            words.push((fields.next().unwrap(), fields.next().unwrap()));
        }
        words
    };
    let pair = |name: &str, version: &str| (name.to_owned(), version.to_owned());
    assert_eq!(
        packages(&name),
        [pair("base-system", "1-1"), pair("hello", "1-1")]
    );
    repository.publish(&work, "hello", 2).unwrap();
    let name = place.built(&daemon, "users/newer").unwrap();
    assert_eq!(
        packages(&name),
        [
            pair("base-system", "1-1"),
            pair("hello", "2-1"),
            pair("other", "1-1")
        ]
    );
    let target = place.path().join("got");
    place.unpack(&name, &target).unwrap();
    assert_eq!(
        fs::read_to_string(target.join("usr/share/hello/text")).unwrap(),
        "2\n"
    );
}
