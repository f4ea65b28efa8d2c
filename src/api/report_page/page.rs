//! The page of a report: coloured tables, plots, and strips of faces.

use std::fmt::Write as _;

use ndarray::ArrayView2;

use crate::api::report_page::markup::{escaped, write_heat_map};
use crate::api::report_page::methods::write_methods;
use crate::api::report_page::plot::{Plot, write_key};
use crate::api::responses::report::EncodedStrips;
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
.key { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; font-size: .88rem; margin: 0 0 .8rem; } .key span::before { content: ''; display: inline-block; width: 1.1rem; margin-right: .4rem; vertical-align: middle; border-top: .2rem var(--line, solid) currentColor; }
";

/// The page in HTML.
pub(crate) fn page(report: &Report, strips: &EncodedStrips) -> String {
    let names: Vec<String> = report
        .boundaries
        .iter()
        .map(|boundary| escaped(&boundary.attribute))
        .collect();
    let model = escaped(&report.model);
    let request = &report.request;
    let mut out = String::new();
    let _ = write!(
        out,
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>Boundaries of {model} in {space}</title><style>{STYLE}</style></head><body>\n\
         <h1>Boundaries of {model} in {space}</h1>\n<p class=\"dim\">{date}. {samples} faces were sampled from seed {seed} and \
         scored by the model's classifiers, and {faces} of them were edited. Model <code>{digest}</code>.</p>\n",
        space = request.space,
        date = escaped(&report.date),
        samples = request.samples,
        seed = request.seed,
        faces = request.faces.min(request.samples),
        digest = escaped(&report.digest),
    );
    if !names.is_empty() {
        write_accuracy(&mut out, report, &names);
        write_correlations(&mut out, report, &names);
        write_changes(&mut out, report, &names);
        write_strips(&mut out, report, &names, &strips.attributes);
        write_curves(&mut out, report, &names);
        write_identity(&mut out, report, &names);
    }
    if !report.directions.is_empty() {
        write_directions(&mut out, report, &strips.directions);
    }
    write_methods(&mut out, report);
    out.push_str(
        "<p class=\"dim\" style=\"margin-top: 2.6rem\">Tables 1 to 3 are those of Shen et al., <em>Interpreting the Latent Space of GANs for Semantic Face \
         Editing</em>, CVPR 2020.</p>\n</body></html>\n",
    );
    out
}

fn write_accuracy(out: &mut String, report: &Report, names: &[String]) {
    let chosen = report
        .boundaries
        .first()
        .map_or(0, |boundary| boundary.samples_per_end);
    let _ = write!(
        out,
        "<h2>Accuracy of the boundaries</h2><p>As in Table 1 of the paper: the share of faces on the side of the boundary that agrees with \
         their score. <em>Extremes</em> are the {chosen} faces with the highest and the {chosen} with the lowest scores. <em>All</em> \
         faces include the many that lie near the boundary.</p>\n<table><thead><tr><th></th><th>extremes</th><th>all</th>\
         <th>standard deviation of the score</th></tr></thead><tbody>\n"
    );
    for (boundary, name) in report.boundaries.iter().zip(names) {
        let share = |share: f64| {
            format!(
                "<td style=\"background: rgb(var(--down) / {:.2})\">{:.1} %</td>",
                (share - 0.5).max(0.0),
                100.0 * share
            )
        };
        let (ends, all) = (share(boundary.accuracy_at_ends), share(boundary.accuracy));
        let _ = writeln!(
            out,
            "<tr><th>{name}</th>{ends}{all}<td>{:.2}</td></tr>",
            boundary.standard_deviation
        );
    }
    out.push_str("</tbody></table>\n");
}

fn write_correlations(out: &mut String, report: &Report, names: &[String]) {
    out.push_str(
        "<h2>Correlation of the attributes</h2><p>As in Tables 2 and 3 of the paper: if two scores are correlated, the normals of their boundaries are \
         not orthogonal, and an edit of one attribute changes the other. A condition removes this part of the edit.</p>\n<div class=\"beside\">\n",
    );
    write_heat_map(
        out,
        "Correlation of the scores",
        [names, names],
        report.correlations.view(),
        1.0,
        2,
    );
    write_heat_map(
        out,
        "Cosine of the normals",
        [names, names],
        report.cosines.view(),
        1.0,
        2,
    );
    out.push_str("</div>\n");
}

fn write_changes(out: &mut String, report: &Report, names: &[String]) {
    let _ = write!(
        out,
        "<h2>Effect of an edit</h2><p>Each row is an edit by {:+.0} along the normal of an attribute's boundary: the mean change of each score, in \
         standard deviations of that score. The framed cell is the edited attribute. The other cells should be 0; with the other \
         attributes as conditions they are nearer to 0.</p>\n<div class=\"beside\">\n",
        report.by
    );
    let greatest = report
        .plain
        .iter()
        .fold(1.0_f64, |greatest, value| greatest.max(value.abs()));
    write_heat_map(out, "Plain", [names, names], report.plain.view(), greatest, 2);
    let mut conditional = report.plain.clone();
    for (mut row, own) in conditional.outer_iter_mut().zip(&report.conditional) {
        match own {
            Some(own) => row.iter_mut().zip(own).for_each(|(value, own)| *value = *own),
            None => row.fill(f64::NAN),
        }
    }
    write_heat_map(
        out,
        "With all other attributes as conditions",
        [names, names],
        conditional.view(),
        greatest,
        2,
    );
    out.push_str("</div>\n");
}

