//! `homeostat replay`: the same observations must give the same decisions.

use std::path::{Path, PathBuf};

use homeostat_core::journal::{Decoder, Header, RecordedDecision, SchemaProbe};
use homeostat_core::{Controller, Observation};
use homeostat_trace::journal::{Block, JournalReader};
use serde_json::json;

use crate::cli::ReplayArgs;
use crate::failure::{Code, Failure, Outcome};
use crate::run::journal::Recipe;
use crate::show::say;

/// Differences that are printed one by one.
const SHOWN: usize = 10;

/// One turn of the loop as recorded.
pub(crate) struct Turn {
    pub(crate) seen: Observation,
    pub(crate) decision: RecordedDecision,
}

/// A journal being read.
pub(crate) struct Journal {
    pub(crate) header: Header,
    path: PathBuf,
    reader: JournalReader,
    decoder: Decoder,
    block: Option<Block>,
    /// Records of the present block that were read.
    taken: usize,
}

impl Journal {
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let reader = JournalReader::open(path)?;
        let name = path.display();
        let probe: SchemaProbe = serde_json::from_slice(reader.header())
            .map_err(|e| Failure::new(format!("{name}: the header is damaged: {e}")))?;
        probe.check().map_err(|e| Failure::new(format!("{name}: {e}")))?;
        let header: Header = serde_json::from_slice(reader.header())
            .map_err(|e| Failure::new(format!("{name}: the header is damaged: {e}")))?;
        header.check().map_err(|e| Failure::new(format!("{name}: {e}")))?;
        let decoder = Decoder::new(&header.needs());
        Ok(Self { header, path: path.to_owned(), reader, decoder, block: None, taken: 0 })
    }

    /// The next turn.
    pub(crate) fn next(&mut self) -> Result<Option<Turn>, Failure> {
        loop {
            if let Some(block) = &self.block
                && let Some(record) = block.records().nth(self.taken)
            {
                self.taken += 1;
                let turn = self.decoder.next(record);
                let (seen, decision) =
                    turn.map_err(|e| Failure::new(format!("{}: {e}", self.path.display())))?;
                return Ok(Some(Turn { seen, decision }));
            }
            match self.reader.next() {
                Some(block) => (self.block, self.taken) = (Some(block?), 0),
                None => return Ok(None),
            }
        }
    }
}

pub(crate) fn run(args: &ReplayArgs) -> Outcome {
    let mut journal = Journal::open(&args.journal)?;
    let mut controller = controller(&journal.header, &args.journal)?;
    let (mut turns, mut different) = (0_u64, 0_u64);
    while let Some(turn) = journal.next()? {
        let decision = controller.tick(&turn.seen);
        turns += 1;
        if !turn.decision.matches(&decision) {
            different += 1;
            if different as usize <= SHOWN {
                let at = decision.at.to_utc_string();
                eprintln!("{at}: recorded {}, now {}", turn.decision.replicas(), decision.replicas());
            }
        }
    }
    if args.json {
        say(json!({ "decisions": turns, "different": different }))?;
    } else {
        say(format!("{}: {turns} decisions, {different} different", args.journal.display()))?;
    }
    Ok(if different == 0 { Code::Done } else { Code::Missed })
}

/// The loop as it was when the journal was written.
fn controller(header: &Header, path: &Path) -> Result<Controller, Failure> {
    let recipe: Recipe = serde_json::from_str(&header.policy_spec)
        .map_err(|e| Failure::new(format!("{}: its policy can't be read: {e}", path.display())))?;
    let policies = recipe.service.policies(&recipe.policy, &recipe.outlook(header.trace_start()))?;
    Ok(Controller::new(policies, header.guards.clone(), header.bounds))
}
