//! A model that is replaced under load, over real connections.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Service, write_model};

/// Clients that send requests all the time.
const CLIENTS: usize = 6;

/// Gets a path on a connection of its own, and returns the body of a response that is whole and 200.
async fn get(address: SocketAddr, path: &str) -> Vec<u8> {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    socket.write_all(request.as_bytes()).await.unwrap();
    let mut response = Vec::new();
    socket.read_to_end(&mut response).await.unwrap();
    let end = response
        .windows(4)
        .position(|bytes| bytes == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8_lossy(&response[..end]).to_ascii_lowercase();
    let body = response.split_off(end + 4);
    assert!(
        head.starts_with("http/1.1 200"),
        "{head}\n{}",
        String::from_utf8_lossy(&body)
    );
    let length = head
        .split("content-length: ")
        .nth(1)
        .expect("the length is known");
    assert_eq!(
        length.lines().next().unwrap().parse(),
        Ok(body.len()),
        "the response is whole"
    );
    body
}

/// The responses that the model gives now, by seed, and its digest.
async fn faces(address: SocketAddr) -> (String, Vec<Vec<u8>>) {
    let mut faces = Vec::new();
    for seed in 0..3 {
        faces.push(get(address, &path(seed)).await);
    }
    let face: Value = serde_json::from_slice(&faces[0]).unwrap();
    (face["digest"].as_str().unwrap().to_owned(), faces)
}

fn path(seed: usize) -> String {
    format!("/v1/sample?seed={seed}&model=other&format=json&compression=fast")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn under_load_every_answer_comes_whole_from_the_old_model_or_from_the_new_one() {
    let service = Service::start();
    let address = service.client.listen().await;
    let psis = [0.5, 0.25, 1.0];
    let mut known = BTreeMap::new();
    for psi in psis {
        write_model(&service.folder("other"), "phantom", "other", psi);
        assert_eq!(service.put("other").await.0, StatusCode::OK);
        let (digest, faces) = faces(address).await;
        known.insert(digest, faces);
    }
    let ends = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (known, ends) = (known.clone(), Arc::clone(&ends));
            tokio::spawn(async move {
                let mut counts = BTreeMap::new();
                let mut turn = client;
                while !ends.load(Ordering::Relaxed) {
                    turn += 1;
                    let seed = turn % 3;
                    let body = get(address, &path(seed)).await;
                    let face: Value = serde_json::from_slice(&body).unwrap();
                    let digest = face["digest"].as_str().unwrap().to_owned();
                    assert!(
                        known[&digest][seed] == body,
                        "seed {seed} is another face of {digest}"
                    );
                    *counts.entry(digest).or_insert(0) += 1;
                }
                counts
            })
        })
        .collect();
    for psi in psis {
        write_model(&service.folder("other"), "phantom", "other", psi);
        assert_eq!(service.put("other").await.0, StatusCode::OK);
        // Some answers come from it.
        get(address, &path(0)).await;
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    ends.store(true, Ordering::Relaxed);
    let mut seen = BTreeMap::new();
    for client in clients {
        for (digest, count) in client.await.unwrap() {
            *seen.entry(digest).or_insert(0) += count;
        }
    }
    assert!(
        seen.len() > 1,
        "the clients should see more than one model: {seen:?}"
    );
}
