//! Counts the attributes of tags before a page is parsed.
//!
//! The parser compares each attribute of a tag with all before it, so a tag with half a million of them would take it
//! many seconds. The count is taken from the bytes, by the rules of the HTML tokenizer for the inside of tags. Whether a
//! `<` begins a tag depends on what is around it (a script, a comment, a quoted value), so every possibility is
//! followed at once and the largest count is kept: never less than what the parser will see, in time that grows with the
//! length only.

use State::{
    AfterName, BeforeName, BeforeValue, DoubleQuoted, Name, SingleQuoted, TagName, Unquoted,
};

/// Attributes of one tag. Pages made by people stay below fifty.
pub(super) const ATTRIBUTES_MAX: usize = 500;

/// Where in a tag a possible reading is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    TagName,
    /// Where an attribute may start.
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    DoubleQuoted,
    SingleQuoted,
    Unquoted,
}

const STATES: [State; 8] = [
    TagName,
    BeforeName,
    Name,
    AfterName,
    BeforeValue,
    DoubleQuoted,
    SingleQuoted,
    Unquoted,
];

/// For each state the largest number of attributes with which a reading is in it, if any is.
type Readings = [Option<usize>; STATES.len()];

/// Whether no tag of the page, however it is read, has more than [`ATTRIBUTES_MAX`] attributes.
pub(super) fn attributes_are_few(page: &str) -> bool {
    let bytes = page.as_bytes();
    let mut readings = Readings::default();
    let mut place = 0;
    while let Some(byte) = bytes.get(place) {
        if readings == Readings::default() {
            match bytes[place..].iter().position(|byte| *byte == b'<') {
                Some(distance) => place += distance,
                None => break,
            }
        } else {
            let Some(next) = step(&readings, *byte) else {
                return false;
            };
            readings = next;
        }
        if starts_tag(bytes, place) {
            readings[TagName as usize] = readings[TagName as usize].max(Some(0));
        }
        place += 1;
    }
    true
}

/// Whether the next byte is the first of a tag's name: after `<` or `</` at this place.
fn starts_tag(bytes: &[u8], place: usize) -> bool {
    let is_letter = |place: usize| bytes.get(place).is_some_and(u8::is_ascii_alphabetic);
    match &bytes[..=place] {
        [.., b'<'] => is_letter(place + 1),
        [.., b'<', b'/'] => is_letter(place + 1),
        _ => false,
    }
}

/// All readings one byte further; nothing when one has too many attributes.
fn step(readings: &Readings, byte: u8) -> Option<Readings> {
    let mut next = Readings::default();
    for state in STATES {
        let Some(count) = readings[state as usize] else {
            continue;
        };
        let Some(reached) = after(state, byte) else {
            continue;
        };
        let begins = reached == Name && state != Name;
        let count = count + usize::from(begins);
        if count > ATTRIBUTES_MAX {
            return None;
        }
        next[reached as usize] = next[reached as usize].max(Some(count));
    }
    Some(next)
}

/// The state after a byte; none when the tag has ended.
fn after(state: State, byte: u8) -> Option<State> {
    let is_space = matches!(byte, b'\t' | b'\n' | b'\r' | b'\x0c' | b' ');
    Some(match (state, byte) {
        (DoubleQuoted, b'"') | (SingleQuoted, b'\'') => BeforeName,
        (DoubleQuoted | SingleQuoted, _) => state,
        (_, b'>') => return None,
        (TagName | BeforeName | Unquoted, _) if is_space => BeforeName,
        (TagName | BeforeName, b'/') => BeforeName,
        (TagName | Unquoted, _) => state,
        (Name | AfterName, b'=') => BeforeValue,
        (Name | AfterName, _) if is_space => AfterName,
        (Name | AfterName, b'/') => BeforeName,
        (BeforeName | Name | AfterName, _) => Name,
        (BeforeValue, b'"') => DoubleQuoted,
        (BeforeValue, b'\'') => SingleQuoted,
        (BeforeValue, _) if is_space => BeforeValue,
        (BeforeValue, _) => Unquoted,
    })
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use html5ever::tendril::StrTendril;
    use html5ever::tokenizer::{
        BufferQueue, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
    };
    use proptest::prelude::*;

    use super::*;

    /// The largest number in a page, counted by the parser itself.
    #[derive(Default)]
    struct Largest(Cell<usize>);

    impl TokenSink for Largest {
        type Handle = ();

        fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
            if let Token::TagToken(tag) = token {
                self.0.set(self.0.get().max(tag.attrs.len()));
            }
            TokenSinkResult::Continue
        }
    }

    fn counted_by_the_parser(page: &str) -> usize {
        let tokenizer = Tokenizer::new(Largest::default(), TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(page));
        _ = tokenizer.feed(&input);
        tokenizer.end();
        tokenizer.sink.0.get()
    }

    fn tag(count: usize, attribute: impl Fn(usize) -> String) -> String {
        let attributes: String = (0..count).map(attribute).collect();
        format!("<p{attributes}>x")
    }

    #[test]
    fn the_bound_is_exact_in_every_notation() {
        let notations: [fn(usize) -> String; 7] = [
            |number| format!(" a{number}"),
            |number| format!("/a{number}"),
            |number| format!(" a{number} = \"x y > ' <b c\""),
            |number| format!(" a{number}='x y>'"),
            |number| format!("\na{number}=x/y"),
            |number| format!("\t=a{number}"),
            |number| format!(" a{number} ="),
        ];
        for notation in &notations[..5] {
            assert!(attributes_are_few(&tag(ATTRIBUTES_MAX, notation)));
            assert!(!attributes_are_few(&tag(ATTRIBUTES_MAX + 1, notation)));
        }
        // Here every second one is the value of the one before.
        for notation in &notations[5..] {
            assert!(attributes_are_few(&tag(ATTRIBUTES_MAX, notation)));
            assert!(!attributes_are_few(&tag(2 * ATTRIBUTES_MAX + 1, notation)));
        }
    }

    #[test]
    fn long_values_and_long_texts_are_not_attributes() {
        let words = "M 0 0 ".repeat(10_000);
        for page in [
            format!("<p>{words}<b>x</b>"),
            format!("<path d='{words}'>"),
            format!("<path d=\"{words}\">"),
            format!("<!-- {words} --><script>if (a < b) {{ {words} }}</script>"),
            "<p a b c>".repeat(10_000),
            "<".repeat(10_000),
        ] {
            assert!(attributes_are_few(&page), "{}", &page[..20]);
        }
    }

    #[test]
    fn tags_are_found_wherever_a_reader_may_see_one() {
        let many = tag(ATTRIBUTES_MAX + 1, |number| format!(" a{number}"));
        for before in [
            "",
            "</b x='",
            "<svg><style>",
            "<!--><i '",
            "<script>a<b ='",
            "x < y <",
            "<a b=\"<i c='",
        ] {
            assert!(!attributes_are_few(&format!("{before}{many}")), "{before}");
        }
    }

    proptest! {
        #[test]
        fn never_fewer_are_counted_than_the_parser_sees(page in "[<>/='\"! a-c\n-]{0,60}") {
            let seen = counted_by_the_parser(&page);
            let mut most = 0;
            let mut readings = Readings::default();
            for place in 0..page.len() {
                readings = step(&readings, page.as_bytes()[place]).unwrap();
                if starts_tag(page.as_bytes(), place) {
                    readings[TagName as usize] = readings[TagName as usize].max(Some(0));
                }
                most = most.max(readings.iter().flatten().copied().max().unwrap_or_default());
            }
            prop_assert!(seen <= most, "{seen} of {most}");
        }
    }
}
