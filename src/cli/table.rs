//! Columns side by side, as kubectl prints them.

use std::fmt::Write as _;

use crate::model::plain;

/// Rows as lines, each column as wide as its widest cell, three spaces between two, `indent` spaces
/// in front, no space at the end. A column that is empty everywhere is left out. Control characters are shown
/// instead of sent to the terminal.
#[must_use]
pub(crate) fn aligned(rows: &[Vec<String>], indent: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let cells: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|cell| plain::line(cell).into_owned()).collect()).collect();
    let width = |at: usize| cells.iter().filter_map(|row| row.get(at)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in &cells {
        let mut line = " ".repeat(indent);
        for (cell, width) in row.iter().zip(&widths).filter(|(_, width)| **width > 0) {
            // Writing to a String cannot fail.
            let _ = write!(line, "{cell:width$}   ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::aligned;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["NAME", "", "READY"]), row(["a", "", "é"]), row(["longer", "", "\u{1b}[2J"])];
        assert_eq!(aligned(&rows, 2), "  NAME     READY\n  a        é\n  longer   ␛[2J\n");
        assert_eq!(aligned(&[], 2), "");
    }
}
