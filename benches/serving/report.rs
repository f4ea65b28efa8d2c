//! Figures: collected round by round, told as medians.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// All figures, in the order in which they first came.
pub(crate) struct Report {
    order: Vec<(String, String)>,
    numbers: BTreeMap<(String, String), Vec<f64>>,
    words: Vec<(String, String, String)>,
    load: [String; 2],
}

impl Report {
    /// Empty, with the machine's load before anything is measured.
    pub(crate) fn new() -> Self {
        Self {
            order: Vec::new(),
            numbers: BTreeMap::new(),
            words: Vec::new(),
            load: [load(), String::new()],
        }
    }

    /// A figure of one round.
    pub(crate) fn number(&mut self, of: &str, what: &str, value: f64) {
        let key = (of.to_owned(), what.to_owned());
        if !self.numbers.contains_key(&key) {
            self.order.push(key.clone());
        }
        self.numbers.entry(key).or_default().push(value);
    }

    /// Something that is no number.
    pub(crate) fn say(&mut self, of: &str, what: &str, text: &str) {
        self.words.push((of.to_owned(), what.to_owned(), text.to_owned()));
    }

    /// A table for people: medians, and the least and the most of the rounds.
    pub(crate) fn table(&self) -> String {
        let mut text =
            String::from("| of | what | median | least | most |\n| --- | --- | ---: | ---: | ---: |\n");
        for key in &self.order {
            let [median, least, most] = spread(&self.numbers[key]);
            let _ = writeln!(
                text,
                "| {} | {} | {median:.2} | {least:.2} | {most:.2} |",
                key.0, key.1
            );
        }
        for (of, what, said) in &self.words {
            let _ = writeln!(text, "\n{of}: {what}: {said}");
        }
        let _ = writeln!(
            text,
            "\nLoad of the machine before: {}, after: {}",
            self.load[0],
            load()
        );
        text
    }

    /// Every figure of every round, for `benches/publish.py`.
    pub(crate) fn json(&self) -> anyhow::Result<String> {
        let figures: Vec<_> = self
            .order
            .iter()
            .map(|key| serde_json::json!({"of": key.0, "what": key.1, "rounds": self.numbers[key]}))
            .collect();
        let words: Vec<_> = self
            .words
            .iter()
            .map(|(of, what, text)| serde_json::json!({"of": of, "what": what, "text": text}))
            .collect();
        let cores = std::thread::available_parallelism()?.get();
        let all = serde_json::json!({
            "cores": cores, "load": [self.load[0].clone(), load()], "figures": figures, "words": words,
        });
        Ok(serde_json::to_string_pretty(&all)? + "\n")
    }
}

fn spread(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let end = |place: usize| sorted.get(place).copied().unwrap_or(0.0);
    [end(sorted.len() / 2), end(0), end(sorted.len().saturating_sub(1))]
}

/// The load averages of the last 1, 5 and 15 minutes.
fn load() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
