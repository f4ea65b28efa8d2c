//! The results as tables in Markdown.

use std::fmt::Write as _;

use ndarray::ArrayView2;

use crate::api::signed;
use crate::editor::{LEVELS, MeanEffect, MethodEffect, MethodReport, RESCORED, Report, UndoneEdits};

/// Tables 1 to 3 of the paper, with a report for each space.
pub(super) fn plane_tables(reports: &[Report]) -> String {
    let mut out = String::new();
    accuracies(&mut out, reports);
    for report in reports {
        let space = report.request.space;
        let caption = format!("**Table 2.** Cosines of the boundaries' normals in {space}.");
        matrix(&mut out, &caption, &attributes(report), report.cosines.view());
    }
    if let Some(report) = reports.last() {
        let caption = "**Table 3.** Correlation of the scores.";
        matrix(&mut out, caption, &attributes(report), report.correlations.view());
    }
    out
}

fn attributes(report: &Report) -> Vec<&str> {
    report
        .boundaries
        .iter()
        .map(|one| one.attribute.as_str())
        .collect()
}

fn accuracies(out: &mut String, reports: &[Report]) {
    let Some(last) = reports.last() else {
        return;
    };
    let per_end = last.boundaries.first().map_or(0, |one| one.samples_per_end);
    let _ = write!(
        out,
        "**Table 1.** Accuracy of the boundaries on {} samples of seed {}: on the {per_end} with the highest and the {per_end} with the \
         lowest scores (*ends*), and on all.\n\n",
        last.request.samples, last.request.seed
    );
    let mut head = vec!["attribute".to_owned()];
    for report in reports {
        let space = report.request.space;
        head.extend([format!("{space}: ends"), format!("{space}: all")]);
    }
    let mut rows = Vec::new();
    let mut names: Vec<&str> = Vec::new();
    for name in reports.iter().flat_map(attributes) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let mut row = vec![name.to_owned()];
        for report in reports {
            let own = report.boundaries.iter().find(|other| other.attribute == name);
            let shares = own.map(|own| [own.accuracy_at_ends, own.accuracy]);
            let cell = |index: usize| shares.map_or("–".to_owned(), |shares| percent(shares[index]));
            row.extend([cell(0), cell(1)]);
        }
        rows.push(row);
    }
    table(out, &head, &rows);
}

