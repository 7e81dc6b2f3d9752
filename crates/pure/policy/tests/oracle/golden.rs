//! The recorded decisions.

/// What upstream decided in one history.
pub(crate) struct Record {
    pub(crate) seed: u64,
    pub(crate) digest: u64,
    /// One word per decision.
    pub(crate) decisions: Vec<String>,
    /// Digest of what else upstream put out, where there is more.
    pub(crate) outputs: Option<u64>,
}

/// Reads `SEED DIGEST RUN,RUN,… [DIGEST]` lines; a run is `WORD` or `WORDxCOUNT`.
pub(crate) fn records(text: &str) -> Vec<Record> {
    text.lines().filter(|line| !line.starts_with('#')).map(record).collect()
}

fn record(line: &str) -> Record {
    let mut fields = line.split(' ');
    let mut field = || fields.next().unwrap();
    let (seed, digest) = (field().parse().unwrap(), u64::from_str_radix(field(), 16).unwrap());
    let mut decisions = Vec::new();
    for run in field().split(',') {
        let (word, count) = run.split_once('x').unwrap_or((run, "1"));
        decisions.extend(std::iter::repeat_n(word.to_owned(), count.parse().unwrap()));
    }
    let outputs = fields.next().map(|text| u64::from_str_radix(text, 16).unwrap());
    Record { seed, digest, decisions, outputs }
}