fn write_strips(out: &mut String, report: &Report, names: &[String], strips: &[Vec<String>]) {
    let _ = writeln!(
        out,
        "<h2>Example face</h2><p>The first sample, moved from −{by:.0} to {by:+.0} along the normal of each boundary, with the other attributes as conditions.</p>",
        by = report.by
    );
    write_images(out, names, strips);
}

/// What the boundaries that no classifier scores do.
fn write_directions(out: &mut String, report: &Report, strips: &[Vec<String>]) {
    let names = report.directions.iter();
    let names: Vec<String> = names.map(|direction| escaped(&direction.attribute)).collect();
    let scored: Vec<String> = report.scored.iter().map(|name| escaped(name)).collect();
    let _ = writeln!(
        out,
        "<h2>Directions without a classifier</h2><p>Each row is an edit by {:+.0} along a boundary that no classifier scores, such as a direction that was \
         found without labels: the mean change of each score, in standard deviations of that score. Below, the first sample, moved from −{by:.0} to {by:+.0}.</p>",
        report.by,
        by = report.by
    );
    let changes = report.directions.iter().flat_map(|direction| &direction.changes);
    let values: Vec<f64> = changes.copied().collect();
    let greatest = values
        .iter()
        .fold(1.0_f64, |greatest, value| greatest.max(value.abs()));
    let values = ArrayView2::from_shape((names.len(), scored.len()), &values);
    let values = values.expect("each direction has a change for each score");
    write_heat_map(out, "Plain", [&names, &scored], values, greatest, 2);
    write_images(out, &names, strips);
}

/// A row of images for each name.
fn write_images(out: &mut String, names: &[String], strips: &[Vec<String>]) {
    out.push_str("<div class=\"wide\">\n");
    for (name, strip) in names.iter().zip(strips) {
        let _ = write!(out, "<div class=\"strip\"><span>{name}</span>");
        for (index, file) in strip.iter().enumerate() {
            let _ = write!(
                out,
                "<img alt=\"{name}, image {}\" src=\"data:image/jpeg;base64,{file}\">",
                index + 1
            );
        }
        out.push_str("</div>\n");
    }
    out.push_str("</div>\n");
}

fn write_curves(out: &mut String, report: &Report, names: &[String]) {
    out.push_str(
        "<h2>Scores by distance</h2><p>One plot for each edited attribute. All faces are moved to the same signed distance from its boundary, and each line is \
         the mean score of an attribute: 0 is its threshold, and the unit is its standard deviation. Samples lie within about ±3. There, only the \
         line of the edited attribute should rise; far outside, the generator has not learned what to synthesize.</p>\n",
    );
    write_key(out, names);
    out.push_str("<div class=\"curves\">\n");
    let scaled = |index: usize, score: f64| {
        let boundary = &report.boundaries[index];
        (score - boundary.threshold) / boundary.standard_deviation
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
            label: &format!("Scores by the distance from the boundary of {name}"),
            caption: &format!("edited: {name}"),
            positions: &report.positions,
            marks: [-greatest, 0.0, greatest],
            digits: 0,
            lines: (0..names.len()).map(line).collect(),
        }
        .write(out);
    }
    out.push_str("</div>\n");
}

/// How similar the persons stay: a plot and a table.
fn write_identity(out: &mut String, report: &Report, names: &[String]) {
    out.push_str("<h2>Identity</h2><p>");
    let Some(identity) = &report.identity else {
        out.push_str("Not measured: the model has no identity graph.</p>\n");
        return;
    };
    let _ = write!(
        out,
        "How similar the persons stay, by the model\'s identity graph: the mean cosine to the face before the edit, 1 for the same person. \
         The plot shows it by the distance from the boundary, the table for edits by {:+.0}.</p>\n<div class=\"beside\"><div style=\"width: 22rem\">\n",
        report.by
    );
    let lines: Vec<Vec<f64>> = identity.curves.outer_iter().map(|row| row.to_vec()).collect();
    let least = lines.iter().flatten().copied().fold(0.0, f64::min);
    Plot {
        label: "Similarity by the distance from each boundary",
        caption: "edited attribute: by colour, as above",
        positions: &report.positions,
        marks: [least, f64::midpoint(least, 1.0), 1.0],
        digits: 2,
        lines,
    }
    .write(out);
    out.push_str(
        "</div>\n<table><thead><tr><th></th><th>plain</th><th>all others as conditions</th></tr></thead><tbody>\n",
    );
    for (name, (plain, conditional)) in names.iter().zip(identity.plain.iter().zip(&identity.conditional)) {
        let conditional = conditional.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
        let _ = writeln!(
            out,
            "<tr><th>{name}</th><td>{plain:.2}</td><td>{conditional}</td></tr>"
        );
    }
    out.push_str("</tbody></table></div>\n");
}
