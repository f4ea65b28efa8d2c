//! A report as a page that stands alone: tables coloured by their values, curves, strips of faces.

use std::fmt::Write as _;

use ndarray::ArrayView2;

use crate::api::report_page::plot::{COLOURS, Plot, signed};
use crate::editor::Report;

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1d2330; --dim: #5c6577; --paper: #fbfaf7; --line: #d9d6cd; --up: 182 67 74; --down: 47 111 165; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e6e0; --dim: #a3a9b6; --paper: #16181d; --line: #363a44; --up: 224 108 110; --down: 97 160 214; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 68rem; padding: 2.5rem 1.5rem 4rem; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin: 0 0 .3rem; } h2 { font-size: 1.15rem; margin: 2.6rem 0 .4rem; }
p { margin: .3rem 0 1rem; max-width: 46rem; } .dim, caption, figcaption { color: var(--dim); font-size: .88rem; }
code { font-size: .85em; overflow-wrap: anywhere; }
.beside { display: flex; flex-wrap: wrap; gap: 1.5rem 2rem; } .beside > * { flex: 0 1 auto; min-width: 0; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; } caption { text-align: left; padding-bottom: .35rem; }
th { font-weight: 500; font-size: .88rem; padding: .3rem .55rem; text-align: left; } thead th { text-align: right; } thead th:first-child { text-align: left; }
td { text-align: right; padding: .35rem .6rem; border: 1px solid var(--line); } td.own { outline: 2px solid var(--ink); outline-offset: -2px; }
.strip { display: grid; grid-template-columns: 7.5rem repeat(7, minmax(3rem, 8rem)); gap: 3px; align-items: center; margin-bottom: 3px; }
.strip img { width: 100%; display: block; border-radius: 3px; } .strip .dim { text-align: center; }
figure { margin: 0; } .curves { display: grid; grid-template-columns: repeat(auto-fill, minmax(17rem, 1fr)); gap: 1.2rem; }
svg { width: 100%; height: auto; display: block; } svg text { fill: var(--dim); font-size: 11px; }
svg .axis { stroke: var(--line); } svg polyline { fill: none; stroke-width: 2; }
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .88rem; margin: 0 0 .8rem; } .key span::before { content: ''; display: inline-block; width: 1.1rem; height: .2rem; margin-right: .4rem; vertical-align: middle; background: currentColor; }
";

/// The page. `strips` are the JPEGs in base64 of [`Report::strips`].
pub(crate) fn page(report: &Report, strips: &[Vec<String>]) -> String {
    let names: Vec<String> = report
        .boundaries
        .iter()
        .map(|plane| escaped(&plane.attribute))
        .collect();
    let model = escaped(&report.model);
    let request = &report.request;
    let mut out = String::new();
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Boundaries of {model} in {space}</title><style>{STYLE}</style></head><body>\n\
         <h1>Boundaries of {model} in {space}</h1>\n<p class=\"dim\">{date}. {samples} faces sampled from seed {seed} and scored by \
         the model's classifiers; {faces} of them edited. Model <code>{digest}</code>.</p>\n",
        space = request.space,
        date = escaped(&report.date),
        samples = request.samples,
        seed = request.seed,
        faces = request.faces.min(request.samples),
        digest = escaped(&report.digest),
    );
    accuracy(&mut out, report, &names);
    lean(&mut out, report, &names);
    changes(&mut out, report, &names);
    faces(&mut out, report, &names, strips);
    curves(&mut out, report, &names);
    identity(&mut out, report, &names);
    out.push_str(
        "<p class=\"dim\" style=\"margin-top: 2.6rem\">Tables 1 to 3 are those of Shen et al., <em>Interpreting the Latent Space of GANs for Semantic Face \
         Editing</em>, CVPR 2020.</p>\n</body></html>\n",
    );
    out
}

fn accuracy(out: &mut String, report: &Report, names: &[String]) {
    let chosen = report.boundaries.first().map_or(0, |plane| plane.samples_per_end);
    let _ = write!(
        out,
        "<h2>How well the planes part the faces</h2><p>As in the paper's Table 1: the share of faces on the side of the plane that their \
         score puts them. <em>Ends</em> are the {chosen} faces with the highest and the {chosen} with the lowest scores; of <em>all</em>, \
         most lie near the plane.</p>\n<table><thead><tr><th></th><th>ends</th><th>all</th><th>deviation of the score</th></tr></thead><tbody>\n"
    );
    for (plane, name) in report.boundaries.iter().zip(names) {
        let share = |share: f64| {
            format!(
                "<td style=\"background: rgb(var(--down) / {:.2})\">{:.1} %</td>",
                (share - 0.5).max(0.0),
                100.0 * share
            )
        };
        let (ends, all) = (share(plane.accuracy_at_ends), share(plane.accuracy));
        let _ = writeln!(
            out,
            "<tr><th>{name}</th>{ends}{all}<td>{:.2}</td></tr>",
            plane.standard_deviation
        );
    }
    out.push_str("</tbody></table>\n");
}

fn lean(out: &mut String, report: &Report, names: &[String]) {
    out.push_str(
        "<h2>How they lean on one another</h2><p>As in Tables 2 and 3: where scores go together in the faces, planes that were found by them \
         lean on one another, and an edit along one moves the other attribute too. What a condition takes away is this.</p>\n<div class=\"beside\">\n",
    );
    heat(
        out,
        "Correlation of the scores",
        names,
        report.correlations.view(),
        1.0,
        2,
    );
    heat(out, "Cosine of the normals", names, report.cosines.view(), 1.0, 2);
    out.push_str("</div>\n");
}

