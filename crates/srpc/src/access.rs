//! May this caller make this call? (srpc.md §7.3)

use std::collections::BTreeSet;

use crate::call::Caller;
use crate::method::Access;
use crate::registry::Granter;

/// Users and groups that may call everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    /// User names.
    pub users: BTreeSet<String>,
    /// Group names.
    pub groups: BTreeSet<String>,
}

impl Trusted {
    /// Whether a caller is one of them.
    pub fn includes(&self, caller: &Caller) -> bool {
        caller.is_authenticated()
            && (self.users.contains(&caller.username)
                || caller.groups.iter().any(|group| self.groups.contains(group)))
    }
}

/// A call that wants permission.
pub(crate) struct Wanted<'a> {
    pub(crate) caller: &'a Caller,
    /// The connection did not ask to do without its powers.
    pub(crate) powers_allowed: bool,
    pub(crate) method: &'a str,
    pub(crate) full_name: &'a str,
    pub(crate) access: Access,
    pub(crate) granter: Option<&'a Granter>,
}

/// A permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Permitted {
    pub(crate) have_method_access: bool,
}

/// First match wins; `None` is `access to method denied`. `trusted` are the configured users and groups and the owners of the
/// machine.
pub(crate) fn decide(wanted: &Wanted<'_>, trusted: &[&Trusted]) -> Option<Permitted> {
    let caller = wanted.caller;
    if wanted.powers_allowed {
        let has_powers = caller.insecure
            || caller.powers.permit(wanted.full_name)
            || trusted.iter().any(|trusted| trusted.includes(caller))
            || wanted
                .granter
                .is_some_and(|granter| granter(caller, wanted.method));
        if has_powers {
            return Some(Permitted {
                have_method_access: true,
            });
        }
    }
    let open = wanted.access.unauthenticated || (wanted.access.public && caller.is_authenticated());
    open.then_some(Permitted {
        have_method_access: false,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::powers::Powers;

    fn caller(username: &str, groups: &[&str], methods: &[&str]) -> Caller {
        Caller {
            username: username.into(),
            groups: groups.iter().map(|group| (*group).into()).collect(),
            powers: Powers::new(methods),
            insecure: false,
        }
    }

    fn wanted(caller: &Caller, access: Access) -> Wanted<'_> {
        Wanted {
            caller,
            powers_allowed: true,
            method: "Get",
            full_name: "S.Get",
            access,
            granter: None,
        }
    }

    fn verdict(wanted: &Wanted<'_>) -> Option<bool> {
        let trusted = Trusted {
            users: ["root".into()].into(),
            groups: ["admins".into()].into(),
        };
        decide(wanted, &[&Trusted::default(), &trusted]).map(|permitted| permitted.have_method_access)
    }

    #[test]
    fn each_rule_grants_what_it_should() {
        let everybody = caller("", &[], &[]);
        let user = caller("u", &["g"], &["S.Other"]);
        assert_eq!(verdict(&wanted(&everybody, Access::POWERS)), None);
        assert_eq!(verdict(&wanted(&everybody, Access::PUBLIC)), None);
        assert_eq!(verdict(&wanted(&everybody, Access::EVERYBODY)), Some(false));
        assert_eq!(verdict(&wanted(&user, Access::POWERS)), None);
        assert_eq!(verdict(&wanted(&user, Access::PUBLIC)), Some(false));
        assert_eq!(
            verdict(&wanted(&caller("u", &[], &["S.*"]), Access::POWERS)),
            Some(true)
        );
        assert_eq!(
            verdict(&wanted(&caller("root", &[], &[]), Access::POWERS)),
            Some(true)
        );
        assert_eq!(
            verdict(&wanted(&caller("u", &["admins"], &[]), Access::POWERS)),
            Some(true)
        );
        assert_eq!(
            verdict(&wanted(&caller("", &["admins"], &[]), Access::POWERS)),
            None
        );
        let insecure = Caller {
            insecure: true,
            ..Caller::default()
        };
        assert_eq!(verdict(&wanted(&insecure, Access::POWERS)), Some(true));
    }

    #[test]
    fn a_connection_without_powers_finds_only_open_methods() {
        let admin = caller("root", &["admins"], &["*.*"]);
        let granter: Granter = Arc::new(|_, _| true);
        let without = |access| Wanted {
            powers_allowed: false,
            granter: Some(&granter),
            ..wanted(&admin, access)
        };
        assert_eq!(verdict(&without(Access::POWERS)), None);
        assert_eq!(verdict(&without(Access::PUBLIC)), Some(false));
    }

    #[test]
    fn a_service_can_grant() {
        let everybody = caller("", &[], &[]);
        let granter: Granter = Arc::new(|_, method| method == "Get");
        assert_eq!(
            verdict(&Wanted {
                granter: Some(&granter),
                ..wanted(&everybody, Access::POWERS)
            }),
            Some(true)
        );
    }
}
