//! The little of Markdown that both sides need.

/// The cells of a table row. A pipe inside a code span belongs to its cell, also where `\|` stands for it.
pub(crate) fn cells(line: &str) -> Vec<String> {
    let mut cells = vec![String::new()];
    let mut in_code = false;
    let mut characters = line.trim().chars().peekable();
    characters.next_if_eq(&'|');
    while let Some(character) = characters.next() {
        if character == '|' && !in_code {
            cells.push(String::new());
            continue;
        }
        in_code ^= character == '`';
        let escaped_pipe = character == '\\' && characters.peek() == Some(&'|');
        let kept = if escaped_pipe {
            characters.next()
        } else {
            Some(character)
        };
        if let (Some(cell), Some(kept)) = (cells.last_mut(), kept) {
            cell.push(kept);
        }
    }
    // What follows the last pipe of a row is nothing.
    if cells.last().is_some_and(|last| last.trim().is_empty()) {
        cells.pop();
    }
    cells
        .iter()
        .map(|cell| cell.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

/// Lines outside fenced code, and the fences.
pub(crate) fn lines_outside_code(text: &str) -> impl Iterator<Item = &str> {
    let mut in_code = false;
    text.lines().filter(move |line| {
        let fence = line.starts_with("```");
        in_code ^= fence;
        fence || !in_code
    })
}

#[test]
fn pipes_in_code_do_not_end_a_cell() {
    assert_eq!(cells("| `a|b` | c |"), ["`a|b`", "c"]);
    assert_eq!(cells(r"| `a\|b` |  c  d | "), ["`a|b`", "c d"]);
    assert_eq!(cells("| | 23 |"), ["", "23"]);
}
