//! Several services on one store: each sees what the others change.

use std::time::{Duration, Instant};

use crate::process::Service;
use crate::store::{PATH, axis, begin, body, delete, delete_at, put, put_at, stored};

/// Waits until `is_met`, and fails after a time that no service needs.
pub(crate) fn wait_until(what: &str, is_met: impl Fn() -> bool) {
    let began = Instant::now();
    while !is_met() {
        assert!(began.elapsed() < Duration::from_mins(1), "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn each_service_on_a_store_sees_the_changes_and_deletions_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Service::start(&mut stored(folder.path()));
    let (first, second) = (start(), start());
    let original = body(&first.get(PATH)).to_owned();
    assert!(put(&first.address, 5).unwrap().contains("200"));
    let third = start();
    assert_eq!(axis(&third), 5, "a service that starts later has it at once");
    wait_until("the second service has the boundary of the first", || {
        body(&second.get(PATH)) == body(&first.get(PATH))
    });
    let digest = |service: &Service| {
        let model: serde_json::Value =
            serde_json::from_str(body(&service.get("/v1/models/phantom"))).unwrap();
        model["digest"].clone()
    };
    assert_eq!(digest(&first), digest(&second));
    assert!(delete(&second.address).unwrap().contains("200"));
    for service in [&first, &third] {
        wait_until("the boundary of the model is back", || {
            body(&service.get(PATH)) == original
        });
    }
    let metrics = first.get("/metrics");
    assert!(metrics.contains("faceplane_store_failures_total 0"), "{metrics}");
    assert!(
        metrics.contains("faceplane_store_last_read_timestamp_seconds{} 1"),
        "{metrics}"
    );
}

#[test]
fn of_services_that_change_one_boundary_at_once_all_end_with_the_same_whole_one() {
    let folder = tempfile::tempdir().unwrap();
    let services = [(); 3].map(|()| Service::start(&mut stored(folder.path())));
    std::thread::scope(|scope| {
        for (number, service) in services.iter().enumerate() {
            scope.spawn(move || {
                for round in 0..15 {
                    let status = put(&service.address, number * 20 + round).unwrap();
                    assert!(status.contains("200"), "{status}");
                    axis(service);
                }
            });
        }
    });
    let file = std::fs::read_to_string(folder.path().join("phantom/smile_w.json")).unwrap();
    let stored: serde_json::Value = serde_json::from_str(&file).unwrap();
    let last = stored["boundary"]["card"]["intercept"].to_string();
    for service in &services {
        wait_until("the service has what is stored", || {
            format!("{}.0", axis(service)) == last
        });
    }
}

#[test]
fn a_wrong_file_in_the_store_is_logged_once_and_the_boundary_from_before_stays() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (
        Service::start(&mut stored(folder.path())),
        Service::start(&mut stored(folder.path())),
    );
    assert!(put(&first.address, 7).unwrap().contains("200"));
    wait_until("the second service has the boundary", || {
        axis_if_put(&second) == Some(7)
    });
    std::fs::write(folder.path().join("phantom/smile_w.json"), "{\"bound").unwrap();
    // When the service sees the second change, it has looked at the wrong file at least once more.
    for attribute in ["one", "two"] {
        let path = format!("/v1/models/phantom/boundaries/{attribute}/w");
        assert!(put_at(&first.address, &path, 3).unwrap().contains("200"));
        wait_until("the second service has the other boundary", || {
            second.get(&path).starts_with("HTTP/1.1 200")
        });
    }
    assert_eq!(axis(&second), 7);
    assert!(
        put(&second.address, 8).unwrap().contains("200"),
        "it can be replaced"
    );
    wait_until("the first service has the new boundary", || axis(&first) == 8);
    let log = second.end();
    let lines = log.iter().filter(|line| line.contains("wrong file"));
    let lines: Vec<_> = lines.collect();
    assert!(
        lines.len() == 1 && lines[0].contains("phantom/smile_w.json"),
        "{log:?}"
    );
}

#[test]
fn services_show_and_cancel_the_jobs_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Service::start(&mut stored(folder.path()));
    let (first, second) = (start(), start());
    let job = begin(&first.address);
    let json =
        |service: &Service| -> serde_json::Value { serde_json::from_str(body(&service.get(&job))).unwrap() };
    let port = first.address.rsplit(':').next().unwrap();
    let name = json(&second)["service"].as_str().unwrap().to_owned();
    assert!(name.ends_with(&format!(":{port}")), "{name}");
    wait_until("the second service has the progress of the first", || {
        json(&second)["samples_done"].as_u64() > Some(0)
    });
    let cancelled = delete_at(&second.address, &job).unwrap();
    assert!(cancelled.contains("200"), "{cancelled}");
    for service in [&first, &second] {
        assert_eq!(json(service)["status"], "cancelled");
    }
    let list = first.get("/v1/jobs");
    drop(first);
    assert_eq!(
        body(&second.get("/v1/jobs")),
        body(&list),
        "the job outlives its service"
    );
}

/// The axis of the boundary, if it is one that was put.
fn axis_if_put(service: &Service) -> Option<usize> {
    let boundary: serde_json::Value = serde_json::from_str(body(&service.get(PATH))).unwrap();
    let normal = boundary["normal"].as_array().unwrap();
    normal.iter().position(|value| value == 1.0)
}
