//! Bad input is refused with the file, the row, the column, what was expected and an example.

#![allow(clippy::unwrap_used, reason = "a test may stop anywhere")]
#![allow(dead_code, reason = "the helpers serve several files")]

mod common;

use common::{error, file, gzip, options};
use homeostat_core::Span;
use homeostat_trace::{ConvertTo, Format, ReadOptions, TraceError, convert, open};

fn refused(content: &str, options: &ReadOptions, parts: &[&str]) {
    let error = error(content, options);
    for part in parts.iter().chain(&["trace.csv", "expected", "example"]) {
        assert!(error.contains(part), "`{part}` is not in: {error}");
    }
}

#[test]
fn whole_files() {
    let plain = ReadOptions::default();
    refused("", &plain, &["empty"]);
    refused("\n\n", &plain, &["no rows"]);
    refused("time,count\n", &plain, &["header and nothing else"]);
    refused("a\u{0}b", &plain, &["binary"]);
    refused("{\"x\": 1}\n", &plain, &["row 1", "JSON of an unknown kind"]);
    refused("name,colour\nx,red\n", &plain, &["row 1", "name, colour", "--map"]);
    refused("t,requests,hits\n0,1,2\n", &plain, &["several columns", "requests", "hits", "--map"]);
    refused("t,count\n0,1\n", &plain, &["fewer than two times", "--step"]);
}

#[test]
fn cells() {
    let plain = ReadOptions::default();
    refused("t,count\n0,1\n10,-3\n", &plain, &["row 3", "column `count`", "`-3` is negative"]);
    refused("t,count\n0,1\n10,x\n", &plain, &["row 3", "column `count`", "`x` is not a number"]);
    refused("t,count\n0,1\n10,1.5\n", &plain, &["row 3", "whole", "--map rate=count"]);
    refused("t,rate\n0,1\n10,NaN\n", &plain, &["row 3", "column `rate`", "`NaN`"]);
    refused("t,rate\n0,1\n10,inf\n", &plain, &["row 3", "too large"]);
    refused("t,count\n0,1\nnoon,2\n", &plain, &["row 3", "column `t`", "`noon` is not a time", "ISO 8601"]);
    refused("t,count\nnoon,2\n", &plain, &["row 2", "column `t`", "not a time"]);
    refused("t,count\n0,1\n10\n", &plain, &["row 3", "column `count`", "ends after 1 of 2"]);
    refused("t,input_tokens\n0,1\n1,-4\n", &plain, &["row 3", "column `input_tokens`", "tokens"]);
}

#[test]
fn order_and_duplicates() {
    let plain = ReadOptions::default();
    refused("t,count\n0,1\n20,1\n10,1\n", &plain, &["row 4", "column `t`", "before", "row 3", "--sort"]);
    refused("t,count\n0,1\n10,1\n10,1\n", &plain, &["row 4", "already in row 3", "--on-duplicate sum"]);
    refused("t,input_tokens\n5,1\n4,1\n", &plain, &["row 3", "before", "--sort"]);
}

#[test]
fn columns_that_are_not_there() {
    refused("when,n\n0,1\n", &options("time=time,count=n"), &["column `time`", "no such column", "when, n"]);
    let azure = ReadOptions { format: Some(Format::AzureLlm), ..ReadOptions::default() };
    refused("a,b\n1,2\n", &azure, &["row 1", "a,b", "TIMESTAMP,ContextTokens,GeneratedTokens"]);
    let servegen = ReadOptions { format: Some(Format::ServeGen), ..ReadOptions::default() };
    refused("client,t_s\n1,2\n", &servegen, &["row 1", "client,t_s,rate_rps"]);
}

#[test]
fn steps_that_nobody_knows() {
    let error = error("requests\n1\n2\n", &ReadOptions::default());
    assert!(error.contains("--step") && error.contains("no times"), "{error}");
}

#[test]
fn json() {
    let plain = ReadOptions::default();
    let line = "{\"timestamp\": 0, \"input_length\": 1, \"output_length\": 1}\n";
    refused(&format!("{line}{{\"timestamp\": 1}}\n"), &plain, &["row 2", "input_length"]);
    let answer = |result: &str| format!("{{\"status\":\"success\",\"data\":{{\"resultType\":{result}}}}}");
    refused(&answer("\"vector\",\"result\":[]"), &plain, &["`resultType` is `vector`", "matrix"]);
    refused(&answer("\"matrix\",\"result\":[]"), &plain, &["no samples"]);
    let negative = "\"matrix\",\"result\":[{\"values\":[[1,\"2\"],[61,\"-1\"]]}]";
    refused(&answer(negative), &plain, &["row 1", "sample 2 of series 1", "negative"]);
    refused("{\"status\":\"error\",\"error\":\"x\"}", &plain, &["`status` is `error`"]);
    refused("{\"status\":\"success\",\"data\":{\"resultType\":", &plain, &["EOF"]);
}

#[test]
fn damaged_gzip() {
    let rows: String =
        (0..20_000).flat_map(|row| [(row * 7_919 % 1_013).to_string(), "\n".to_owned()]).collect();
    let whole = gzip(rows.as_bytes());
    let options = ReadOptions { step: Some(Span::SECOND), ..ReadOptions::default() };
    let cut = file(&whole[..whole.len() / 2]);
    let message = open(&cut.path, &options).unwrap().stream.find_map(Result::err).unwrap().to_string();
    assert!(message.contains("ends early") && message.contains("trace.csv"), "{message}");
    assert!(matches!(open(&file(&whole[..5]).path, &options), Err(TraceError::Gzip { .. })));
    let mut wrong = whole.clone();
    let middle = wrong.len() - 6;
    wrong[middle] ^= 0x55;
    assert!(open(&file(&wrong).path, &options).unwrap().stream.any(|item| item.is_err()));
}

#[test]
fn nothing_half_written() {
    let scratch = file("t,count\n0,1\n10,2\n20,x\n");
    let out = scratch.folder.path().join("out.csv.gz");
    let result = convert(&scratch.path, &ReadOptions::default(), &out, ConvertTo::Rate, None);
    assert!(result.is_err());
    let left: Vec<_> =
        std::fs::read_dir(scratch.folder.path()).unwrap().map(|f| f.unwrap().file_name()).collect();
    assert_eq!(left, ["trace.csv"]);
    assert!(open(&out, &ReadOptions::default()).unwrap_err().to_string().contains("cannot open"));
}
