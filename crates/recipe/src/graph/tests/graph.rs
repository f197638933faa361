//! The promises of the graph.

use super::*;

fn relations(pairs: &[(&str, &str)]) -> Relations {
    Relations {
        sources: pairs
            .iter()
            .map(|(stream, source)| ((*stream).to_owned(), (*source).to_owned()))
            .collect(),
        ..Relations::default()
    }
}

fn set<C: FromIterator<String>>(names: &[&str]) -> C {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// Two bootstrap streams, what is built from them, a source by pattern and one nobody can build.
fn example() -> Relations {
    Relations {
        bootstrap: set(&["base/debian", "base/centos"]),
        pattern_sources: set(&["users/fred/base"]),
        unbuildable_sources: set(&["gone"]),
        auto_rebuilt: set(&["web/front", "base/debian"]),
        ..relations(&[
            ("web/front", "web"),
            ("web", "base/debian"),
            ("webby", "base/debian"),
            ("fred", "users/fred/base"),
            ("lost", "gone"),
        ])
    }
}

fn list(patterns: &[&str]) -> Vec<String> {
    set(patterns)
}

#[test]
fn the_dot_text_is_that_of_the_original() {
    let expected = r#"digraph all {
  "fred" -> "users/fred/base"
  "lost" -> "gone"
  "web" -> "base/debian"
  "web/front" -> "web"
  "webby" -> "base/debian"
  "users/fred/base" [fontcolor=grey]
  "gone" [fontcolor=red]
  "web/front" [style=bold]
  "base/debian" [style=bold]
}
"#;
    assert_eq!(example().dot(), expected);
    assert_eq!(Relations::default().dot(), "digraph all {\n}\n");
}

#[test]
fn no_name_leaves_its_quotation_marks_in_dot() {
    let dot = relations(&[("a\"b\\\" -> \"c\nd", "e\\")]).dot();
    assert_eq!(
        dot,
        "digraph all {\n  \"a\\\"b\\\\\\\" -> \\\"c\u{fffd}d\" -> \"e\\\\\"\n}\n"
    );
}

#[test]
fn excluding_a_stream_excludes_all_that_is_built_from_it() {
    let left = example().filtered(&list(&["web"]), &[]);
    let streams: Vec<&String> = left.sources.keys().collect();
    assert_eq!(
        streams,
        ["fred", "lost", "webby"],
        "web and what is below it, but not webby"
    );
    assert_eq!(left.auto_rebuilt, ["base/debian"]);
    let left = example().filtered(&list(&["base", "gone"]), &[]);
    assert_eq!(left.sources.keys().collect::<Vec<_>>(), ["fred"]);
    assert!(left.unbuildable_sources.is_empty() && left.auto_rebuilt.is_empty() && left.bootstrap.is_empty());
}

#[test]
fn including_keeps_sources_and_what_is_built_and_excluding_wins() {
    let left = example().filtered(&[], &list(&["web/front"]));
    assert_eq!(left.sources.keys().collect::<Vec<_>>(), ["web", "web/front"]);
    assert_eq!(left.auto_rebuilt, ["web/front", "base/debian"]);
    assert_eq!(left.bootstrap, set(&["base/debian"]));
    assert!(left.pattern_sources.is_empty());
    let left = example().filtered(&list(&["web/front"]), &list(&["base/debian"]));
    assert_eq!(left.sources.keys().collect::<Vec<_>>(), ["web", "webby"]);
    assert_eq!(example().filtered(&[], &list(&["nothing"])), Relations::default());
}

#[test]
fn every_stream_stands_right_of_its_source_and_no_two_at_one_place() {
    let layout = Layout::of(&example());
    let names: Vec<&str> = layout.places.iter().map(|place| place.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "base/centos",
            "base/debian",
            "web",
            "web/front",
            "webby",
            "gone",
            "lost",
            "users/fred/base",
            "fred"
        ]
    );
    let at: Vec<(usize, usize)> = layout
        .places
        .iter()
        .map(|place| (place.layer, place.row))
        .collect();
    assert_eq!(
        at,
        [
            (0, 0),
            (0, 1),
            (1, 1),
            (2, 1),
            (1, 2),
            (0, 3),
            (1, 3),
            (0, 4),
            (1, 4)
        ]
    );
    assert_eq!((layout.layers, layout.rows), (3, 5));
    check(&layout);
}

/// What holds for every layout: no two at one place, lines go one layer to the right and never cross.
fn check(layout: &Layout) {
    let mut taken = std::collections::HashSet::new();
    // For each gap between layers: which rows the lines down it cover, and whose they are.
    let mut covered = std::collections::HashMap::new();
    for (index, place) in layout.places.iter().enumerate() {
        assert!(
            taken.insert((place.layer, place.row)),
            "{} has no place of its own",
            place.name
        );
        assert!(place.layer < layout.layers && place.row < layout.rows);
        let Some(source) = place.source else { continue };
        assert!(source < index);
        assert_eq!(layout.places[source].layer + 1, place.layer);
        let (from, to) = (layout.places[source].row, place.row);
        assert!(from <= to);
        let lines: &mut Vec<(usize, usize, usize)> = covered.entry(place.layer).or_default();
        lines.push((source, from, to));
    }
    for lines in covered.values() {
        for (one, from, to) in lines {
            let crosses = lines
                .iter()
                .any(|(other, start, end)| one != other && start <= to && from <= end);
            assert!(!crosses, "lines cross");
        }
    }
}

