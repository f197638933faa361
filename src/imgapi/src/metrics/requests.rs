//! What is counted of requests.

use parking_lot::Mutex;
use repository::configuration::Settings;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

/// Bounds of the histogram in seconds, as the original has them: 1, 2, 4, 6, 8 of each power of ten, then three more.
const BUCKETS: [(f64, &str); 33] = [
    (0.001, "0.001"),
    (0.002, "0.002"),
    (0.004, "0.004"),
    (0.006, "0.006"),
    (0.008, "0.008"),
    (0.01, "0.01"),
    (0.02, "0.02"),
    (0.04, "0.04"),
    (0.06, "0.06"),
    (0.08, "0.08"),
    (0.1, "0.1"),
    (0.2, "0.2"),
    (0.4, "0.4"),
    (0.6, "0.6"),
    (0.8, "0.8"),
    (1.0, "1"),
    (2.0, "2"),
    (4.0, "4"),
    (6.0, "6"),
    (8.0, "8"),
    (10.0, "10"),
    (20.0, "20"),
    (40.0, "40"),
    (60.0, "60"),
    (80.0, "80"),
    (100.0, "100"),
    (200.0, "200"),
    (400.0, "400"),
    (600.0, "600"),
    (800.0, "800"),
    (1000.0, "1000"),
    (2000.0, "2000"),
    (4000.0, "4000"),
];

/// User agents that are told apart, at most: clients choose their names, and each costs memory.
const AGENTS_MOST: usize = 100;

/// Letters of a user agent's name, at most.
const AGENT_LETTERS_MOST: usize = 64;

/// What further ones are counted under.
const OTHER_AGENTS: &str = "other";

/// A request that is over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    /// Lower-case name of the endpoint, or `unknown`.
    pub(crate) route: &'static str,
    /// `GET` and the like.
    pub(crate) method: &'a str,
    /// The whole header.
    pub(crate) user_agent: Option<&'a str>,
    /// Status of the answer.
    pub(crate) status: u16,
    /// From its head to the end of the answer.
    pub(crate) took: Duration,
}

/// The figures.
#[derive(Default)]
pub(crate) struct Requests(Mutex<Table>);

#[derive(Default)]
struct Table {
    /// Places of the agents' names in what follows.
    agents: BTreeMap<Box<str>, usize>,
    figures: BTreeMap<(&'static str, &'static str, u16, usize), Figures>,
}

struct Figures {
    /// Of each bucket by itself; the last one is beyond all.
    counts: [u64; BUCKETS.len() + 1],
    seconds: f64,
}

impl Default for Figures {
    fn default() -> Self {
        Self {
            counts: [0; BUCKETS.len() + 1],
            seconds: 0.0,
        }
    }
}

impl Requests {
    pub(crate) fn count(&self, request: &Request<'_>) {
        let mut table = self.0.lock();
        let agent = table.agent(request.user_agent);
        let key = (request.route, method(request.method), request.status, agent);
        let figures = table.figures.entry(key).or_default();
        let seconds = request.took.as_secs_f64();
        let bucket = BUCKETS.partition_point(|(bound, _)| *bound < seconds);
        figures.counts[bucket] += 1;
        figures.seconds += seconds;
    }

    /// The text, in the form of Prometheus.
    pub(crate) fn text(&self, fixed: &str) -> String {
        let table = self.0.lock();
        let mut counters = String::from(
            "# HELP http_requests_completed count of requests completed\n# TYPE http_requests_completed counter\n",
        );
        let mut histograms = String::from(
            "# HELP http_request_duration_seconds total time to process requests\n# TYPE http_request_duration_seconds histogram\n",
        );
        let names: BTreeMap<usize, &str> = table
            .agents
            .iter()
            .map(|(name, place)| (*place, &**name))
            .collect();
        for ((route, method, status, agent), figures) in &table.figures {
            let agent = names.get(agent).copied().unwrap_or(OTHER_AGENTS);
            let labels = format!(
                "route=\"{route}\",method=\"{method}\",user_agent=\"{}\",status_code=\"{status}\"{fixed}",
                escaped(agent)
            );
            figures.write(&labels, &mut counters, &mut histograms);
        }
        counters + &histograms
    }
}

