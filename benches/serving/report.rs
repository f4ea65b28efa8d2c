//! The figures of all rounds, and their medians.

use std::collections::BTreeMap;
use std::fmt::Write as _;

/// All figures, in the order in which they were first measured.
pub(crate) struct Report {
    order: Vec<(String, String)>,
    numbers: BTreeMap<(String, String), Vec<f64>>,
    remarks: Vec<(String, String, String)>,
    load_before: String,
}

impl Report {
    /// An empty report with the machine's load before the measurements.
    pub(crate) fn new() -> Self {
        Self {
            order: Vec::new(),
            numbers: BTreeMap::new(),
            remarks: Vec::new(),
            load_before: load_averages(),
        }
    }

    /// Adds a figure of one round.
    pub(crate) fn number(&mut self, of: &str, what: &str, value: f64) {
        let key = (of.to_owned(), what.to_owned());
        if !self.numbers.contains_key(&key) {
            self.order.push(key.clone());
        }
        self.numbers.entry(key).or_default().push(value);
    }

    /// Adds a remark in words.
    pub(crate) fn remark(&mut self, of: &str, what: &str, text: &str) {
        self.remarks
            .push((of.to_owned(), what.to_owned(), text.to_owned()));
    }

    /// A Markdown table of the median, minimum and maximum of the rounds.
    pub(crate) fn table(&self) -> String {
        let mut text =
            String::from("| of | what | median | minimum | maximum |\n| --- | --- | ---: | ---: | ---: |\n");
        for key in &self.order {
            let [median, minimum, maximum] = summary(&self.numbers[key]);
            let _ = writeln!(
                text,
                "| {} | {} | {median:.2} | {minimum:.2} | {maximum:.2} |",
                key.0, key.1
            );
        }
        for (of, what, remark) in &self.remarks {
            let _ = writeln!(text, "\n{of}: {what}: {remark}");
        }
        let _ = writeln!(
            text,
            "\nLoad averages before: {}; after: {}",
            self.load_before,
            load_averages()
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
            .remarks
            .iter()
            .map(|(of, what, text)| serde_json::json!({"of": of, "what": what, "text": text}))
            .collect();
        let cores = std::thread::available_parallelism()?.get();
        let all = serde_json::json!({
            "cores": cores, "load": [self.load_before.clone(), load_averages()], "figures": figures, "words": words,
        });
        Ok(serde_json::to_string_pretty(&all)? + "\n")
    }
}

/// Median, minimum and maximum.
fn summary(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |index: usize| sorted.get(index).copied().unwrap_or(0.0);
    [at(sorted.len() / 2), at(0), at(sorted.len().saturating_sub(1))]
}

/// The load averages of the last 1, 5 and 15 minutes.
fn load_averages() -> String {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').take(3).collect::<Vec<_>>().join(" ")
}
