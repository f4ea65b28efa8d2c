//! Guesses the scores of a classifier from the shapes of its outputs.

use super::interface::{Interface, Output};

/// The values of `FairFace`'s nine groups of ages, in the middle of each: 0–2, 3–9, 10–19, …, 70 and more.
const FAIRFACE_AGES: &str = "[1, 6, 14.5, 24.5, 34.5, 44.5, 54.5, 64.5, 75]";
/// The most columns that are written out one by one.
const MOST: usize = 4;

/// The entries of `outputs`, each a line, and a comment that says what they were taken for.
pub(super) struct GuessedScores {
    pub(super) entries: Vec<String>,
    pub(super) comment: String,
}

/// Guesses the scores.
pub(super) fn guess_scores(interface: &Interface) -> GuessedScores {
    let outputs = &interface.outputs;
    if let [output] = &outputs[..] {
        return of_columns(output, interface);
    }
    if outputs.len() == 3 && outputs.iter().all(|output| output.values() == 66) {
        return GuessedScores {
            entries: vec![entry(
                "pose",
                &format!(
                    "kind = \"value\", threshold = 0.0, output = \"{}\", activation = \"softmax\", bins = {{ first = -99, step = 3 }}",
                    outputs[0].name
                ),
            )],
            comment:
                "three angles over 66 bins of 3 degrees, as Hopenet has them; the first is taken for yaw"
                    .to_owned(),
        };
    }
    let of_output = |output: &Output| {
        let name = output.name.to_lowercase();
        match output.values() {
            101 => entry("age", &format!("{}, output = \"{}\"", ages(output), output.name)),
            1 if name.contains("age") => entry(
                "age",
                &format!("kind = \"value\", threshold = 35.0, output = \"{}\"", output.name),
            ),
            columns => entry(
                &attribute(&output.name),
                &format!("{}, output = \"{}\"", plain(output, columns - 1), output.name),
            ),
        }
    };
    GuessedScores {
        entries: outputs.iter().map(of_output).collect(),
        comment: "one attribute for each output, from its last column: rename the attributes, and choose the columns".to_owned(),
    }
}

/// Guesses the scores in the columns of the only output.
fn of_columns(output: &Output, interface: &Interface) -> GuessedScores {
    let score = |name: &str, column: usize| entry(name, &plain(output, column));
    let side = interface.input.size.map_or(0, |[height, _]| height);
    let (entries, comment) = match output.values() {
        1 => (
            vec![entry("attribute", &kind(output))],
            "one score: rename the attribute".to_owned(),
        ),
        2 => (
            vec![score("attribute", 1)],
            "two classes, of which the second is the attribute: rename it".to_owned(),
        ),
        3 if side == 96 => (
            vec![
                entry("gender", "kind = \"logit\", threshold = 0.0, column = 1, columns = [0, 1], activation = \"softmax\""),
                entry("age", "kind = \"value\", threshold = 0.35, column = 2"),
            ],
            "gender and age in hundreds of years, as InsightFace's genderage has them".to_owned(),
        ),
        7 => (
            vec![score("smile", 3)],
            "seven emotions in the order of FER2013: angry, disgust, fear, happy, sad, surprise, neutral".to_owned(),
        ),
        8 if interface.input.channels == 1 => (
            vec![score("smile", 1)],
            "eight emotions in the order of FER+: neutral, happiness, surprise, sadness, anger, disgust, fear, contempt".to_owned(),
        ),
        8 => (
            vec![score("smile", 4)],
            "eight emotions in the order of HSEmotion: anger, contempt, disgust, fear, happiness, neutral, sadness, surprise"
                .to_owned(),
        ),
        18 => (
            vec![
                entry("gender", "kind = \"logit\", threshold = 0.0, column = 7, columns = [7, 8], activation = \"softmax\""),
                entry(
                    "age",
                    &format!(
                        "kind = \"value\", threshold = 35.0, columns = [9, 10, 11, 12, 13, 14, 15, 16, 17], activation = \
                         \"softmax\", bins = {FAIRFACE_AGES}"
                    ),
                ),
            ],
            "race, gender and age in the order of FairFace: columns 7 and 8 are male and female, 9 to 17 groups of ages".to_owned(),
        ),
        40 => (
            [("eyeglasses", 15), ("gender", 20), ("smile", 31), ("young", 39)]
                .into_iter()
                .map(|(name, column)| entry(name, &format!("{}, column = {column}", kind(output))))
                .collect(),
            "the 40 attributes of CelebA in their order: choose others by column".to_owned(),
        ),
        101 => (
            vec![entry("age", &ages(output))],
            "ages from 0 to 100".to_owned(),
        ),
        columns => (
            (0..columns.min(MOST)).map(|column| score(&format!("column-{column}"), column)).collect(),
            format!("{columns} columns of unknown meaning: rename the attributes, and keep the columns that you need"),
        ),
    };
    GuessedScores { entries, comment }
}

/// The keys of the probability of a column, by softmax unless the graph ends with it.
fn plain(output: &Output, column: usize) -> String {
    if output.values() == 1 {
        return kind(output);
    }
    if output.is_probability {
        return format!("{}, column = {column}", kind(output));
    }
    format!("kind = \"logit\", threshold = 0.0, column = {column}, activation = \"softmax\"")
}

/// Kind and threshold of a column as it is.
fn kind(output: &Output) -> String {
    let (kind, threshold) = if output.is_probability {
        ("probability", "0.5")
    } else {
        ("logit", "0.0")
    };
    format!("kind = \"{kind}\", threshold = {threshold}")
}

/// The keys of the expected age.
fn ages(output: &Output) -> String {
    let activation = if output.is_probability {
        ""
    } else {
        ", activation = \"softmax\""
    };
    format!("kind = \"value\", threshold = 35.0{activation}, bins = {{ first = 0, step = 1 }}")
}

fn entry(attribute: &str, keys: &str) -> String {
    format!("  {{ attribute = \"{attribute}\", {keys} }},\n")
}

/// The name of an attribute, made of the name of an output.
fn attribute(output: &str) -> String {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-');
    let name: String = output
        .chars()
        .filter(|&letter| allowed(letter))
        .take(64)
        .collect();
    if name.is_empty() {
        "attribute".to_owned()
    } else {
        name.to_lowercase()
    }
}
