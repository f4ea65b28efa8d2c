//! A small line plot in SVG.

use std::fmt::Write as _;

/// The colours of the attributes, in turn. They are legible on a light and on a dark page.
pub(crate) const COLOURS: [&str; 8] = [
    "#c2565b", "#3f86c6", "#4f9a6f", "#b07f2c", "#8d6cc4", "#c2639c", "#5aa0a0", "#8a8a8a",
];

/// The width of the right margin, in pixels: half of the last label.
const RIGHT: f64 = 14.0;

/// A line plot with a line for each attribute: `marks` are the labels of the vertical axis, from bottom to top.
pub(crate) struct Plot<'a> {
    pub(crate) label: &'a str,
    pub(crate) caption: &'a str,
    pub(crate) positions: &'a [f64],
    pub(crate) marks: [f64; 3],
    pub(crate) digits: usize,
    pub(crate) lines: Vec<Vec<f64>>,
}

impl Plot<'_> {
    /// Appends the plot to a page.
    pub(crate) fn write(&self, out: &mut String) {
        let (width, height, left, bottom) = (320.0, 200.0, 36.0, 22.0);
        let (first, last) = (self.positions[0], self.positions[self.positions.len() - 1]);
        let [bottom_mark, middle, top_mark] = self.marks;
        let x = |position: f64| left + (position - first) / (last - first) * (width - left - RIGHT);
        let y = |value: f64| 8.0 + (top_mark - value) / (top_mark - bottom_mark) * (height - bottom - 8.0);
        let _ = write!(
            out,
            "<figure><svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">",
            self.label
        );
        let mut axis = |line: String, (x, y): (f64, f64), anchor: &str, number: String| {
            let _ = write!(
                out,
                "<path class=\"axis\" d=\"{line}\"/><text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{number}</text>"
            );
        };
        for value in [bottom_mark, middle, top_mark] {
            let (at, end) = (y(value), width - RIGHT);
            let line = format!("M{left} {at:.1}H{end:.1}");
            axis(line, (left - 5.0, at + 4.0), "end", signed(value, self.digits));
        }
        for position in [first, 0.0, last] {
            let (at, end) = (x(position), height - bottom);
            let line = format!("M{at:.1} 8V{end:.1}");
            axis(line, (at, height - 6.0), "middle", signed(position, 0));
        }
        for (index, line) in self.lines.iter().enumerate() {
            let points = self.positions.iter().zip(line);
            let points = points.map(|(&position, &value)| format!("{:.1},{:.1}", x(position), y(value)));
            let points = points.collect::<Vec<_>>().join(" ");
            let colour = COLOURS[index % COLOURS.len()];
            let _ = write!(out, "<polyline stroke=\"{colour}\" points=\"{points}\"/>");
        }
        let _ = writeln!(out, "</svg><figcaption>{}</figcaption></figure>", self.caption);
    }
}

/// A number with its sign; 0 has none.
pub(crate) fn signed(value: f64, digits: usize) -> String {
    let text = format!("{value:+.digits$}");
    if text.trim_matches(['+', '-', '0', '.']).is_empty() {
        return format!("{:.digits$}", 0.0);
    }
    text.replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_a_sign_except_zero() {
        assert_eq!(signed(0.129, 2), "+0.13");
        assert_eq!(signed(-3.0, 0), "−3");
        assert_eq!(signed(-0.001, 2), "0.00");
    }
}
