//! The figures of the transport as paths below `/srpc` (`srpc.md §14`).

use std::sync::Arc;

use srpc::client::statistics::ClientStatistics;
use srpc::server::statistics::{DistributionSnapshot, MethodSnapshot};

use crate::metrics::{Bucket, Distribution, Metrics, Sample, Unit};

/// Registers `/srpc/server/...` and `/srpc/client/...`.
pub(super) fn register(metrics: &Metrics, server: &Arc<srpc::Server>) {
    let server = Arc::downgrade(server);
    metrics.register_tree(move || {
        server
            .upgrade()
            .map(|server| samples(&server))
            .unwrap_or_default()
    });
}

fn samples(server: &srpc::Server) -> Vec<Sample> {
    let now = server.statistics();
    let count = |path: &str, about: &'static str, value: u64| Sample::new(path, about, Unit::None, value);
    let mut samples = vec![
        count(
            "/srpc/server/num-connections",
            "number of connections",
            now.connections,
        ),
        count(
            "/srpc/server/num-open-connections",
            "number of open connections",
            now.open_connections,
        ),
        count(
            "/srpc/server/num-open-raw-connections",
            "number of running raw calls",
            now.open_raw_connections,
        ),
        count(
            "/srpc/server/num-rejected-connections",
            "number of rejected connections",
            now.rejected_connections,
        ),
        count(
            "/srpc/server/num-running-methods",
            "number of running methods",
            now.running_methods,
        ),
        count(
            "/srpc/server/num-panics",
            "number of panics in methods",
            now.panics,
        ),
    ];
    if let Some(times) = now.certificates {
        let mut time = |name: &str, about: &'static str, value| {
            samples.push(Sample::new(
                format!("/srpc/server/{name}"),
                about,
                Unit::None,
                value,
            ));
        };
        time(
            "earliest-certificate-expiration",
            "when the certificate expires",
            times.earliest_expiration,
        );
        time(
            "earliest-expiring-certificate-activation",
            "since when it is valid",
            times.earliest_expiring_activation,
        );
        if let Some(expiration) = times.earliest_ca_expiration {
            time("earliest-ca-expiration", "when the first CA expires", expiration);
        }
    }
    for method in &now.methods {
        samples.extend(of_method(method));
    }
    let client = srpc::client::statistics::client_statistics();
    samples.push(count(
        "/srpc/client/num-open-connections",
        "number of open connections",
        client.open_connections,
    ));
    samples.push(count(
        "/srpc/client/num-open-calls",
        "number of open calls",
        client.open_calls,
    ));
    samples.push(count(
        "/srpc/client/num-in-use-connections",
        "number of connections in use",
        client.open_calls,
    ));
    samples.extend(of_pool(client));
    samples
}

/// Under the names of the original's pool. Connections here are kept by whoever made them: one is in use while a call is on it, and
/// what bounds them all is how many files the process may open.
fn of_pool(client: ClientStatistics) -> [Sample; 4] {
    let count = |name: &str, about: &'static str, value: u64| {
        Sample::new(
            format!("/resourcepool/connections/{name}"),
            about,
            Unit::None,
            value,
        )
    };
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    [
        count("maximum", "maximum connections", files.unwrap_or(u64::MAX)),
        count("num-in-use", "number of connections in use", client.open_calls),
        count(
            "num-unused",
            "number of open connections without a call",
            client.open_connections.saturating_sub(client.open_calls),
        ),
        count("num-releasing", "number of connections being released", 0),
    ]
}

fn of_method(method: &MethodSnapshot) -> Vec<Sample> {
    let path = method.name.trim_start_matches('.').replace('.', "/");
    let named = |name: &str| format!("/srpc/server/{path}/{name}");
    let count =
        |name: &str, about: &'static str, value: u64| Sample::new(named(name), about, Unit::None, value);
    let spread = |name: &str, about: &'static str, value: &DistributionSnapshot| Sample {
        path: named(name),
        description: about.into(),
        unit: Unit::Milliseconds,
        value: crate::metrics::Value::Distribution(distribution(value)),
    };
    let mut samples = vec![
        count(
            "num-denied-calls",
            "number of denied calls to method",
            method.denied_calls,
        ),
        count(
            "num-permitted-calls",
            "number of permitted calls to method",
            method.permitted_calls,
        ),
        count(
            "num-running-calls",
            "number of running calls to method",
            method.running_calls,
        ),
        spread(
            "successful-call-durations",
            "duration of successful calls",
            &method.successful_call_durations,
        ),
        spread(
            "failed-call-durations",
            "duration of failed calls",
            &method.failed_call_durations,
        ),
    ];
    if method.is_request_reply {
        samples.push(spread(
            "successful-request-reply-call-durations",
            "duration of successful request-reply calls",
            &method.successful_request_reply_call_durations,
        ));
        samples.push(spread(
            "failed-request-reply-call-durations",
            "duration of failed request-reply calls",
            &method.failed_request_reply_call_durations,
        ));
    }
    samples
}

/// The transport keeps no minimum: the lower end of the first bucket that holds something stands for it.
fn distribution(snapshot: &DistributionSnapshot) -> Distribution {
    let finite = |bound: f64| bound.is_finite().then_some(bound);
    let buckets: Vec<Bucket> = snapshot
        .buckets
        .iter()
        .map(|bucket| Bucket {
            lower: finite(bucket.from_ms),
            upper: finite(bucket.to_ms),
            count: bucket.count,
        })
        .collect();
    let max = snapshot.max.as_secs_f64() * 1e3;
    let min = buckets
        .iter()
        .find(|bucket| bucket.count > 0)
        .and_then(|bucket| bucket.lower)
        .unwrap_or(0.0);
    Distribution {
        min,
        max,
        median: median(&buckets, snapshot.count, max),
        sum: snapshot.sum.as_secs_f64() * 1e3,
        count: snapshot.count,
        buckets,
    }
}

/// The middle of the bucket the median falls into.
fn median(buckets: &[Bucket], count: u64, max: f64) -> f64 {
    let mut before = 0;
    for bucket in buckets {
        before += bucket.count;
        if bucket.count > 0 && before * 2 >= count {
            let lower = bucket.lower.unwrap_or(0.0);
            return (lower + bucket.upper.unwrap_or(max).min(max.max(lower))) / 2.0;
        }
    }
    0.0
}
