//! The alert rules and the dashboard name metrics that exist.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use faceplane::metrics::Metrics;

use crate::process::{Service, program};

/// The words in `text` that begin as the metrics of this service do.
fn metrics_in(text: &str) -> BTreeSet<&str> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    words.filter(|word| word.starts_with("faceplane_")).collect()
}

/// The names of the series of a service, also of those that begin when something happens.
fn series() -> BTreeSet<String> {
    let metrics = Metrics::new();
    metrics.run_terminated("encoder.onnx");
    metrics.store().was_read();
    metrics.answered("/v1/sample", 200, Duration::ZERO);
    drop(metrics.of_model("phantom"));
    let text = metrics.text();
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.flat_map(metrics_in).map(str::to_owned).collect()
}

#[test]
fn every_metric_of_the_alert_rules_and_of_the_dashboard_exists() {
    let exist = series();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker");
    for file in [
        "monitoring/alerts.yaml",
        "monitoring/alerts_test.yaml",
        "monitoring/dashboard.json",
        "kubernetes/autoscaling/scaledobject.yaml",
    ] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        let named = metrics_in(&text);
        assert!(!named.is_empty(), "{file} names no metric");
        let unknown: Vec<_> = named.iter().filter(|name| !exist.contains(**name)).collect();
        assert!(unknown.is_empty(), "{file}: {unknown:?} are not among {exist:?}");
    }
}

#[test]
fn the_metrics_say_whether_the_service_is_ready() {
    let service = Service::start(&mut program());
    let metrics = service.get("/metrics");
    assert!(metrics.contains("\nfaceplane_ready 1\n"), "{metrics}");
}
