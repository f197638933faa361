//! Times, sizes and hashes as people read them, with the exact value at hand.

use jiff::Timestamp;

/// Characters of a hash that are shown.
const HASH_SHOWN: usize = 12;

/// Text made safe for HTML, in elements and in attributes.
pub fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            other => safe.push(other),
        }
    }
    safe
}

/// `3m ago`, `in 2h`, `just now`: one unit is enough, the exact time is in the title.
pub fn relative(then: Timestamp, now: Timestamp) -> String {
    let seconds = then.duration_since(now).as_secs();
    let (count, unit) = match seconds.unsigned_abs() {
        0..=4 => return "just now".to_owned(),
        amount @ 5..=89 => (amount, "s"),
        amount @ 90..=5_399 => ((amount + 30) / 60, "m"),
        amount @ 5_400..=129_599 => ((amount + 1_800) / 3_600, "h"),
        // Till there are two of them: nobody says 1 months.
        amount @ 129_600..=5_259_599 => ((amount + 43_200) / 86_400, "d"),
        amount @ 5_259_600..=63_071_999 => (amount / 2_629_800, " months"),
        amount => (amount / 31_557_600, "y"),
    };
    if seconds < 0 {
        format!("{count}{unit} ago")
    } else {
        format!("in {count}{unit}")
    }
}

/// A `time` element: relative, exact in the title; the script keeps it current.
pub fn time(then: Timestamp) -> String {
    let exact = then.strftime("%Y-%m-%d %H:%M:%S UTC");
    let machine = then.strftime("%Y-%m-%dT%H:%M:%SZ");
    let relative = relative(then, Timestamp::now());
    format!("<time datetime=\"{machine}\" title=\"{exact}\">{relative}</time>")
}

/// A number of bytes in binary units, exact in the title.
pub fn size(bytes: u64) -> String {
    format!("<span title=\"{bytes} bytes\">{}</span>", human::bytes(bytes))
}

/// A hash shortened, whole in the title; the script adds a button that copies it.
pub fn hash(text: &str) -> String {
    let shown: String = text.chars().take(HASH_SHOWN).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    let (text, shown) = (escape(text), escape(&shown));
    format!("<code class=\"hash\" title=\"{text}\" data-copy=\"{text}\">{shown}{more}</code>")
}

/// A word of a shell command: quoted where the shell would take it for anything else than itself.
pub fn shell_word(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:@,+=%".contains(&byte);
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn times_are_told_in_one_unit() {
        let now = Timestamp::UNIX_EPOCH;
        let told = |seconds| relative(now + SignedDuration::from_secs(seconds), now);
        for (seconds, text) in [
            (0, "just now"),
            (-30, "30s ago"),
            (-600, "10m ago"),
            (-7_200, "2h ago"),
            (-86_400 * 3, "3d ago"),
            (-86_400 * 45, "45d ago"),
            (-86_400 * 61, "2 months ago"),
            (-86_400 * 100, "3 months ago"),
            (-86_400 * 1000, "2y ago"),
            (3_600, "in 60m"),
            (86_400, "in 24h"),
        ] {
            assert_eq!(told(seconds), text);
        }
    }

    #[test]
    fn a_command_can_be_pasted_whatever_the_name_is() {
        for name in [
            "base/2026-11-22:07:00:00",
            "a b",
            "$(reboot)",
            "it's",
            "-x",
            "",
            "a;b\n",
        ] {
            let output = std::process::Command::new("sh")
                .args(["-c", &format!("printf %s {}", shell_word(name))])
                .output()
                .unwrap();
            assert_eq!(String::from_utf8(output.stdout).unwrap(), name);
        }
    }

    #[test]
    fn nothing_in_a_name_becomes_markup() {
        assert_eq!(
            escape("<a href=\"x\">'&"),
            "&lt;a href=&quot;x&quot;&gt;&#39;&amp;"
        );
        assert!(!hash("<script>alert(1)</script>").contains("<script>"));
    }
}
