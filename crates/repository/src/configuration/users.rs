//! The table of users that stands for the original's directory of users in dc mode.

use crate::configuration::read::parse;
use crate::json::Value;
use crate::uuid::Uuid;
use std::collections::BTreeMap;

/// Users by account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserTable {
    logins: BTreeMap<Uuid, String>,
}

impl UserTable {
    /// Of a text, JSON or YAML: an object of accounts (UUIDs) by login.
    ///
    /// # Errors
    /// It cannot be read, or an account is no UUID or has two logins; every problem.
    pub fn read(text: &str) -> Result<Self, Vec<String>> {
        let object = parse(text).map_err(|error| vec![error.to_string()])?;
        let mut table = Self::default();
        let mut problems = Vec::new();
        for (login, account) in &object {
            match account.as_str().and_then(Uuid::parse) {
                None => problems.push(format!("user {login:?} has no UUID in lower case")),
                Some(uuid) => {
                    if let Some(other) = table.logins.insert(uuid, login.clone()) {
                        problems.push(format!(
                            "users {other:?} and {login:?} have the same UUID, {uuid}"
                        ));
                    }
                }
            }
        }
        if problems.is_empty() {
            Ok(table)
        } else {
            Err(problems)
        }
    }

    /// Whether there is an account.
    pub fn has(&self, account: Uuid) -> bool {
        self.logins.contains_key(&account)
    }

    /// The login of an account.
    pub fn login(&self, account: Uuid) -> Option<&str> {
        self.logins.get(&account).map(String::as_str)
    }

    /// The table as an object of accounts by login.
    pub fn to_value(&self) -> Value {
        self.logins
            .iter()
            .map(|(uuid, login)| (login.clone(), Value::from(uuid.to_string())))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_are_found_and_every_problem_is_told() {
        let vader = "86055c40-2547-11e2-8a6b-4bb37edc84ba";
        let table = UserTable::read(&format!("vader: {vader}\n")).unwrap();
        let uuid = Uuid::parse(vader).unwrap();
        assert_eq!((table.has(uuid), table.login(uuid)), (true, Some("vader")));
        assert!(!table.has(Uuid::NIL));
        let problems = UserTable::read(&format!("a: {vader}\nb: {vader}\nc: X\n")).unwrap_err();
        assert_eq!(problems.len(), 2, "{problems:?}");
        assert_eq!(
            UserTable::read(&crate::json::compact(&table.to_value())),
            Ok(table)
        );
    }
}
