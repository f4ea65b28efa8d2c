//! Servers as processes: starts them, reads their CPU time and memory from /proc, and stops them with their child processes.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use crate::connection::Connection;
use crate::options::{Launch, Options, ServerSettings};

/// The longest time that a server may take until its first image.
const START_TIMEOUT: Duration = Duration::from_mins(2);

/// Clock ticks per second of the times in /proc: `USER_HZ`, which is 100 on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running server.
pub(crate) struct Server {
    pub(crate) host: String,
    /// The time from the start of the process to its first image in ms; `None` if the server already ran.
    pub(crate) start_time: Option<f64>,
    child: Option<Child>,
}

/// The CPU time and memory that a server has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// CPU time in seconds.
    pub(crate) cpu: f64,
    /// The peak of the resident memory in MiB.
    pub(crate) peak: f64,
    /// The resident memory in MiB.
    pub(crate) resident: f64,
}

impl Server {
    /// Starts a server and waits for its first image.
    pub(crate) async fn start(settings: &ServerSettings, options: &Options) -> anyhow::Result<Self> {
        let start = Instant::now();
        let log = log_file(&settings.name);
        let (child, host) = match &settings.launch {
            Launch::Running(host) => (None, host.clone()),
            Launch::Service(arguments) => {
                let command: Vec<_> = std::iter::once(options.program.clone())
                    .chain(arguments.iter().cloned())
                    .collect();
                let mut server = Self {
                    host: String::new(),
                    start_time: None,
                    child: Some(spawn(&command, options, 0, &log)?),
                };
                server.host = server.address(&log, start).await?;
                (server.child.take(), server.host.clone())
            }
            Launch::Peer(command) => {
                let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
                (
                    Some(spawn(command, options, port, &log)?),
                    format!("127.0.0.1:{port}"),
                )
            }
        };
        let mut server = Self {
            host,
            start_time: None,
            child,
        };
        server.wait_for_first_image(&settings.path, start, &log).await?;
        server.start_time = server
            .child
            .is_some()
            .then(|| start.elapsed().as_secs_f64() * 1e3);
        Ok(server)
    }

    /// Waits until the server returns an image. Fails if the process ends or the timeout passes.
    async fn wait_for_first_image(&mut self, path: &str, start: Instant, log: &Path) -> anyhow::Result<()> {
        loop {
            let attempt = async {
                Connection::open(&self.host)
                    .await?
                    .post(path, r#"{"seed": 1}"#)
                    .await
            };
            if let Ok(Ok(response)) = tokio::time::timeout(Duration::from_secs(20), attempt).await
                && response.status == 200
            {
                return Ok(());
            }
            self.check_is_starting(start, log)?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// The address that the service writes to its log when it is ready.
    async fn address(&mut self, log: &Path, start: Instant) -> anyhow::Result<String> {
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
            self.check_is_starting(start, log)?;
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Fails if the process has ended or the timeout has passed.
    fn check_is_starting(&mut self, start: Instant, log: &Path) -> anyhow::Result<()> {
        let ended = match &mut self.child {
            Some(child) => child.try_wait()?.is_some(),
            None => false,
        };
        if ended || start.elapsed() > START_TIMEOUT {
            bail!("the server does not start; see its log in {}", log.display());
        }
        Ok(())
    }

    /// The CPU time and memory of the server and its child processes.
    pub(crate) fn usage(&self) -> Usage {
        let mut sum = Usage::default();
        for process in self.process_tree() {
            let usage = usage_of(process);
            sum.cpu += usage.cpu;
            sum.peak += usage.peak;
            sum.resident += usage.resident;
        }
        sum
    }

    /// The ids of the server's process and of all its descendants.
    fn process_tree(&self) -> Vec<u32> {
        let mut processes: Vec<u32> = self.child.iter().map(Child::id).collect();
        let mut next = 0;
        while let Some(&process) = processes.get(next) {
            processes.extend(children(process));
            next += 1;
        }
        processes
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let processes: Vec<String> = self.process_tree().iter().map(u32::to_string).collect();
        if let Some(child) = &mut self.child {
            // Some of the processes may have ended already.
            let _ = Command::new("kill")
                .arg("-KILL")
                .args(processes)
                .stderr(Stdio::null())
                .status();
            let _ = child.wait();
        }
    }
}

/// The CPU time of this process in seconds.
pub(crate) fn own_cpu() -> f64 {
    usage_of(std::process::id()).cpu
}

/// The file for the output of the server with this name.
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

/// Starts a command, and writes its output to `log`.
fn spawn(command: &[String], options: &Options, port: u16, log: &Path) -> anyhow::Result<Child> {
    let (program, arguments) = command
        .split_first()
        .context("the command is empty; expected a program")?;
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

/// The CPU time and memory of one process; zero if it has ended.
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
        cpu: (time(14) + time(15)) / TICKS_PER_SECOND,
        peak: memory("VmHWM:"),
        resident: memory("VmRSS:"),
    }
}

/// The ids of the child processes of a process.
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
