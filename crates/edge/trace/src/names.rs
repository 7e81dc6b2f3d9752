//! Names that columns usually have, and what they then mean.

/// A column name without case and punctuation.
pub(crate) fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

fn one_of(name: &str, known: &[&str]) -> bool {
    known.contains(&plain(name).as_str())
}

/// How strongly a name says that the column is the time; `None` for not at all.
pub(crate) fn time_rank(name: &str) -> Option<u32> {
    const SURE: [&str; 8] = ["timestamp", "time", "datetime", "utc", "ts", "date", "timestamputc", "timeutc"];
    const LIKELY: [&str; 12] = [
        "t",
        "ts",
        "start",
        "starttime",
        "arrival",
        "arrivaltime",
        "arrivedat",
        "createdat",
        "epoch",
        "unixtime",
        "window",
        "bin",
    ];
    let lower = plain(name);
    if one_of(name, &SURE) {
        return Some(3);
    }
    let cut = ["seconds", "ms", "us", "ns", "s"].iter().find_map(|unit| {
        let end = format!("_{unit}");
        name.to_ascii_lowercase().strip_suffix(&end).map(plain)
    });
    if one_of(name, &LIKELY) || cut.is_some_and(|base| one_of(&base, &SURE) || one_of(&base, &LIKELY)) {
        return Some(2);
    }
    (lower.ends_with("timestamp") || lower.ends_with("datetime") || lower.starts_with("timestamp"))
        .then_some(1)
}

/// Whether the name says requests per bin.
pub(crate) fn is_count(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    one_of(
        name,
        &[
            "count",
            "counts",
            "requests",
            "messages",
            "invocations",
            "hits",
            "calls",
            "arrivals",
            "events",
            "numrequests",
            "requestcount",
            "n",
        ],
    ) || lower.ends_with("_count")
        || lower.starts_with("count_")
}

/// Whether the name says requests per second.
pub(crate) fn is_rate(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    one_of(name, &["value", "rate", "rps", "qps", "raterps", "requestrate", "tps"])
        || ["_per_second", "_per_s", "_rps", "_qps", "persecond", "_rate"]
            .iter()
            .any(|end| lower.ends_with(end))
}

/// Whether the name usually tells series apart.
pub(crate) fn is_key(name: &str) -> bool {
    one_of(
        name,
        &[
            "key",
            "client",
            "clientid",
            "app",
            "application",
            "function",
            "host",
            "instance",
            "pod",
            "container",
            "region",
            "tenant",
            "series",
        ],
    )
}

/// Whether the name says tokens of the prompt.
pub(crate) fn is_input(name: &str) -> bool {
    one_of(
        name,
        &[
            "contexttokens",
            "inputlength",
            "inputtokens",
            "prompttokens",
            "numprefilltokens",
            "promptlen",
            "inputlen",
        ],
    )
}

/// Whether the name says generated tokens.
pub(crate) fn is_output(name: &str) -> bool {
    one_of(
        name,
        &[
            "generatedtokens",
            "outputlength",
            "outputtokens",
            "completiontokens",
            "numdecodetokens",
            "outputlen",
        ],
    )
}

/// Whether the name says time of service.
pub(crate) fn is_service(name: &str) -> bool {
    let lower = plain(name);
    ["servicetime", "exectime", "executiontime", "duration", "processingtime"]
        .iter()
        .any(|start| lower.starts_with(start))
}