fn changes(out: &mut String, report: &Report, names: &[String]) {
    let _ = write!(
        out,
        "<h2>What edits do</h2><p>Each row is an edit by {:+.0} along an attribute's boundary: the mean change of every score, in standard \
         deviations of that score. Framed is what is asked for; the rest should be 0, and is nearer to it where the other \
         attributes are held.</p>\n<div class=\"beside\">\n",
        report.by
    );
    let greatest = report
        .plain
        .iter()
        .fold(1.0_f64, |greatest, value| greatest.max(value.abs()));
    heat(out, "Plain", names, report.plain.view(), greatest, 2);
    let mut held = report.plain.clone();
    for (mut row, own) in held.outer_iter_mut().zip(&report.conditional) {
        match own {
            Some(own) => row.iter_mut().zip(own).for_each(|(value, own)| *value = *own),
            None => row.fill(f64::NAN),
        }
    }
    heat(out, "With all others held", names, held.view(), greatest, 2);
    out.push_str("</div>\n");
}

/// A table of numbers whose colour says how great they are; `NaN` is nothing.
fn heat(
    out: &mut String,
    title: &str,
    names: &[String],
    values: ArrayView2<'_, f64>,
    greatest: f64,
    digits: usize,
) {
    let _ = write!(
        out,
        "<div class=\"wide\"><table><caption>{title}</caption><thead><tr><th></th>"
    );
    for name in names {
        let _ = write!(out, "<th>{name}</th>");
    }
    out.push_str("</tr></thead><tbody>\n");
    for (place, (row, name)) in values.outer_iter().zip(names).enumerate() {
        let _ = write!(out, "<tr><th>{name}</th>");
        for (column, value) in row.iter().enumerate() {
            let own = if column == place { " class=\"own\"" } else { "" };
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

fn faces(out: &mut String, report: &Report, names: &[String], strips: &[Vec<String>]) {
    let _ = write!(
        out,
        "<h2>One face</h2><p>The first of the samples, moved from −{by:.0} to {by:+.0} along each boundary with the other attributes held.</p>\n\
         <div class=\"wide\">\n",
        by = report.by
    );
    for (name, strip) in names.iter().zip(strips) {
        let _ = write!(out, "<div class=\"strip\"><span>{name}</span>");
        for (place, file) in strip.iter().enumerate() {
            let _ = write!(
                out,
                "<img alt=\"{name}, picture {}\" src=\"data:image/jpeg;base64,{file}\">",
                place + 1
            );
        }
        out.push_str("</div>\n");
    }
    out.push_str("</div>\n");
}

fn curves(out: &mut String, report: &Report, names: &[String]) {
    out.push_str(
        "<h2>Scores by the distance from the plane</h2><p>The edited faces brought to the same distance from one attribute's plane, \
         one plot an attribute: mean scores, each from its threshold on and in its standard deviations. Within about ±3, where samples lie, the edited \
         one should rise alone; far out a generator leaves what it has learned.</p>\n<div class=\"key\">",
    );
    for (place, name) in names.iter().enumerate() {
        let _ = write!(
            out,
            "<span style=\"color: {}\">{name}</span>",
            COLOURS[place % COLOURS.len()]
        );
    }
    out.push_str("</div>\n<div class=\"curves\">\n");
    let scaled = |place: usize, score: f64| {
        let plane = &report.boundaries[place];
        (score - plane.threshold) / plane.standard_deviation
    };
    let values = report.curves.indexed_iter();
    let greatest = values.fold(1.0_f64, |greatest, ((_, _, scored), &score)| {
        greatest.max(scaled(scored, score).abs())
    });
    let greatest = greatest.ceil();
    for (name, curve) in names.iter().zip(report.curves.outer_iter()) {
        let line = |scored: usize| {
            let scores = curve.column(scored);
            scores.iter().map(|&score| scaled(scored, score)).collect()
        };
        Plot {
            label: &format!("Scores by the distance from the plane of {name}"),
            caption: &format!("edited: {name}"),
            positions: &report.positions,
            marks: [-greatest, 0.0, greatest],
            digits: 0,
            lines: (0..names.len()).map(line).collect(),
        }
        .draw(out);
    }
    out.push_str("</div>\n");
}

/// Whose faces they remain: a plot, and a table.
fn identity(out: &mut String, report: &Report, names: &[String]) {
    out.push_str("<h2>Identity</h2><p>");
    let Some(identity) = &report.identity else {
        out.push_str("Not judged: the model brings no graph that compares persons.</p>\n");
        return;
    };
    let _ = write!(
        out,
        "How alike the persons stay, by the model\'s identity graph: the mean cosine to the face before, 1 for the same. On the left \
         by the distance from the plane, on the right for the edits by {:+.0}.</p>\n<div class=\"beside\"><div style=\"width: 22rem\">\n",
        report.by
    );
    let lines: Vec<Vec<f64>> = identity.curves.outer_iter().map(|row| row.to_vec()).collect();
    let least = lines.iter().flatten().copied().fold(0.0, f64::min);
    Plot {
        label: "Similarity by the distance from each plane",
        caption: "edited: by colour, as above",
        positions: &report.positions,
        marks: [least, f64::midpoint(least, 1.0), 1.0],
        digits: 2,
        lines,
    }
    .draw(out);
    out.push_str(
        "</div>\n<table><thead><tr><th></th><th>plain</th><th>all others held</th></tr></thead><tbody>\n",
    );
    for (name, (plain, held)) in names.iter().zip(identity.plain.iter().zip(&identity.conditional)) {
        let held = held.map_or_else(|| "–".to_owned(), |held| format!("{held:.2}"));
        let _ = writeln!(out, "<tr><th>{name}</th><td>{plain:.2}</td><td>{held}</td></tr>");
    }
    out.push_str("</tbody></table></div>\n");
}

/// Text that stands for itself in HTML.
fn escaped(text: &str) -> String {
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