fn matrix(out: &mut String, caption: &str, names: &[&str], values: ArrayView2<'_, f64>) {
    let _ = write!(out, "{caption}\n\n");
    let head = std::iter::once("")
        .chain(names.iter().copied())
        .map(str::to_owned);
    let row = |(name, values): (&&str, ndarray::ArrayView1<'_, f64>)| {
        let cells = values.iter().map(|&value| signed(value, 2));
        std::iter::once((*name).to_owned()).chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = names.iter().zip(values.outer_iter()).map(row).collect();
    table(out, &head.collect::<Vec<_>>(), &rows);
}

/// The comparison of the methods.
pub(super) fn method_tables(report: &Report) -> String {
    let mut out = String::new();
    if report.methods.is_empty() {
        return out;
    }
    out.push_str(
        "**Attribute dependency**: the mean absolute change of all other attributes, in their standard deviations, where the edited one has \
         changed by the number at the head of the column, in its own. Each face is moved to the other side of the threshold. Mean over the attributes and the \
         faces that come so far; *reached* is their share at the last level. Methods with fewer *faces* moved the first of those that the others moved.\n\n",
    );
    let faces = |effect: &MethodEffect| effect.faces;
    means(&mut out, report, faces, MethodReport::by_score, true);
    if report.methods.iter().any(|method| !method.by_truth().is_empty()) {
        out.push_str(
            "**Attribute dependency by truth**, at equal true change of the target. Target scores and walks along the gradient go to 1.15 and 2.15 \
             deviations of the *score*, so that fewer of their faces come to 2 by truth.\n\n",
        );
        let faces = |effect: &MethodEffect| effect.faces_by_truth;
        means(&mut out, report, faces, MethodReport::by_truth, false);
        attributes_by_truth(&mut out, report);
    }
    rescoring(&mut out, report);
    undone(&mut out, report);
    out
}

fn means(
    out: &mut String,
    report: &Report,
    faces: impl Fn(&MethodEffect) -> usize,
    means: impl Fn(&MethodReport) -> Vec<MeanEffect>,
    with_score: bool,
) {
    let mut head = vec!["method".to_owned(), "faces".to_owned()];
    head.extend(LEVELS.map(|level| level.to_string()));
    head.push("reached".to_owned());
    if with_score {
        head.extend([
            format!("similarity at {}", LEVELS[RESCORED]),
            "seconds".to_owned(),
        ]);
    }
    let mut rows = Vec::new();
    for method in &report.methods {
        let means = means(method);
        let Some(last) = means.last() else {
            continue;
        };
        let faces = method.effects.iter().map(&faces).max().unwrap_or(0);
        let mut row = vec![method.method.clone(), faces.to_string()];
        row.extend(means.iter().map(|mean| number(mean.dependency)));
        row.push(percent(last.reached));
        if with_score {
            row.extend([
                number(means[RESCORED].identity),
                format!("{:.3}", method.seconds()),
            ]);
        }
        rows.push(row);
    }
    table(out, &head, &rows);
}

/// The dependency by truth of each attribute at one level.
fn attributes_by_truth(out: &mut String, report: &Report) {
    let names = edited_attributes(report, |effect| !effect.by_truth.is_empty());
    let _ = write!(
        out,
        "By truth, where the edited attribute has changed by {}:\n\n",
        LEVELS[RESCORED]
    );
    let head: Vec<String> = std::iter::once("method".to_owned())
        .chain(names.clone())
        .collect();
    let row = |method: &MethodReport| {
        let cell = |name: &String| {
            let effect = method.effects.iter().find(|effect| effect.attribute == *name);
            number(effect.and_then(|effect| effect.by_truth.get(RESCORED)?.dependency))
        };
        std::iter::once(method.method.clone())
            .chain(names.iter().map(cell))
            .collect()
    };
    let rows: Vec<Vec<String>> = report.methods.iter().map(row).collect();
    table(out, &head, &rows);
}

/// The mean change of each score when each attribute is edited.
fn rescoring(out: &mut String, report: &Report) {
    let _ = write!(
        out,
        "<details><summary>Re-scoring: the mean change of each score, in standard deviations, where the edited attribute has changed by \
         {}</summary>\n\n",
        LEVELS[RESCORED]
    );
    let mut head = vec!["method".to_owned(), "edit".to_owned()];
    head.extend(report.scored.iter().cloned());
    let mut rows = Vec::new();
    for method in &report.methods {
        for effect in &method.effects {
            let edit = match &effect.along {
                Some(along) => format!("{} ({along})", effect.attribute),
                None => effect.attribute.clone(),
            };
            let changes = &effect.by_score[RESCORED].changes;
            let cells = (0..report.scored.len()).map(|column| {
                changes
                    .get(column)
                    .map_or("–".to_owned(), |&value| signed(value, 2))
            });
            rows.push([method.method.clone(), edit].into_iter().chain(cells).collect());
        }
    }
    table(out, &head, &rows);
    out.push_str("</details>\n\n");
}

/// Manipulation inversion: how well the edits of each method can be undone.
fn undone(out: &mut String, report: &Report) {
    let Some(inverted) = report.inverted_faces else {
        return;
    };
    let _ = write!(
        out,
        "**Manipulation inversion**: a face is edited until the attribute has changed by {} deviation, the edited image is inverted by the encoder, and the edit \
         undone. The mean PSNR to the face before the edit, in dB, of those of the first {} faces that come so far. Without an edit, the inverted faces \
         have {:.1} dB.\n\n",
        LEVELS[RESCORED], inverted.faces, inverted.psnr
    );
    let decibels = |undone: Option<UndoneEdits>| {
        undone.map_or_else(|| "–".to_owned(), |undone| format!("{:.1}", undone.psnr))
    };
    let names = edited_attributes(report, |effect| effect.undone.is_some());
    let head: Vec<String> = ["method", "mean"]
        .map(str::to_owned)
        .into_iter()
        .chain(names.clone())
        .collect();
    let row = |method: &MethodReport| {
        let cell = |name: &String| {
            let effect = method.effects.iter().find(|effect| effect.attribute == *name);
            decibels(effect.and_then(|effect| effect.undone))
        };
        let first = [method.method.clone(), decibels(method.undone())];
        first.into_iter().chain(names.iter().map(cell)).collect()
    };
    let rows: Vec<Vec<String>> = report.methods.iter().map(row).collect();
    table(out, &head, &rows);
}

/// The attributes that some method edits with an effect that `counts`.
fn edited_attributes(report: &Report, counts: impl Fn(&MethodEffect) -> bool) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for effect in report.methods.iter().flat_map(|method| &method.effects) {
        if counts(effect) && !names.contains(&effect.attribute) {
            names.push(effect.attribute.clone());
        }
    }
    names
}

/// A table. The first column is text, the others are numbers.
fn table(out: &mut String, head: &[String], rows: &[Vec<String>]) {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    out.push_str(&line(head));
    let rule = std::iter::once("---").chain(std::iter::repeat_n("---:", head.len() - 1));
    out.push_str(&line(&rule.map(str::to_owned).collect::<Vec<_>>()));
    for row in rows {
        out.push_str(&line(row));
    }
    out.push('\n');
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.3}"))
}
