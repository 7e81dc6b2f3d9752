//! How commands end: exit codes, and errors with what to do about them.

use std::process::ExitCode;

/// Exit codes that scripts may rely on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    /// All done.
    Done = 0,
    /// An objective asked for with `--require` was missed, or a replay differed.
    Missed = 1,
    /// Bad input.
    BadInput = 2,
    /// Stopped by Ctrl-C.
    Stopped = 130,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

/// What commands return.
pub(crate) type Outcome = Result<Code, Failure>;

/// An error for the user. Everything that can go wrong here is bad input or a file that can't be
/// written.
#[derive(Debug)]
pub(crate) struct Failure(anyhow::Error);

impl Failure {
    /// An error in these words.
    pub(crate) fn new(text: impl std::fmt::Display) -> Self {
        Self(anyhow::anyhow!("{text}"))
    }

    /// Prints the error and its causes.
    pub(crate) fn report(&self) -> Code {
        let gone = |e: &std::io::Error| e.kind() == std::io::ErrorKind::BrokenPipe;
        if self.0.downcast_ref::<std::io::Error>().is_some_and(gone) {
            return Code::Done;
        }
        let mut text = self.0.to_string();
        for cause in self.0.chain().skip(1).map(ToString::to_string) {
            if !text.contains(&cause) {
                text = format!("{text}: {cause}");
            }
        }
        eprintln!("error: {text}");
        Code::BadInput
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}
