//! The part of a report's page that compares methods of editing.

use std::fmt::Write as _;

use ndarray::Array2;

use crate::api::report_page::markup::{escaped, write_heat_map};
use crate::api::report_page::plot::{Plot, write_key};
use crate::editor::{IdentityMeasure, InvertedFaces, LEVELS, MeanEffect, MethodReport, RESCORED, Report};

/// How the methods compare: curves, a table, re-scoring, and edits that are undone.
pub(super) fn write_methods(out: &mut String, report: &Report) {
    if report.methods.is_empty() {
        return;
    }
    let names: Vec<String> = report.methods.iter().map(|one| escaped(&one.method)).collect();
    out.push_str(
        "<h2>Methods at equal change</h2><p>Each face is moved to the other side of the attribute\u{2019}s threshold. Where its score has changed by \
         as many standard deviations as the axis says, <em>attribute dependency</em> is the mean absolute change of all other attributes in their \
         standard deviations: the less, the better. A line ends where no face comes so far.</p>\n",
    );
    write_key(out, &names);
    out.push_str("<div class=\"curves\">\n");
    for (_, plot) in curves(report) {
        plot.write(out);
    }
    out.push_str("</div>\n");
    write_means(out, report, &names);
    write_rescoring(out, report, &names);
    if let Some(inverted) = report.inverted_faces {
        write_undone(out, report, &names, inverted);
    }
}

/// The positions of a curve: before any edit, and at each of [`LEVELS`].
const POSITIONS: [f64; 1 + LEVELS.len()] = [0.0, LEVELS[0], LEVELS[1], LEVELS[2], LEVELS[3]];

/// The curves of all methods by the change of the target that a report has, with the names of their files: dependency by score, by truth,
/// and identity.
pub(crate) fn curves(report: &Report) -> Vec<(&'static str, Plot<'static>)> {
    let by_score: Vec<_> = report.methods.iter().map(MethodReport::by_score).collect();
    let by_truth: Vec<_> = report.methods.iter().map(MethodReport::by_truth).collect();
    let dependency = |effect: &MeanEffect| effect.dependency;
    let caption = "attribute dependency, by the change of the target";
    let mut curves = vec![("dependency", curve(caption, 0.0, &by_score, dependency))];
    if by_truth.iter().any(|levels| !levels.is_empty()) {
        let caption = "attribute dependency by truth, by the true change of the target";
        curves.push(("dependency-by-truth", curve(caption, 0.0, &by_truth, dependency)));
    }
    if let Some(measure) = report.identity_by {
        let caption = match measure {
            IdentityMeasure::Graph => "similarity of the person, by the change of the target",
            IdentityMeasure::Encoder => {
                "similarity of the encoder\u{2019}s code, by the change of the target"
            }
        };
        let identity = |effect: &MeanEffect| effect.identity;
        curves.push(("identity", curve(caption, 1.0, &by_score, identity)));
    }
    curves
}

/// A line for each method; `start` is the value before any edit.
fn curve(
    caption: &'static str,
    start: f64,
    methods: &[Vec<MeanEffect>],
    value: impl Fn(&MeanEffect) -> Option<f64>,
) -> Plot<'static> {
    let line = |levels: &Vec<MeanEffect>| {
        let levels = levels.iter().map(|effect| value(effect).unwrap_or(f64::NAN));
        std::iter::once(start).chain(levels).collect()
    };
    let lines: Vec<Vec<f64>> = methods.iter().map(line).collect();
    let finite = lines.iter().flatten().copied().filter(|value| value.is_finite());
    let (least, most) = finite.fold((start, start), |(least, most), value| {
        (least.min(value), most.max(value))
    });
    let most = if most > least { most } else { least + 1.0 };
    Plot {
        label: caption,
        caption,
        positions: &POSITIONS,
        marks: [least, f64::midpoint(least, most), most],
        digits: 2,
        lines,
    }
}

fn write_means(out: &mut String, report: &Report, names: &[String]) {
    out.push_str("<div class=\"wide\"><table><caption>Mean over the attributes and faces</caption><thead><tr><th></th><th>faces</th>");
    for level in LEVELS {
        let _ = write!(out, "<th>dependency at {level}</th>");
    }
    let last = LEVELS[LEVELS.len() - 1];
    let _ = writeln!(
        out,
        "<th>faces that reach {last}</th><th>similarity at {}</th><th>seconds</th></tr></thead><tbody>",
        LEVELS[RESCORED]
    );
    let number = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| format!("{value:.2}"));
    for (method, name) in report.methods.iter().zip(names) {
        let means = method.by_score();
        let faces = method
            .effects
            .iter()
            .map(|effect| effect.faces)
            .max()
            .unwrap_or(0);
        let _ = write!(out, "<tr><th>{name}</th><td>{faces}</td>");
        for mean in &means {
            let _ = write!(out, "<td>{}</td>", number(mean.dependency));
        }
        let reached = means.last().map_or(0.0, |mean| 100.0 * mean.reached);
        let identity = number(means.get(RESCORED).and_then(|mean| mean.identity));
        let seconds = method.seconds();
        let _ = writeln!(
            out,
            "<td>{reached:.0} %</td><td>{identity}</td><td>{seconds:.3}</td></tr>"
        );
    }
    out.push_str("</tbody></table></div>\n");
}

/// A table for each method: the mean change of each score when each attribute is edited.
fn write_rescoring(out: &mut String, report: &Report, names: &[String]) {
    let _ = write!(
        out,
        "<h2>Re-scoring</h2><p>As in the tables of the journal paper: the mean change of each score, in standard deviations, where the edited attribute \
         (the row) has changed by {}.</p>\n<div class=\"beside\">\n",
        LEVELS[RESCORED]
    );
    let scored: Vec<String> = report.scored.iter().map(|name| escaped(name)).collect();
    for (method, name) in report.methods.iter().zip(names) {
        let rows: Vec<String> = method
            .effects
            .iter()
            .map(|effect| escaped(&effect.attribute))
            .collect();
        let value = |(row, column): (usize, usize)| {
            let changes = &method.effects[row].by_score[RESCORED].changes;
            changes.get(column).copied().unwrap_or(f64::NAN)
        };
        let values = Array2::from_shape_fn((rows.len(), scored.len()), value);
        write_heat_map(out, name, [&rows, &scored], values.view(), 1.0, 2);
    }
    out.push_str("</div>\n");
}

/// How well the edits of each method can be undone.
fn write_undone(out: &mut String, report: &Report, names: &[String], inverted: InvertedFaces) {
    let _ = write!(
        out,
        "<h2>Manipulation inversion</h2><p>A face is edited until the attribute\u{2019}s score has changed by {} deviation, the edited image is inverted by the \
         encoder, and the edit undone. The PSNR to the face before the edit is a mean over the attributes, and over those of the first {} faces that come so far. \
         Without an edit, the inverted faces have {:.1} dB.</p>\n\
         <table><thead><tr><th></th><th>edits</th><th>PSNR, dB</th></tr></thead><tbody>\n",
        LEVELS[RESCORED], inverted.faces, inverted.psnr
    );
    for (method, name) in report.methods.iter().zip(names) {
        if let Some(undone) = method.undone() {
            let _ = writeln!(
                out,
                "<tr><th>{name}</th><td>{}</td><td>{:.1}</td></tr>",
                undone.faces, undone.psnr
            );
        }
    }
    out.push_str("</tbody></table>\n");
}
