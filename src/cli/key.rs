//! `faceplane key`: makes keys for clients.

use clap::{Args, Subcommand};

use crate::api::{NewKey, Scope, key_name};

/// What to do with keys.
#[derive(Debug, Args)]
pub struct Key {
    #[command(subcommand)]
    action: KeyAction,
}

#[derive(Debug, Subcommand)]
enum KeyAction {
    /// Make a key: its line for the file of --api-keys goes to standard output, the key itself to standard error, once
    New {
        /// The name of the key, which appears in the log: letters, digits and -_.@
        #[arg(long, value_parser = key_name)]
        name: String,

        /// What the key allows: use (sample, edit, invert, score, read), train (also jobs, and changes of boundaries), or admin (all)
        #[arg(long)]
        scope: Scope,
    },
}

impl Key {
    /// Makes the key, and prints it.
    ///
    /// # Errors
    /// The system gives no random numbers, or the output is closed.
    pub fn run(&self) -> std::io::Result<()> {
        use std::io::Write as _;
        let KeyAction::New { name, scope } = &self.action;
        let key = NewKey::random()?;
        writeln!(std::io::stdout(), "{}", key.line(name, *scope))?;
        writeln!(std::io::stderr(), "{}", key.text())
    }
}
