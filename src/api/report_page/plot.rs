//! A small line plot in SVG.

use std::fmt::Write as _;

/// The colours of the lines, in turn. They are legible on a light and on a dark page.
const COLOURS: [&str; 8] = [
    "#c2565b", "#3f86c6", "#4f9a6f", "#b07f2c", "#8d6cc4", "#c2639c", "#5aa0a0", "#8a8a8a",
];

/// The size of a plot, in pixels.
const SIZE: [f64; 2] = [320.0, 200.0];
/// The margins on the left and at the bottom, for labels.
const LEFT: f64 = 36.0;
const BOTTOM: f64 = 22.0;
/// The width of the right margin, in pixels: half of the last label.
const RIGHT: f64 = 14.0;
/// The height of a line of the key in a file of its own.
const KEY_LINE: f64 = 15.0;

/// A line plot with a line for each name: `marks` are the labels of the vertical axis, from bottom to top. A value that is not finite
/// has no point.
pub(crate) struct Plot<'a> {
    pub(crate) label: &'a str,
    pub(crate) caption: &'a str,
    pub(crate) positions: &'a [f64],
    pub(crate) marks: [f64; 3],
    pub(crate) digits: usize,
    pub(crate) lines: Vec<Vec<f64>>,
}

/// The style of a line: its colour, and dashes after each round of colours.
pub(crate) fn style(index: usize) -> String {
    let colour = COLOURS[index % COLOURS.len()];
    match index / COLOURS.len() {
        0 => format!("stroke=\"{colour}\""),
        round => format!("stroke=\"{colour}\" stroke-dasharray=\"{} 3\"", 6 / round.min(3)),
    }
}

/// Appends the key of the lines with these names.
pub(crate) fn write_key(out: &mut String, names: &[String]) {
    out.push_str("<div class=\"key\">");
    for (index, name) in names.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let line = if index < COLOURS.len() { "solid" } else { "dashed" };
        let _ = write!(
            out,
            "<span style=\"color: {colour}; --line: {line}\">{name}</span>"
        );
    }
    out.push_str("</div>\n");
}

impl Plot<'_> {
    /// Appends the plot to a page.
    pub(crate) fn write(&self, out: &mut String) {
        let [width, height] = SIZE;
        let _ = write!(
            out,
            "<figure><svg viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">",
            self.label
        );
        self.write_contents(out);
        let _ = writeln!(out, "</svg><figcaption>{}</figcaption></figure>", self.caption);
    }

    /// The plot as a file of its own, with the caption above and a key with these names below.
    pub(crate) fn file(&self, names: &[String]) -> String {
        let [width, height] = SIZE;
        let keys = names
            .iter()
            .zip((0_u32..).map(|line| height + 34.0 + KEY_LINE * f64::from(line)));
        let all = keys.clone().last().map_or(height, |(_, bottom)| bottom) + 10.0;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {all}\" width=\"{}\" role=\"img\" aria-label=\"{}\">\
             <style>text{{font:10px sans-serif;fill:#777}}.axis{{stroke:#999;stroke-width:.5;fill:none}}polyline,.key{{fill:none;\
             stroke-width:2}}</style><text x=\"6\" y=\"12\">{}</text><g transform=\"translate(0 16)\">",
            2.0 * width,
            self.label,
            self.caption
        );
        self.write_contents(&mut out);
        out.push_str("</g>");
        for (index, (name, bottom)) in keys.enumerate() {
            let _ = write!(
                out,
                "<path class=\"key\" {} d=\"M{LEFT} {}h22\"/><text x=\"{}\" y=\"{bottom}\">{name}</text>",
                style(index),
                bottom - 3.0,
                LEFT + 28.0
            );
        }
        out.push_str("</svg>\n");
        out
    }

    fn write_contents(&self, out: &mut String) {
        let [width, height] = SIZE;
        let (first, last) = (self.positions[0], self.positions[self.positions.len() - 1]);
        let [bottom_mark, middle, top_mark] = self.marks;
        let x = |position: f64| LEFT + (position - first) / (last - first) * (width - LEFT - RIGHT);
        let y = |value: f64| 8.0 + (top_mark - value) / (top_mark - bottom_mark) * (height - BOTTOM - 8.0);
        let mut axis = |line: String, (x, y): (f64, f64), anchor: &str, number: String| {
            let _ = write!(
                out,
                "<path class=\"axis\" d=\"{line}\"/><text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{number}</text>"
            );
        };
        for value in [bottom_mark, middle, top_mark] {
            let (at, end) = (y(value), width - RIGHT);
            let line = format!("M{LEFT} {at:.1}H{end:.1}");
            axis(line, (LEFT - 5.0, at + 4.0), "end", signed(value, self.digits));
        }
        for position in [first, f64::midpoint(first, last), last] {
            let (at, end) = (x(position), height - BOTTOM);
            let line = format!("M{at:.1} 8V{end:.1}");
            axis(line, (at, height - 6.0), "middle", signed(position, 0));
        }
        for (index, line) in self.lines.iter().enumerate() {
            let points = self
                .positions
                .iter()
                .zip(line)
                .filter(|(_, value)| value.is_finite());
            let points = points.map(|(&position, &value)| format!("{:.1},{:.1}", x(position), y(value)));
            let points = points.collect::<Vec<_>>().join(" ");
            let _ = write!(out, "<polyline {} points=\"{points}\"/>", style(index));
        }
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

    #[test]
    fn a_plot_in_a_file_of_its_own_names_its_lines() {
        let plot = Plot {
            label: "rise",
            caption: "how it rises",
            positions: &[0.0, 1.0, 2.0],
            marks: [0.0, 1.0, 2.0],
            digits: 1,
            lines: vec![vec![0.0, 1.0, f64::NAN]; 9],
        };
        let names: Vec<String> = (0..9).map(|line| format!("line {line}")).collect();
        let file = plot.file(&names);
        assert!(file.starts_with("<svg xmlns") && file.ends_with("</svg>\n"));
        assert!(names.iter().all(|name| file.contains(name.as_str())));
        assert!(file.contains("stroke-dasharray") && !file.contains("NaN"));
    }
}