impl Table {
    fn agent(&mut self, header: Option<&str>) -> usize {
        let first = header.and_then(|header| header.split_whitespace().next());
        let name: String = first
            .unwrap_or("unknown")
            .chars()
            .take(AGENT_LETTERS_MOST)
            .collect();
        if let Some(place) = self.agents.get(&*name) {
            return *place;
        }
        if self.agents.len() == AGENTS_MOST {
            return AGENTS_MOST;
        }
        let place = self.agents.len();
        self.agents.insert(name.into(), place);
        place
    }
}

impl Figures {
    // Writing to a String cannot fail.
    fn write(&self, labels: &str, counters: &mut String, histograms: &mut String) {
        const NAME: &str = "http_request_duration_seconds";
        let total: u64 = self.counts.iter().sum();
        let _ = writeln!(
            counters,
            "http_requests_completed{{{labels},buckets_version=\"1\"}} {total}"
        );
        let mut so_far = 0;
        for ((_, bound), count) in BUCKETS.iter().zip(self.counts) {
            so_far += count;
            let _ = writeln!(
                histograms,
                "{NAME}_bucket{{{labels},buckets_version=\"1\",le=\"{bound}\"}} {so_far}"
            );
        }
        let _ = writeln!(
            histograms,
            "{NAME}_bucket{{{labels},buckets_version=\"1\",le=\"+Inf\"}} {total}\n{NAME}_sum{{{labels},buckets_version=\"1\"}} {}\n{NAME}_count{{{labels},buckets_version=\"1\"}} {total}",
            self.seconds
        );
    }
}

/// Methods of HTTP; a client may make up others.
fn method(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];
    KNOWN
        .into_iter()
        .find(|known| *known == method)
        .unwrap_or("OTHER")
}

/// The labels that are the same for all requests, each with a comma before it.
pub(super) fn fixed_labels(settings: &Settings) -> String {
    let labels = [
        ("datacenter", settings.datacenter.as_deref()),
        ("instance", settings.instance.as_deref()),
        ("server", settings.server.as_deref()),
        ("service", settings.service.as_deref()),
    ];
    let given = labels
        .iter()
        .filter_map(|(name, value)| value.map(|value| (name, value)));
    given
        .map(|(name, value)| format!(",{name}=\"{}\"", escaped(value)))
        .collect()
}

fn escaped(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(agent: &str, milliseconds: u64) -> Request<'_> {
        Request {
            route: "ping",
            method: "GET",
            user_agent: Some(agent),
            status: 200,
            took: Duration::from_millis(milliseconds),
        }
    }

    #[test]
    fn requests_are_counted_by_route_method_agent_and_status() {
        let requests = Requests::default();
        for milliseconds in [1, 3, 5_000_000] {
            requests.count(&request("sdc-clients/9.0 (x)", milliseconds));
        }
        requests.count(&Request {
            user_agent: None,
            method: "BREW",
            ..request("", 1)
        });
        let text = requests.text(",service=\"imgapi\"");
        let labels = "route=\"ping\",method=\"GET\",user_agent=\"sdc-clients/9.0\",status_code=\"200\",service=\"imgapi\",buckets_version=\"1\"";
        let lines = [
            format!("http_requests_completed{{{labels}}} 3"),
            format!("http_request_duration_seconds_bucket{{{labels},le=\"0.001\"}} 1"),
            format!("http_request_duration_seconds_bucket{{{labels},le=\"0.004\"}} 2"),
            format!("http_request_duration_seconds_bucket{{{labels},le=\"4000\"}} 2"),
            format!("http_request_duration_seconds_bucket{{{labels},le=\"+Inf\"}} 3"),
            format!("http_request_duration_seconds_count{{{labels}}} 3"),
        ];
        for line in lines {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        assert!(text.contains("method=\"OTHER\",user_agent=\"unknown\""), "{text}");
    }

    #[test]
    fn names_that_clients_make_up_take_bounded_memory() {
        let requests = Requests::default();
        for number in 0..1000 {
            requests.count(&request(&format!("agent{number}\"{}", "x".repeat(1000)), 1));
        }
        let text = requests.text("");
        let counters = text
            .lines()
            .filter(|line| line.starts_with("http_requests_completed"));
        assert_eq!(counters.clone().count(), AGENTS_MOST + 1);
        assert!(counters.clone().any(|line| line.ends_with(" 900")), "{text}");
        assert!(counters.clone().all(|line| line.len() < 250));
        assert!(text.contains("agent7\\\"x"));
    }
}
