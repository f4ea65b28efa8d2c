//! Pieces of HTML: escaped text, and a table of numbers that are coloured by their size.

use std::fmt::Write as _;

use ndarray::ArrayView2;

use crate::api::report_page::plot::signed;

/// A table of numbers with these names of rows and columns, coloured by their size. `NaN` is an empty cell.
pub(super) fn write_heat_map(
    out: &mut String,
    title: &str,
    [rows, columns]: [&[String]; 2],
    values: ArrayView2<'_, f64>,
    greatest: f64,
    digits: usize,
) {
    let _ = write!(
        out,
        "<div class=\"wide\"><table><caption>{title}</caption><thead><tr><th></th>"
    );
    for name in columns {
        let _ = write!(out, "<th>{name}</th>");
    }
    out.push_str("</tr></thead><tbody>\n");
    for (row, name) in values.outer_iter().zip(rows) {
        let _ = write!(out, "<tr><th>{name}</th>");
        for (column, value) in columns.iter().zip(row) {
            let own = if column == name { " class=\"own\"" } else { "" };
            if value.is_nan() {
                let _ = write!(out, "<td{own}>–</td>");
                continue;
            }
            let colour = if *value < 0.0 { "down" } else { "up" };
            let depth = 0.75 * (value.abs() / greatest).min(1.0);
            let number = signed(*value, digits);
            let _ = write!(
                out,
                "<td{own} style=\"background: rgb(var(--{colour}) / {depth:.2})\">{number}</td>"
            );
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
}

/// The text with the characters of HTML markup escaped.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_write_html() {
        assert_eq!(escaped("<b>\"a\" & b"), "&lt;b&gt;&quot;a&quot; &amp; b");
    }
}
