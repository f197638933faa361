//! In which order the streams of a cycle are built.

use std::collections::{BTreeMap, BTreeSet};

/// Each stream, in the order given, with those that have to be built before it. A stream whose source is known comes after the next of
/// its sources that is in the cycle; one whose source is not known comes after all before it, as in the file. Bootstrap
/// streams have no source. Rings are broken at the first stream in the order.
pub(in super::super) fn plan(
    streams: &[String],
    bootstrap: &BTreeSet<String>,
    sources: &BTreeMap<String, String>,
) -> Vec<(String, Vec<String>)> {
    let all: BTreeSet<&str> = streams.iter().map(String::as_str).collect();
    let after = |(index, stream): (usize, &String)| {
        if bootstrap.contains(stream) {
            return Vec::new();
        }
        if !sources.contains_key(stream) {
            return streams[..index].to_vec();
        }
        source_within(stream, &all, sources).into_iter().collect()
    };
    let afters = streams.iter().enumerate().map(after);
    let mut planned: Vec<(String, Vec<String>)> = streams.iter().cloned().zip(afters).collect();
    break_rings(&mut planned);
    planned
}

/// The next source, source of the source, and so on, that is in the cycle.
fn source_within(stream: &str, all: &BTreeSet<&str>, sources: &BTreeMap<String, String>) -> Option<String> {
    let mut seen = BTreeSet::from([stream]);
    let mut at = stream;
    loop {
        at = sources.get(at)?;
        if !seen.insert(at) {
            return None;
        }
        if all.contains(at) {
            return Some(at.to_owned());
        }
    }
}

fn break_rings(planned: &mut [(String, Vec<String>)]) {
    let mut done: BTreeSet<String> = BTreeSet::new();
    while done.len() < planned.len() {
        let before = done.len();
        for (stream, after) in planned.iter() {
            if after.iter().all(|other| done.contains(other)) {
                done.insert(stream.clone());
            }
        }
        if done.len() > before {
            continue;
        }
        let stuck = planned.iter_mut().find(|(stream, _)| !done.contains(stream));
        match stuck {
            Some((_, after)) => after.retain(|other| done.contains(other)),
            // Only if a name is there twice, which the configuration does not do.
            None => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn sources(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        let owned = |(stream, source): &(&str, &str)| ((*stream).to_owned(), (*source).to_owned());
        pairs.iter().map(owned).collect()
    }

    fn planned(streams: &[&str], bootstrap: &[&str], pairs: &[(&str, &str)]) -> Vec<(String, Vec<String>)> {
        let bootstrap = names(bootstrap).into_iter().collect();
        plan(&names(streams), &bootstrap, &sources(pairs))
    }

    #[test]
    fn who_is_built_on_another_comes_after_it_also_with_streams_between_that_are_not_rebuilt() {
        let plan = planned(
            &["boot", "app", "base"],
            &["boot"],
            &[("app", "middle"), ("middle", "base"), ("base", "boot")],
        );
        let expected = [("boot", vec![]), ("app", vec!["base"]), ("base", vec!["boot"])];
        let expected = expected.map(|(stream, after)| (stream.to_owned(), names(&after)));
        assert_eq!(plan, expected);
    }

    #[test]
    fn without_a_graph_the_order_of_the_file_holds() {
        let plan = planned(&["boot", "a", "b"], &["boot"], &[]);
        assert_eq!(plan[1].1, names(&["boot"]));
        assert_eq!(plan[2].1, names(&["boot", "a"]));
    }

    proptest! {
        #[test]
        fn whatever_rings_there_are_every_stream_gets_its_turn(
            sources in proptest::collection::btree_map("[a-f]", "[a-f]", 0..6),
            bootstrap in proptest::collection::btree_set("[a-f]", 0..3),
        ) {
            let streams = names(&["c", "a", "f", "b", "e", "d"]);
            let plan = plan(&streams, &bootstrap, &sources);
            let mut done = BTreeSet::new();
            for _ in 0..streams.len() {
                for (stream, after) in &plan {
                    if after.iter().all(|other| done.contains(other)) {
                        done.insert(stream.clone());
                    }
                }
            }
            prop_assert_eq!(done.len(), streams.len());
        }
    }
}
