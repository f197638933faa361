//! Triggers: what to restart when files change (imagetool.md §5.2).

use std::collections::{BTreeMap, BTreeSet};

use crate::filter::{Expression, FilterError};
use crate::{Trigger, Triggers, go_json};

/// Why triggers are refused.
#[derive(Debug, thiserror::Error)]
pub enum TriggersError {
    /// The file is not the JSON it should be.
    #[error("error decoding triggers {}", go_json::error_text(.0))]
    Decode(#[source] serde_json::Error),
    /// An expression is none.
    #[error("trigger for service: {service}: {cause}")]
    Expression {
        /// The service.
        service: String,
        /// What is wrong.
        #[source]
        cause: FilterError,
    },
}

/// Reads triggers from a JSON list; comment lines are allowed and names match regardless of case. Expressions are looked
/// at only by those who match with them ([`CompiledTriggers::new`]): existing files may hold bad ones.
///
/// # Errors
/// The text is no such list.
pub fn parse(text: &[u8]) -> Result<Triggers, TriggersError> {
    let triggers = go_json::from_slice(&go_json::without_comments(text)).map_err(TriggersError::Decode)?;
    Ok(Triggers { triggers })
}

/// Merges triggers: those with the same service and the same choice of reload or restart become one, its expressions
/// sorted, its flags those of any; its sort name is lost. Sorted by service, reload first. Nothing gives `None`.
pub fn merge<'a>(sets: impl IntoIterator<Item = &'a Triggers>) -> Option<Triggers> {
    #[derive(Default)]
    struct Merged<'a> {
        match_lines: BTreeSet<&'a str>,
        do_reboot: bool,
        high_impact: bool,
    }

    // `false` sorts before `true`, and a reload goes first.
    let mut merged: BTreeMap<(&str, bool), Merged<'_>> = BTreeMap::new();
    for trigger in sets.into_iter().flat_map(|set| &set.triggers) {
        let into = merged.entry((&trigger.service, !trigger.do_reload)).or_default();
        into.match_lines
            .extend(trigger.match_lines.iter().map(String::as_str));
        into.do_reboot |= trigger.do_reboot;
        into.high_impact |= trigger.high_impact;
    }
    if merged.is_empty() {
        return None;
    }
    let triggers = merged.into_iter().map(|((service, restart), from)| Trigger {
        match_lines: from.match_lines.into_iter().map(str::to_owned).collect(),
        service: service.to_owned(),
        sort_name: String::new(),
        do_reboot: from.do_reboot,
        do_reload: !restart,
        high_impact: from.high_impact,
    });
    Some(Triggers {
        triggers: triggers.collect(),
    })
}

/// Triggers ready to match paths.
#[derive(Clone, Debug)]
pub struct CompiledTriggers {
    triggers: Vec<(Trigger, Vec<Expression>)>,
}

impl CompiledTriggers {
    /// Compiles the expressions of all triggers.
    ///
    /// # Errors
    /// The first expression that is none.
    pub fn new(triggers: &Triggers) -> Result<Self, TriggersError> {
        let compile = |trigger: &Trigger| {
            let expressions = trigger
                .match_lines
                .iter()
                .map(|line| Expression::new(line))
                .collect::<Result<_, _>>();
            let service = &trigger.service;
            let expressions = expressions.map_err(|cause| TriggersError::Expression {
                service: service.clone(),
                cause,
            })?;
            Ok((trigger.clone(), expressions))
        };
        let triggers = triggers.triggers.iter().map(compile).collect::<Result<_, _>>()?;
        Ok(Self { triggers })
    }

    /// The triggers that concern any of the paths, sorted by service, reload first.
    pub fn matching<P: AsRef<[u8]>>(&self, paths: impl IntoIterator<Item = P>) -> Vec<Trigger> {
        let mut waiting: Vec<&(Trigger, Vec<Expression>)> = self.triggers.iter().collect();
        let mut matched: Vec<&Trigger> = Vec::new();
        for path in paths {
            if waiting.is_empty() {
                break;
            }
            waiting.retain(|(trigger, expressions)| {
                let hit = expressions
                    .iter()
                    .any(|expression| expression.matches(path.as_ref()));
                if hit {
                    matched.push(trigger);
                }
                !hit
            });
        }
        matched.sort_by_key(|trigger| (&trigger.service, !trigger.do_reload));
        matched.into_iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDED: &[u8] = include_bytes!("../tests/data/triggers1");

    fn services(triggers: &[Trigger]) -> Vec<&str> {
        triggers.iter().map(|trigger| trigger.service.as_str()).collect()
    }

    #[test]
    fn a_recorded_file_merged_with_itself_is_as_recorded() {
        let triggers = parse(RECORDED).unwrap();
        let merged = merge([&triggers, &triggers]).unwrap();
        let text = String::from_utf8(go_json::to_pretty(&merged.triggers).unwrap()).unwrap();
        assert_eq!(text, include_str!("../tests/data/086-merge-triggers.out"));
    }

    #[test]
    fn a_recorded_file_matches_as_recorded() {
        let triggers = CompiledTriggers::new(&parse(RECORDED).unwrap()).unwrap();
        let paths = [
            "/",
            "/usr/lib/data100k",
            "/etc/ssh/sshd_config",
            "/etc/init.d/cron",
        ];
        let text = go_json::to_pretty(&triggers.matching(paths)).unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            include_str!("../tests/data/084-match-triggers.out")
        );
        assert!(triggers.matching(["/bin/sh"]).is_empty());
    }

    #[test]
    fn reload_and_restart_of_one_service_stay_apart_and_flags_are_joined() {
        let text = br#"
            // comments are allowed
            [{"matchLines": ["/b", "/a"], "service": "s", "SortName": "x"},
             {"MatchLines": ["/c"], "Service": "s", "DoReload": true},
             # here, too
             {"MatchLines": ["/a", "/d"], "Service": "s", "HighImpact": true, "DoReboot": true}]"#;
        let merged = merge([&parse(text).unwrap()]).unwrap().triggers;
        assert_eq!(services(&merged), ["s", "s"]);
        assert!(merged[0].do_reload && !merged[1].do_reload);
        assert_eq!(merged[1].match_lines, ["/a", "/b", "/d"]);
        assert!(merged[1].high_impact && merged[1].do_reboot && merged[1].sort_name.is_empty());
    }

    #[test]
    fn nothing_merged_is_nothing() {
        assert_eq!(merge([&Triggers::default()]), None);
    }

    #[test]
    fn what_is_no_list_of_triggers_is_refused() {
        assert!(
            parse(b"{")
                .unwrap_err()
                .to_string()
                .starts_with("error decoding triggers ")
        );
        let bad = parse(br#"[{"MatchLines": ["("], "Service": "s"}]"#).unwrap();
        assert!(CompiledTriggers::new(&bad).is_err());
    }
}
