//! Reasons of decisions in little room: sentences differ mostly in their numbers.

use std::collections::BTreeMap;

/// Stands for a number inside a stored sentence.
const NUMBER: char = '\u{1}';

/// The sentences of a report, each once, with their numbers taken out.
#[derive(Debug, Default)]
pub(crate) struct Reasons {
    known: BTreeMap<String, usize>,
    sentences: Vec<String>,
}

impl Reasons {
    /// The position of the sentence of `text`, its numbers, and the bytes that a new sentence takes.
    pub(crate) fn put(&mut self, text: &str) -> (usize, String, usize) {
        let (sentence, numbers) = split(text);
        if let Some(&position) = self.known.get(&sentence) {
            return (position, numbers, 0);
        }
        let position = self.sentences.len();
        let bytes = crate::escape::json(&serde_json::json!(sentence).to_string()).len() + 1;
        self.sentences.push(sentence.clone());
        self.known.insert(sentence, position);
        (position, numbers, bytes)
    }

    /// All sentences, in the order of their positions.
    pub(crate) fn into_sentences(self) -> Vec<String> {
        self.sentences
    }
}

/// Takes the numbers out of a text: a sentence with gaps, and the numbers with spaces between.
fn split(text: &str) -> (String, String) {
    let mut sentence = String::with_capacity(text.len());
    let mut numbers = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let number = rest[..digits].trim_end_matches('.');
        if first.is_ascii_digit() {
            let space = if numbers.is_empty() { "" } else { " " };
            numbers = numbers + space + number;
            sentence.push(NUMBER);
            rest = &rest[number.len()..];
        } else {
            sentence.push(if first == NUMBER { ' ' } else { first });
            rest = &rest[first.len_utf8()..];
        }
    }
    (sentence, numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_leave_their_sentence_and_can_go_back() {
        let text = "load 23.2 of 30, v1.2.3 at 5. Then…7";
        let (sentence, numbers) = split(text);
        assert_eq!(numbers, "23.2 30 1.2.3 5 7");
        let mut back = numbers.split(' ');
        let joined: String = sentence
            .chars()
            .map(|c| if c == NUMBER { back.next().unwrap().to_owned() } else { c.to_string() })
            .collect();
        assert_eq!(joined, text);
        assert_eq!(split("..."), ("...".into(), String::new()));
    }

    #[test]
    fn a_sentence_is_kept_once() {
        let mut reasons = Reasons::default();
        let (first, _, bytes) = reasons.put("load 5");
        let (second, numbers, again) = reasons.put("load 17.5");
        assert_eq!((first, second, numbers.as_str(), again), (0, 0, "17.5", 0));
        assert!(bytes > 0);
        assert_eq!(reasons.into_sentences().len(), 1);
    }
}
