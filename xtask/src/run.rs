//! Running a program to its end.

use std::process::{Command, Stdio};

/// Shows a command and runs it without input; a failure says what it was.
pub(crate) fn done(command: &mut Command) -> Result<(), String> {
    println!("+ {command:?}");
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{command:?}: {status}")),
        Err(error) => Err(format!("{command:?}: {error}")),
    }
}
