//! Tables for people: aligned columns under headings in capitals.

use std::io::Write;

/// Two spaces between columns; nothing behind the last one.
pub(crate) fn write(
    out: &mut impl Write,
    columns: &[String],
    rows: &[Vec<String>],
    has_heading: bool,
) -> std::io::Result<()> {
    let heading: Vec<String> = columns.iter().map(|column| column.to_uppercase()).collect();
    let heading = has_heading.then_some(&heading);
    let all = || heading.into_iter().chain(rows);
    let mut widths = vec![0; columns.len()];
    for row in all() {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(shown(cell).chars().count());
        }
    }
    for row in all() {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let cell = shown(cell);
            line += &cell;
            line.extend(std::iter::repeat_n(' ', width - cell.chars().count() + 2));
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// A cell: never empty, so that columns can be counted, and without control characters, which a terminal would obey.
fn shown(cell: &str) -> String {
    if cell.is_empty() {
        return "-".to_owned();
    }
    let plain = |character: char| if character.is_control() { ' ' } else { character };
    cell.chars().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_what_is_absent_is_a_dash() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let mut out = Vec::new();
        let rows = [row(["a", "", "long"]), row(["bcd", "x\x1b[2J", ""])];
        write(&mut out, &row(["uuid", "os", "name"]), &rows, true).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "UUID  OS     NAME\na     -      long\nbcd   x [2J  -\n");
    }
}
