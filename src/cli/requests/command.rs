//! A command that sends requests, and what it does.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::fs::File;
use std::panic::resume_unwind;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::{ArgMatches, Command, FromArgMatches, Subcommand};
use tokio::sync::mpsc::unbounded_channel;
use tokio::task::JoinSet;

use super::arguments::{command_of, images_of, parameters_of};
use super::destination::{Destination, JSON};
use super::error::RequestError;
use super::settings::RequestSettings;
use super::task::Task;
use crate::api::{LocalClient, LocalRequest, Operation, operations};
use crate::cli::alone::async_runtime;
use crate::cli::progress_line::ProgressLine;
use crate::editor::InversionProgress;
use crate::telemetry;

/// The most requests that are sent at the same time: they fill several batches.
const AT_ONCE: u32 = 32;

/// How often the progress is shown.
const UPDATE: Duration = Duration::from_millis(250);

/// A command that sends requests to an operation on faces.
#[derive(Clone, Debug)]
pub struct RequestCommand {
    operation: &'static Operation,
    parameters: Vec<(String, String)>,
    images: Vec<PathBuf>,
    settings: RequestSettings,
}

impl Subcommand for RequestCommand {
    fn augment_subcommands(command: Command) -> Command {
        command.subcommands(operations().iter().map(command_of))
    }

    fn augment_subcommands_for_update(command: Command) -> Command {
        Self::augment_subcommands(command)
    }

    fn has_subcommand(name: &str) -> bool {
        operations().iter().any(|operation| operation.name == name)
    }
}

