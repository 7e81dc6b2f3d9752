//! What is wrong with a policy's configuration, said so that it can be repaired.

/// A configuration that no policy can be built from.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {problem}; expected {expected}, for example `{example}`")]
pub struct PolicyError {
    /// The field, as a path from the root of the configuration: `spec.behavior.scaleUp.policies[0]`.
    pub path: String,
    /// What was found there.
    pub problem: String,
    /// What belongs there.
    pub expected: String,
    /// A value that would be accepted.
    pub example: String,
}

impl PolicyError {
    /// An error about the field at `path`.
    pub fn new(
        path: impl Into<String>,
        problem: impl Into<String>,
        expected: impl Into<String>,
        example: impl Into<String>,
    ) -> Self {
        Self {
            path: path.into(),
            problem: problem.into(),
            expected: expected.into(),
            example: example.into(),
        }
    }
}
