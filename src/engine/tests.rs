//! Tests of the engine as a whole: batches, replicas, chunks, lanes, deadlines, permits.

use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use crate::engine::admission::deadline;
use crate::engine::test_support::{
    ControlledGenerator, Controls, HangingGenerator, SingleImageGenerator, codes, controlled_engine, engine,
    image_values, spawn_synthesis,
};
use crate::engine::{BatchSize, Engine, EngineError, Generator, Images, LazyReplica, Watchdog};

#[tokio::test]
async fn waiting_images_share_a_run_and_each_caller_gets_its_own() {
    let (engine, runs, go_on) = controlled_engine(4, 64);
    let first = spawn_synthesis(&engine, &[1.0]);
    tokio::task::yield_now().await;
    assert_eq!(runs.recv().unwrap(), 1, "the first run waits for no other image");
    let others = [
        spawn_synthesis(&engine, &[2.0, 3.0]),
        spawn_synthesis(&engine, &[4.0, 5.0, 6.0]),
        spawn_synthesis(&engine, &[7.0]),
    ];
    tokio::task::yield_now().await;
    for _ in 0..3 {
        go_on.send(()).unwrap();
    }
    assert_eq!(first.await.unwrap().unwrap(), [1.0]);
    let mut painted = Vec::new();
    for other in others {
        painted.push(other.await.unwrap().unwrap());
    }
    assert_eq!(painted, [vec![2.0, 3.0], vec![4.0, 5.0, 6.0], vec![7.0]]);
    assert_eq!(
        runs.try_iter().collect::<Vec<_>>(),
        [3, 3],
        "an entry that fits beside the first joins its run"
    );
}

#[tokio::test]
async fn an_image_past_its_deadline_is_a_late_error_and_not_a_stopped_network() {
    let (engine, runs, go_on) = controlled_engine(1, 64);
    let first = spawn_synthesis(&engine, &[1.0]);
    tokio::task::yield_now().await;
    assert_eq!(runs.recv().unwrap(), 1);
    let late = deadline::with_deadline(Instant::now(), async {
        let synthesized = engine.admit(1).unwrap().synthesize(codes(&[2.0])).await;
        synthesized.unwrap_err()
    });
    go_on.send(()).unwrap();
    let error = late.await;
    assert!(matches!(error, EngineError::DeadlinePassed { .. }), "{error}");
    assert_eq!(first.await.unwrap().unwrap(), [1.0]);
}

#[tokio::test]
async fn a_graph_that_fails_on_batches_gets_single_images_and_no_caller_notices() {
    let engine = engine(vec![Box::new(SingleImageGenerator::new(8))], Vec::new(), 64);
    for _ in 0..3 {
        let mut admission = engine.admit(4).unwrap();
        let codes = codes(&[1.0, 2.0, 3.0, 4.0]);
        let mut chunks = admission.synthesize_in_chunks(codes, |images| image_values(&images));
        let mut all = Vec::new();
        while let Some(chunk) = admission.next_chunk(&mut chunks).await {
            all.extend(chunk.unwrap());
        }
        assert_eq!(all, [1.0, 2.0, 3.0, 4.0]);
    }
    assert_eq!(engine.largest_batch(), 1);
}

/// An engine of one open and one lazy replica, the permission to open, and the controls of both.
fn with_lazy_replica(opens: bool) -> (Engine, Sender<()>, [Controls; 2]) {
    let ((first, first_ends), (second, second_ends)) =
        (ControlledGenerator::new(1), ControlledGenerator::new(1));
    let (open, opened) = channel();
    let lazy: LazyReplica = Box::new(move || {
        opened.recv().unwrap();
        if opens {
            return Ok(Box::new(second));
        }
        Err(EngineError::Graph {
            file: "synthesis.onnx".to_owned(),
            reason: "no memory is left".to_owned(),
        })
    });
    let engine = engine(vec![Box::new(first)], vec![lazy], 64);
    (engine, open, [first_ends, second_ends])
}

#[tokio::test]
async fn a_lazy_replica_opens_when_an_image_waits_and_not_before() {
    let (engine, open, [(first, first_go_on), (second, second_go_on)]) = with_lazy_replica(true);
    for value in [1.0, 2.0] {
        let alone = spawn_synthesis(&engine, &[value]);
        tokio::task::yield_now().await;
        assert_eq!(first.recv().unwrap(), 1);
        first_go_on.send(()).unwrap();
        assert_eq!(alone.await.unwrap().unwrap(), [value]);
    }
    let one = spawn_synthesis(&engine, &[3.0]);
    tokio::task::yield_now().await;
    assert_eq!(first.recv().unwrap(), 1);
    let other = spawn_synthesis(&engine, &[4.0]);
    tokio::task::yield_now().await;
    open.send(()).unwrap();
    assert_eq!(second.recv().unwrap(), 1, "the first replica is still busy");
    second_go_on.send(()).unwrap();
    assert_eq!(other.await.unwrap().unwrap(), [4.0]);
    first_go_on.send(()).unwrap();
    assert_eq!(one.await.unwrap().unwrap(), [3.0]);
}

