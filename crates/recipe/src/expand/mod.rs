//! Variables in texts (`imaginator.md §6.1`): `$NAME`, `${NAME}`, and parts of a value, `${NAME[/2:-1]}`.
//!
//! A name after a bare `$` is the longest run of letters, digits and `_`, or one of `* # $ @ ! ? -`, or one digit. `$` before anything
//! else stays. `${}` vanishes; `${` without `}` loses just these two characters. What was put in is not looked at again, and there is no
//! escaping.

/// Expands all variables; an unknown one becomes nothing.
pub fn expression<'a>(text: &str, lookup: impl Fn(&str) -> Option<&'a str>) -> String {
    replace(text, false, |name| {
        Some(variable(name, &lookup).unwrap_or_default())
    })
}

/// Expands all variables, or none: if one of them is unknown or empty, the text stays as it is.
pub fn opportunistic<'a>(text: &str, lookup: impl Fn(&str) -> Option<&'a str>) -> String {
    let is_missing = std::cell::Cell::new(false);
    let expanded = expression(text, |name| {
        let value = lookup(name).filter(|value| !value.is_empty());
        is_missing.set(is_missing.get() || value.is_none());
        value
    });
    if is_missing.get() {
        text.to_owned()
    } else {
        expanded
    }
}

/// Expands the variables that are known, and leaves everything else byte for byte: for texts in which others, such as a shell,
/// have variables of their own.
pub fn known<'a>(text: &str, lookup: impl Fn(&str) -> Option<&'a str>) -> String {
    replace(text, true, |name| {
        lookup(split(name).map_or(name, |(name, _)| name))?;
        variable(name, &lookup)
    })
}

/// Names of the variables in a text, without their sub-expressions, in order; each as often as it occurs.
pub fn names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    replace(text, false, |name| {
        names.push(split(name).map_or(name, |(name, _)| name).to_owned());
        None
    });
    names
}

/// What follows a `$`.
enum Parameter<'a> {
    /// A variable, and how many bytes it takes after the `$`.
    Name(&'a str, usize),
    /// Malformed: so many bytes after the `$` vanish with it.
    Malformed(usize),
    /// No parameter: the `$` stands for itself.
    None,
}

/// Replaces each parameter by what `value` gives; one without a value stays as it is written, and malformed ones if told so.
fn replace(text: &str, keep_malformed: bool, mut value: impl FnMut(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let after = &from[1..];
        let taken = match parameter(after) {
            Parameter::Name(name, taken) => {
                match value(name) {
                    Some(value) => out.push_str(&value),
                    None => out.push_str(&from[..1 + taken]),
                }
                taken
            }
            Parameter::Malformed(_) if keep_malformed => {
                out.push('$');
                0
            }
            Parameter::Malformed(taken) => taken,
            Parameter::None => {
                out.push('$');
                0
            }
        };
        rest = &after[taken..];
    }
    out.push_str(rest);
    out
}

fn parameter(after: &str) -> Parameter<'_> {
    let bytes = after.as_bytes();
    match bytes.first() {
        None => Parameter::None,
        Some(b'{') => {
            // `${}}` is no variable `}`; but `${*}` and its like are found by the brace as well.
            match after.find('}') {
                None => Parameter::Malformed(1),
                Some(1) => Parameter::Malformed(2),
                Some(end) => Parameter::Name(&after[1..end], end + 1),
            }
        }
        Some(first) if is_special(*first) => Parameter::Name(&after[..1], 1),
        Some(_) => {
            let is_in_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
            match bytes.iter().take_while(|byte| is_in_name(byte)).count() {
                0 => Parameter::None,
                length => Parameter::Name(&after[..length], length),
            }
        }
    }
}

fn is_special(byte: u8) -> bool {
    byte.is_ascii_digit() || b"*#$@!?-".contains(&byte)
}

/// The value of what stands between braces: a variable, or a part of one. `None` if the variable is unknown.
fn variable<'a>(name: &str, lookup: &impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    // Shorter than the shortest sub-expression, `A[/:]`: a plain name, whatever is in it.
    if name.len() < 5 || !name.ends_with(']') {
        return lookup(name).map(str::to_owned);
    }
    let Some((name, selection)) = split(name) else {
        return Some(String::new());
    };
    let value = lookup(name)?;
    Some(part(value, selection).unwrap_or_default())
}

/// Splits `NAME[selection]`; `None` if it is not of that form.
fn split(text: &str) -> Option<(&str, &str)> {
    let (name, selection) = text.strip_suffix(']')?.split_once('[')?;
    (!name.is_empty()).then_some((name, selection))
}

/// The components that a selection `/START:END` means; `None` if it is malformed or out of range.
fn part(value: &str, selection: &str) -> Option<String> {
    let separator = selection.chars().next().filter(char::is_ascii)?;
    let (start, end) = selection[1..].split_once(':')?;
    let components: Vec<&str> = value.split(separator).collect();
    let count = i64::try_from(components.len()).ok()?;
    let index = |text: &str| -> Option<i64> { text.parse::<i64>().ok() };
    let from_end = |index: i64| {
        if index < 0 {
            index.checked_add(count)
        } else {
            Some(index)
        }
    };
    let start = if start.is_empty() {
        0
    } else {
        from_end(index(start)?)?
    };
    let end = if end.is_empty() {
        count
    } else {
        // The number of all is out of range, as the original has it: leave the end out to mean all.
        from_end(index(end).filter(|end| *end < count)?)?
    };
    let range = usize::try_from(start).ok()?..usize::try_from(end).ok()?;
    Some(components.get(range)?.join(&separator.to_string()))
}

#[cfg(test)]
mod tests;
