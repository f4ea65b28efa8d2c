//! Servers as processes: started, watched in /proc, stopped with all that they have started.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::client::Client;
use crate::options::{Contestant, Kind, Options};

/// Longest that a server may take to start.
const START: Duration = Duration::from_mins(2);

/// Clock ticks a second in /proc: a constant of Linux's interface.
const TICKS: f64 = 100.0;

/// A running server.
pub(crate) struct Server {
    pub(crate) host: String,
    /// From the start of the process to its first picture, in milliseconds.
    pub(crate) started_in: Option<f64>,
    child: Option<Child>,
}

/// What a server has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// Seconds of processor time.
    pub(crate) cpu: f64,
    /// Most memory that was resident, in MiB.
    pub(crate) peak: f64,
    /// Memory that is resident, in MiB.
    pub(crate) resident: f64,
}

impl Server {
    /// Starts a contestant and waits for its first picture.
    pub(crate) async fn start(contestant: &Contestant, options: &Options) -> anyhow::Result<Self> {
        let began = Instant::now();
        let log = log_file(&contestant.name);
        let (child, host) = match &contestant.kind {
            Kind::Running(host) => (None, host.clone()),
            Kind::Own(arguments) => {
                let words: Vec<_> = std::iter::once(options.program.clone())
                    .chain(arguments.iter().cloned())
                    .collect();
                let mut server = Self {
                    host: String::new(),
                    started_in: None,
                    child: Some(spawn(&words, options, 0, &log)?),
                };
                server.host = server.address(&log, began).await?;
                (server.child.take(), server.host.clone())
            }
            Kind::Peer(words) => {
                let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
                (
                    Some(spawn(words, options, port, &log)?),
                    format!("127.0.0.1:{port}"),
                )
            }
        };
        let mut server = Self {
            host,
            started_in: None,
            child,
        };
        server.first_picture(&contestant.path, began, &log).await?;
        server.started_in = server
            .child
            .is_some()
            .then(|| began.elapsed().as_secs_f64() * 1e3);
        Ok(server)
    }

    async fn first_picture(&mut self, path: &str, began: Instant, log: &Path) -> anyhow::Result<()> {
        loop {
            let asked = async {
                Client::connect(&self.host)
                    .await?
                    .post(path, r#"{"seed": 1}"#)
                    .await
            };
            if let Ok(Ok(answer)) = tokio::time::timeout(Duration::from_secs(20), asked).await
                && answer.status == 200
            {
                return Ok(());
            }
            self.still_starting(began, log)?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The address that the program says it listens on.
    async fn address(&mut self, log: &Path, began: Instant) -> anyhow::Result<String> {
        loop {
            let text = std::fs::read_to_string(log).unwrap_or_default();
            if let Some((_, rest)) = text.split_once("ready on http://")
                && let Some(address) = rest
                    .split(|letter: char| letter.is_whitespace() || letter == '\u{1b}')
                    .next()
                && rest.len() > address.len()
            {
                return Ok(address.to_owned());
            }
            self.still_starting(began, log)?;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    fn still_starting(&mut self, began: Instant, log: &Path) -> anyhow::Result<()> {
        let ended = match &mut self.child {
            Some(child) => child.try_wait()?.is_some(),
            None => false,
        };
        if ended || began.elapsed() > START {
            bail!("it does not start; {} says why", log.display());
        }
        Ok(())
    }

    /// What the server and its children have used.
    pub(crate) fn usage(&self) -> Usage {
        let mut sum = Usage::default();
        for process in self.family() {
            let one = usage_of(process);
            sum.cpu += one.cpu;
            sum.peak += one.peak;
            sum.resident += one.resident;
        }
        sum
    }

    /// The server's process and all that it has started.
    fn family(&self) -> Vec<u32> {
        let mut found: Vec<u32> = self.child.iter().map(Child::id).collect();
        let mut next = 0;
        while let Some(&process) = found.get(next) {
            found.extend(children(process));
            next += 1;
        }
        found
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let family: Vec<String> = self.family().iter().map(u32::to_string).collect();
        if let Some(child) = &mut self.child {
            // What has ended meanwhile is nothing to complain of.
            let _ = Command::new("kill")
                .arg("-KILL")
                .args(family)
                .stderr(Stdio::null())
                .status();
            let _ = child.wait();
        }
    }
}

/// This process's seconds of processor time.
pub(crate) fn own_cpu() -> f64 {
    usage_of(std::process::id()).cpu
}

fn log_file(name: &str) -> PathBuf {
    let letters = |letter: char| {
        if letter.is_ascii_alphanumeric() {
            letter
        } else {
            '-'
        }
    };
    let name: String = name.chars().map(letters).collect();
    std::env::temp_dir().join(format!("serving-{}-{name}.log", std::process::id()))
}

fn spawn(words: &[String], options: &Options, port: u16, log: &Path) -> anyhow::Result<Child> {
    let (program, arguments) = words.split_first().context("no command")?;
    let output = File::create(log).with_context(|| log.display().to_string())?;
    Command::new(program)
        .args(arguments)
        .env("FACEPLANE_ONNXRUNTIME", &options.onnxruntime)
        .env("ORT_DISABLE_TELEMETRY", "1")
        .env("PORT", port.to_string())
        .env("THREADS", options.threads.unwrap_or(0).to_string())
        .env(
            "MODEL",
            options
                .model
                .clone()
                .unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("onnx/phantom")),
        )
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        .spawn()
        .with_context(|| program.clone())
}

fn usage_of(process: u32) -> Usage {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{process}/{file}")).unwrap_or_default();
    let (stat, status) = (read("stat"), read("status"));
    // The fields after the name, which ends at the last parenthesis; the times are fields 14 and 15.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let time = |field: usize| {
        fields
            .get(field - 3)
            .and_then(|text| text.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    let memory = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        let kibibytes = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
        kibibytes.unwrap_or(0.0) / 1024.0
    };
    Usage {
        cpu: (time(14) + time(15)) / TICKS,
        peak: memory("VmHWM:"),
        resident: memory("VmRSS:"),
    }
}

fn children(process: u32) -> Vec<u32> {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{process}/task")) else {
        return Vec::new();
    };
    let lists = tasks
        .flatten()
        .filter_map(|task| std::fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| {
            list.split_whitespace()
                .filter_map(|text| text.parse().ok())
                .collect::<Vec<u32>>()
        })
        .collect()
}
