//! Tests of the registry: changes of boundaries, and their timeouts.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ndarray::array;

use super::*;
use crate::catalog::{Graph, Manifest, ModelFiles, ModelFolder};
use crate::engine::test_support::{SingleImageGenerator, engine};
use crate::engine::within;
use crate::latent::Provenance;

const SHORT: Duration = Duration::from_millis(1);

/// One model without boundaries.
fn models() -> Models {
    let files = ModelFiles {
        folder: ModelFolder::Bundled,
        manifest_file: "manifest.toml".to_owned(),
        manifest: Manifest::parse("name = \"tiny\"\n[generator]\nsynthesis = \"g.onnx\"", "").unwrap(),
        mapping: None,
        synthesis: Graph::new("g.onnx".to_owned(), Vec::new().into()),
        w_avg: None,
        classifiers: Vec::new(),
        encoder: None,
        encoder_errors: None,
        landmarks: None,
        identity: None,
        gradient: None,
        boundaries: Vec::new(),
        digest: String::new(),
    };
    let engine = engine(vec![Box::new(SingleImageGenerator::new(1))], Vec::new(), 1);
    Models::new(vec![Model::new(files, engine).unwrap()], None).unwrap()
}

fn boundary(attribute: &str) -> Arc<Boundary> {
    let provenance = Provenance::default();
    let made = Boundary::new(attribute, LatentSpace::Z, array![[1.0]], 0.0, provenance);
    Arc::new(made.unwrap())
}

fn attributes(models: &Models) -> Vec<String> {
    let model = models.default_model();
    let boundaries = model.boundaries().iter();
    boundaries
        .map(|boundary| boundary.attribute().to_owned())
        .collect()
}

#[tokio::test]
async fn a_change_that_waits_for_another_past_its_timeout_is_not_made() {
    let models = models();
    let slow = Arc::clone(&models.changing).lock_owned().await;
    let put = within(SHORT, models.put_boundary("tiny", boundary("smile")));
    assert!(put.await.is_none());
    drop(slow);
    models.put_boundary("tiny", boundary("age")).await.unwrap();
    assert_eq!(attributes(&models), ["age"]);
}

#[test]
fn a_change_that_waits_for_a_thread_past_its_timeout_is_not_made() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .max_blocking_threads(1)
        .build()
        .unwrap();
    runtime.block_on(async {
        let models = models();
        let (go_on, wait) = std::sync::mpsc::channel();
        let busy = tokio::task::spawn_blocking(move || wait.recv().unwrap());
        let put = within(SHORT, models.put_boundary("tiny", boundary("smile")));
        assert!(put.await.is_none());
        go_on.send(()).unwrap();
        busy.await.unwrap();
        // It runs on the same thread, after the one before it.
        models.put_boundary("tiny", boundary("age")).await.unwrap();
        assert_eq!(attributes(&models), ["age"]);
    });
}

#[tokio::test]
async fn a_change_by_a_slow_store_is_reported_if_and_only_if_it_is_made() {
    let models = models();
    // Until the limit is long enough for the change to begin.
    for exponent in 0.. {
        let limit = SHORT * 2_u32.pow(exponent);
        let began = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&began);
        let change = models.change("tiny", move |model, _| {
            seen.store(true, Ordering::SeqCst);
            std::thread::sleep(2 * limit);
            let mut boundaries = model.boundaries().clone();
            boundaries.insert(boundary("smile"))?;
            Ok(boundaries)
        });
        let reported = within(limit, change).await;
        assert_eq!(reported.is_some(), began.load(Ordering::SeqCst));
        if let Some(changed) = reported {
            assert_eq!(changed.unwrap().boundaries().iter().count(), 1);
            break;
        }
        assert!(attributes(&models).is_empty());
    }
}

#[tokio::test]
async fn limits_refuse_new_boundaries_and_accept_replacements() {
    let each = bytes(&boundary("smile"));
    for (per_model, bytes, expected) in [
        (1, usize::MAX, "--max-boundaries"),
        (9, each, "--boundary-memory"),
    ] {
        let models = models().with_limits(BoundaryLimits { per_model, bytes });
        models.put_boundary("tiny", boundary("smile")).await.unwrap();
        models.put_boundary("tiny", boundary("smile")).await.unwrap();
        let refused = models.put_boundary("tiny", boundary("age")).await;
        let reason = refused.err().unwrap().to_string();
        assert!(reason.contains(expected), "{reason}");
        models
            .delete_boundary("tiny", "smile", LatentSpace::Z)
            .await
            .unwrap();
        models.put_boundary("tiny", boundary("age")).await.unwrap();
    }
}
