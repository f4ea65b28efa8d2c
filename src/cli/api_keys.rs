//! The file of `--api-keys`: read at the start, and again whenever it changes.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;

use crate::api::{Guard, Keys};

/// The time between two looks at the file. A change must be there at two looks, so that no half-written file is used.
const INTERVAL: Duration = Duration::from_millis(500);

/// The largest file of keys, in bytes.
const LARGEST: u64 = 1 << 20;

/// The file, and the text of it that was used last.
pub(super) struct KeyFile {
    path: PathBuf,
    text: String,
}

impl KeyFile {
    /// Reads the file.
    pub(super) fn open(path: PathBuf) -> anyhow::Result<(Self, Keys)> {
        let text = read(&path)?;
        let keys = parse(&path, &text)?;
        Ok((Self { path, text }, keys))
    }

    /// Gives the guard the keys of the file whenever it changes, without end. If the file is missing or wrong, the guard keeps its
    /// keys, and the log says why.
    pub(super) async fn follow(self, guard: Guard) {
        let Self { path, text } = self;
        let (mut used, mut before) = (Ok(text.clone()), Ok(text));
        loop {
            tokio::time::sleep(INTERVAL).await;
            let file = path.clone();
            let read = tokio::task::spawn_blocking(move || read(&file).map_err(|error| format!("{error:#}")));
            let Ok(now) = read.await else {
                continue;
            };
            if now != used && now == before {
                let keys = now.clone().and_then(|text| {
                    let keys = parse(&path, &text);
                    keys.map_err(|error| format!("{error:#}"))
                });
                match keys {
                    Ok(keys) => {
                        tracing::info!(
                            count = keys.len(),
                            "the file of keys has changed: its keys are used"
                        );
                        guard.replace_keys(keys);
                    }
                    Err(error) => {
                        tracing::error!(error, "the file of keys has changed: the keys from before stay");
                    }
                }
                used = now.clone();
            }
            before = now;
        }
    }
}

fn read(path: &Path) -> anyhow::Result<String> {
    let read = || {
        let mut text = String::new();
        File::open(path)?.take(LARGEST + 1).read_to_string(&mut text)?;
        Ok::<_, std::io::Error>(text)
    };
    let text = read().with_context(|| format!("{}: the keys cannot be read", path.display()))?;
    let size = text.len() as u64;
    anyhow::ensure!(
        size <= LARGEST,
        "{}: found more than {LARGEST} bytes, expected a file of keys",
        path.display()
    );
    Ok(text)
}

fn parse(path: &Path, text: &str) -> anyhow::Result<Keys> {
    Keys::parse(text).with_context(|| path.display().to_string())
}