#[tokio::test]
async fn only_runs_beside_busy_replicas_decide_the_batch_size() {
    let sizes = BatchSize::up_to(2);
    let generators = [0, 1].map(|_| ControlledGenerator::with_batch_size(sizes.clone(), 2));
    let [(one, (one_runs, one_go_on)), (other, (other_runs, other_go_on))] = generators;
    let engine = engine(vec![Box::new(one), Box::new(other)], Vec::new(), 64);
    let alone = spawn_synthesis(&engine, &[1.0]);
    tokio::task::yield_now().await;
    let began_alone = loop {
        if one_runs.try_recv().is_ok() {
            break &one_go_on;
        }
        if other_runs.try_recv().is_ok() {
            break &other_go_on;
        }
    };
    began_alone.send(()).unwrap();
    alone.await.unwrap().unwrap();
    assert_eq!(sizes.largest(), 1, "this run had the machine for itself");
    let requests = [2.0, 3.0, 4.0].map(|value| spawn_synthesis(&engine, &[value]));
    tokio::task::yield_now().await;
    assert_eq!((one_runs.recv().unwrap(), other_runs.recv().unwrap()), (1, 1));
    one_go_on.send(()).unwrap();
    assert_eq!(one_runs.recv().unwrap(), 1);
    one_go_on.send(()).unwrap();
    let [first, second, third] = requests;
    third.await.unwrap().unwrap();
    assert_eq!(sizes.largest(), 2, "the other replica was busy all the time");
    other_go_on.send(()).unwrap();
    for request in [first, second] {
        request.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_lazy_replica_that_cannot_open_leaves_the_others_working() {
    let (engine, open, [(first, go_on), (second, _)]) = with_lazy_replica(false);
    open.send(()).unwrap();
    for _ in 0..2 {
        let both = [spawn_synthesis(&engine, &[1.0]), spawn_synthesis(&engine, &[2.0])];
        tokio::task::yield_now().await;
        for (request, value) in both.into_iter().zip([1.0, 2.0]) {
            assert_eq!(first.recv().unwrap(), 1);
            go_on.send(()).unwrap();
            assert_eq!(request.await.unwrap().unwrap(), [value]);
        }
    }
    assert_eq!(second.try_iter().count(), 0);
}

#[tokio::test]
async fn chunks_run_on_all_replicas_and_come_in_order() {
    let (mut generators, mut runs, mut go_on) = (Vec::<Box<dyn Generator>>::new(), Vec::new(), Vec::new());
    for _ in 0..2 {
        let (generator, (run, go)) = ControlledGenerator::new(2);
        generators.push(Box::new(generator));
        runs.push(run);
        go_on.push(go);
    }
    let engine = engine(generators, Vec::new(), 64);
    let values = [1.0, 2.0, 3.0, 4.0, 5.0];
    let mut admission = engine.admit(values.len()).unwrap();
    let synthesized = tokio::spawn(async move {
        let mut chunks = admission.synthesize_in_chunks(codes(&values), |images| images);
        let mut all = Vec::new();
        while let Some(images) = admission.next_chunk(&mut chunks).await {
            all.extend(image_values(&images.unwrap()));
        }
        all
    });
    tokio::task::yield_now().await;
    for run in &runs {
        assert_eq!(run.recv().unwrap(), 2, "neither replica waits for the other");
    }
    for go in &go_on {
        // One permission more than runs: either replica may take the last chunk.
        for _ in 0..2 {
            go.send(()).unwrap();
        }
    }
    assert_eq!(synthesized.await.unwrap(), values);
}

#[tokio::test]
async fn a_panic_in_a_conversion_is_an_error_of_its_caller_alone() {
    let engine = engine(vec![Box::new(SingleImageGenerator::new(1))], Vec::new(), 64);
    let mut admission = engine.admit(1).unwrap();
    let convert = |images: Images| assert!(images.is_empty(), "the conversion fails");
    let mut chunks = admission.synthesize_in_chunks(codes(&[1.0]), convert);
    let error = admission.next_chunk(&mut chunks).await.unwrap().unwrap_err();
    assert!(
        matches!(&error, EngineError::Panicked { reason, .. } if reason == "the conversion fails"),
        "{error}"
    );
    assert_eq!(
        image_values(&admission.synthesize(codes(&[2.0])).await.unwrap()),
        [2.0]
    );
}

#[tokio::test]
async fn a_run_that_never_ends_fails_its_request_and_the_waiting_one_gets_its_image() {
    let watchdog = Watchdog::default();
    let generator = HangingGenerator::new(watchdog.clone());
    let engine = engine(vec![Box::new(generator)], Vec::new(), 64);
    let hanging = spawn_synthesis(&engine, &[-1.0]);
    tokio::task::yield_now().await;
    let waiting = spawn_synthesis(&engine, &[2.0]);
    while !hanging.is_finished() {
        watchdog.check(Instant::now() + Duration::from_hours(1));
        tokio::task::yield_now().await;
    }
    let error = hanging.await.unwrap().unwrap_err();
    assert!(matches!(error, EngineError::Terminated { .. }), "{error}");
    assert_eq!(waiting.await.unwrap().unwrap(), [2.0]);
}

#[tokio::test]
async fn background_images_wait_for_all_requests() {
    let (engine, runs, go_on) = controlled_engine(1, 64);
    let first = spawn_synthesis(&engine, &[1.0]);
    tokio::task::yield_now().await;
    runs.recv().unwrap();
    let (done, order) = channel();
    let mut tasks = Vec::new();
    for (value, mut admission) in [
        (2.0, engine.background()),
        (3.0, engine.admit(1).unwrap()),
        (4.0, engine.admit(1).unwrap()),
    ] {
        let done = done.clone();
        tasks.push(tokio::spawn(async move {
            admission.synthesize(codes(&[value])).await.unwrap();
            done.send(value).unwrap();
        }));
        tokio::task::yield_now().await;
    }
    for _ in 0..4 {
        go_on.send(()).unwrap();
        // The task that got this run reports before the next run begins.
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    first.await.unwrap().unwrap();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(order.try_iter().collect::<Vec<_>>(), [3.0, 4.0, 2.0]);
}

#[tokio::test]
async fn images_past_their_deadline_are_not_synthesized() {
    let (engine, runs, go_on) = controlled_engine(4, 64);
    let first = spawn_synthesis(&engine, &[1.0]);
    tokio::task::yield_now().await;
    runs.recv().unwrap();
    let mut late = engine.admit(2).unwrap();
    let late = deadline::within(Duration::from_millis(1), late.synthesize(codes(&[2.0, 3.0])));
    assert!(late.await.is_none());
    let next = spawn_synthesis(&engine, &[4.0]);
    tokio::task::yield_now().await;
    go_on.send(()).unwrap();
    go_on.send(()).unwrap();
    first.await.unwrap().unwrap();
    assert_eq!(next.await.unwrap().unwrap(), [4.0]);
    assert_eq!(runs.try_iter().collect::<Vec<_>>(), [1]);
    assert_eq!(engine.metrics().synthesis.late.get(), 2);
}

#[tokio::test]
async fn images_of_a_caller_that_went_away_are_not_synthesized() {
    let (engine, runs, go_on) = controlled_engine(4, 64);
    let first = spawn_synthesis(&engine, &[1.0]);
    tokio::task::yield_now().await;
    assert_eq!(runs.recv().unwrap(), 1);
    let (gone, stays) = (
        spawn_synthesis(&engine, &[2.0, 3.0]),
        spawn_synthesis(&engine, &[4.0]),
    );
    tokio::task::yield_now().await;
    gone.abort();
    assert!(gone.await.is_err());
    go_on.send(()).unwrap();
    go_on.send(()).unwrap();
    assert_eq!(first.await.unwrap().unwrap(), [1.0]);
    assert_eq!(stays.await.unwrap().unwrap(), [4.0]);
    assert_eq!(runs.try_iter().collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn a_request_in_rounds_gets_at_most_the_whole_queue() {
    let engine = engine(vec![Box::new(SingleImageGenerator::new(1))], Vec::new(), 3);
    assert_eq!(engine.admit_rounds(2).unwrap().images_at_once(), 2);
    let all = engine.admit_rounds(8).unwrap();
    assert_eq!(all.images_at_once(), 3);
    let refused = engine.admit(1).map(drop).unwrap_err();
    assert!(
        matches!(refused, EngineError::Overloaded { free: 0, .. }),
        "{refused}"
    );
    drop(all);
    assert_eq!(engine.background().images_at_once(), usize::MAX);
    assert!(engine.admit(3).is_ok());
}