impl FromArgMatches for RequestCommand {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let found = matches.subcommand().and_then(|(name, matches)| {
            let operation = operations().iter().find(|operation| operation.name == name);
            Some((operation?, matches))
        });
        let (operation, matches) =
            found.ok_or_else(|| clap::Error::new(clap::error::ErrorKind::MissingSubcommand))?;
        Ok(Self {
            operation,
            parameters: parameters_of(operation, matches),
            images: images_of(operation, matches),
            settings: RequestSettings::from_arg_matches(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl RequestCommand {
    /// Loads the model, sends the requests, and writes the responses.
    ///
    /// # Errors
    /// [`RequestError`]. Files that were written before it stay.
    pub fn run(&self) -> Result<(), RequestError> {
        let destination = Destination::of(self.settings.output.as_deref());
        let parameters = self.with_format(&destination)?;
        let format = parameters.iter().find(|(name, _)| name == "format");
        let is_text = match format {
            Some((_, word)) => word == JSON,
            // Some operations have numbers only.
            None => self
                .operation
                .parameter("format")
                .is_none_or(|format| format.words.iter().all(|word| word != "png")),
        };
        destination.check(is_text)?;
        let tasks = self.tasks(parameters, &destination)?;
        let at_once = u32::try_from(tasks.len()).unwrap_or(u32::MAX).min(AT_ONCE);
        let (client, watchdog) = self.settings.open(at_once)?;
        let done =
            async_runtime()
                .map_err(RequestError::Threads)?
                .block_on(run_all(&client, tasks, &destination));
        // Nobody waits for a run that is still under way.
        watchdog.close();
        done
    }

    /// The parameters, with the format that `--json` or the file asks for.
    fn with_format(&self, destination: &Destination) -> Result<Vec<(String, String)>, RequestError> {
        let mut parameters = self.parameters.clone();
        if self.settings.json {
            let has_format = self.operation.parameter("format").is_some();
            parameters.retain(|(name, _)| name != "format");
            parameters.extend(has_format.then(|| ("format".to_owned(), JSON.to_owned())));
            return Ok(parameters);
        }
        let has = |name: &str| parameters.iter().any(|(found, _)| found == name);
        let chosen = destination.format(self.operation);
        // A format of the command line wins over the name of the file.
        let chosen = if has("format") {
            chosen.unwrap_or_default()
        } else {
            chosen?
        };
        let added = chosen.filter(|(name, _)| !has(name));
        parameters.extend(added);
        Ok(parameters)
    }

    /// The requests: one for each image, and in a folder one for each seed.
    fn tasks(
        &self,
        parameters: Vec<(String, String)>,
        destination: &Destination,
    ) -> Result<Vec<Task>, RequestError> {
        let has_code = parameters.iter().any(|(name, _)| name == "latent");
        let request = LocalRequest {
            operation: self.operation.name.clone(),
            parameters,
            image: None,
            progress: None,
        };
        let in_folder = matches!(destination, Destination::Folder(_));
        if !self.images.is_empty() {
            return self.tasks_of_images(&request, in_folder);
        }
        if in_folder && !has_code && self.operation.parameter("seed").is_some() {
            let of_seed = |(seed, request)| Task {
                name: format!("seed{seed}"),
                request,
                image: None,
            };
            return Ok(request.for_each_seed()?.into_iter().map(of_seed).collect());
        }
        Ok(vec![Task {
            name: self.operation.name.clone(),
            request,
            image: None,
        }])
    }

    fn tasks_of_images(&self, request: &LocalRequest, in_folder: bool) -> Result<Vec<Task>, RequestError> {
        if self.images.len() > 1 && !in_folder {
            let images = self.images.len();
            return Err(RequestError::NoFolder { images });
        }
        let mut names = HashSet::new();
        let task = |file: &PathBuf| {
            // The model takes a while to load, so a missing file is found before it.
            File::open(file).map_err(|source| RequestError::Unreadable {
                file: file.clone(),
                source,
            })?;
            let name = file.file_stem().and_then(OsStr::to_str).unwrap_or("image");
            if !names.insert(name.to_owned()) {
                let name = name.to_owned();
                return Err(RequestError::SameName { name });
            }
            Ok(Task {
                name: name.to_owned(),
                request: request.clone(),
                image: Some(file.clone()),
            })
        };
        self.images.iter().map(task).collect()
    }
}

/// Sends the requests, some at the same time, and shows how many are done. The first error ends the others.
async fn run_all(
    client: &LocalClient,
    mut tasks: Vec<Task>,
    destination: &Destination,
) -> Result<(), RequestError> {
    let mut line = ProgressLine::new();
    let (all, started) = (tasks.len(), Instant::now());
    let (sender, mut steps) = unbounded_channel();
    let mut step = None;
    if let [only] = &mut tasks[..] {
        only.request.progress = Some(sender);
    }
    let mut waiting = tasks.into_iter();
    let mut running = JoinSet::new();
    for done in 0..=all {
        while running.len() < AT_ONCE as usize
            && let Some(task) = waiting.next()
        {
            running.spawn(task.run(client.clone(), destination.clone()));
        }
        let ended = loop {
            // On a terminal, the line would stand in the response.
            if *destination != Destination::StandardOutput {
                line.show(&progress(done, all, step.as_ref(), started));
            }
            tokio::select! {
                ended = running.join_next() => break ended,
                Some(taken) = steps.recv() => step = Some(taken),
                () = tokio::time::sleep(UPDATE) => {}
            }
        };
        let Some(ended) = ended else {
            break;
        };
        let notes = ended.unwrap_or_else(|error| resume_unwind(error.into_panic()))?;
        for note in notes {
            line.clear();
            telemetry::print_line(&format!("faceplane: {note}"));
        }
    }
    Ok(())
}

/// The progress as one line: how many files, or for a single one how long it takes, and the `step` of its inversion.
fn progress(done: usize, all: usize, step: Option<&InversionProgress>, started: Instant) -> String {
    if all == 1 {
        let seconds = started.elapsed().as_secs();
        return match step {
            Some(step) => format!(
                "step {} of at most {}, loss {:.4}, {seconds} s",
                step.step, step.total_steps, step.loss
            ),
            None if seconds == 0 => String::new(),
            None => format!("{seconds} s"),
        };
    }
    #[expect(clippy::cast_precision_loss, reason = "a number to show")]
    let rate = done as f64 / started.elapsed().as_secs_f64().max(1e-3);
    format!("{done} of {all} files, {rate:.1} a second")
}