#[test]
fn rings_are_opened_where_the_first_name_is_and_shown() {
    let ring = relations(&[
        ("b", "c"),
        ("c", "a"),
        ("a", "b"),
        ("self", "self"),
        ("leaf", "b"),
    ]);
    let layout = Layout::of(&ring);
    check(&layout);
    let a = layout.places.iter().find(|place| place.name == "a").unwrap();
    assert_eq!((a.layer, a.source), (0, None));
    assert_eq!(layout.places[a.ring.unwrap()].name, "b");
    assert_eq!(
        layout.places.iter().filter(|place| place.ring.is_some()).count(),
        2
    );
    assert_eq!(layout.places.len(), 5);
    let text = layout.text(|_| String::new());
    assert!(
        text.contains("a (built from b, which makes a ring)\n  c\n    b\n      leaf\n"),
        "{text}"
    );
    assert_eq!(svg(&layout, |_| Look::default()).matches("line ring").count(), 2);
    let left = ring.filtered(&list(&["b"]), &[]);
    assert_eq!(left.sources.keys().collect::<Vec<_>>(), ["self"]);
    assert_eq!(ring.filtered(&[], &list(&["leaf"])).sources.len(), 4);
}

#[test]
fn thousands_of_streams_in_chains_rings_and_crowds_are_placed() {
    let name = |number: usize| format!("s{number:05}");
    let mut pairs: Vec<(String, String)> = (0..6_000)
        .map(|number| (name(number), name(number + 1)))
        .collect();
    pairs.extend((10_000..16_000).map(|number| (name(number), name(10_000 + (number + 1) % 6_000))));
    pairs.extend((20_000..26_000).map(|number| (name(number), name(6_000))));
    let relations = Relations {
        sources: pairs.into_iter().collect(),
        ..Relations::default()
    };
    let layout = Layout::of(&relations);
    assert_eq!(layout.places.len(), 18_001);
    assert_eq!(layout.layers, 6_001);
    let picture = svg(&layout, |_| Look::default());
    assert!(picture.len() < layout.places.len() * 800, "{}", picture.len());
    assert!(layout.text(|_| String::new()).len() < layout.places.len() * 120);
}

#[test]
fn the_same_relations_give_the_same_picture_and_text() {
    let look = |place: &Place| Look {
        state: if place.name.contains("web") {
            State::Failed
        } else {
            State::Good
        },
        link: format!("/stream?{}", place.name),
    };
    let (one, other) = (Layout::of(&example()), Layout::of(&example()));
    assert_eq!(svg(&one, look), svg(&other, look));
    assert_eq!(
        one.text(|name| if name == "web" {
            "failed".to_owned()
        } else {
            String::new()
        }),
        "base/centos (bootstrap)\nbase/debian (bootstrap, rebuilt by itself)\n  web (failed)\n    web/front (rebuilt by itself)\n  webby\n\
         gone (nothing can build it)\n  lost\nusers/fred/base (pattern)\n  fred\n"
    );
}

#[test]
fn every_state_has_a_shape_of_its_own() {
    let shapes: std::collections::HashSet<String> = State::ALL
        .iter()
        .map(|state| {
            let layout = Layout::of(&relations(&[("a", "b")]));
            let picture = svg(&layout, |_| Look {
                state: *state,
                link: String::new(),
            });
            // Without its class, which gives the colour.
            picture
                .split("</style>")
                .nth(1)
                .unwrap()
                .replace(state.class(), "")
                .replace(state.text(), "")
        })
        .collect();
    assert_eq!(shapes.len(), State::ALL.len());
}

#[test]
fn hostile_names_are_text_in_the_picture() {
    let hostile = "\"'><script>alert(1)</script>&amp;\u{0}\u{7}\u{ffff}";
    let layout = Layout::of(&relations(&[(hostile, "x\n(good)\ny")]));
    let picture = svg(&layout, |place| Look {
        state: State::Good,
        link: format!("/x?{}", place.name),
    });
    assert!(
        !picture.contains("<script") && picture.contains("&lt;script&gt;"),
        "{picture}"
    );
    assert!(!picture.contains(['\u{0}', '\u{7}', '\u{ffff}']));
    assert_eq!(
        layout.text(|_| String::new()).lines().count(),
        2,
        "a line each, whatever the names are"
    );
}

#[test]
fn a_long_name_keeps_its_start_and_end_and_is_whole_in_the_title() {
    let long = format!("start/{}/the-end", "x".repeat(200));
    let picture = svg(&Layout::of(&relations(&[(&long, "b")])), |_| Look::default());
    assert!(picture.contains(&format!("<title>{long}: user")));
    assert!(picture.contains("start/xxxxxx…") && picture.contains("/the-end</text>"));
}
