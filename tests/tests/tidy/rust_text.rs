//! Tells code, comments and string literals of a Rust file apart.

/// What a stretch of a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Everything but comments and the inside of literals.
    Code,
    /// A comment of either form, with its marks.
    Comment,
    /// The inside of a string, byte or character literal.
    Literal,
}

/// A stretch of a file.
#[derive(Debug)]
pub(crate) struct Piece<'a> {
    pub(crate) kind: Kind,
    /// Line of its first character, from 1.
    pub(crate) line: usize,
    pub(crate) text: &'a str,
}

/// Cuts a file into pieces, in order and without gaps.
pub(crate) fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let (mut code, mut at, mut line, mut code_line) = (0, 0, 1, 1);
    while at < text.len() {
        let rest = &text[at..];
        let Some((kind, length)) = special(rest, &text[..at]) else {
            let next = rest.chars().next().expect("there is a rest");
            line += usize::from(next == '\n');
            at += next.len_utf8();
            continue;
        };
        found.push(Piece {
            kind: Kind::Code,
            line: code_line,
            text: &text[code..at],
        });
        found.push(Piece {
            kind,
            line,
            text: &rest[..length],
        });
        line += rest[..length].matches('\n').count();
        at += length;
        (code, code_line) = (at, line);
    }
    found.push(Piece {
        kind: Kind::Code,
        line: code_line,
        text: &text[code..],
    });
    found
}

/// The code alone; literals and comments are left out, and lines stay where they are.
pub(crate) fn code(text: &str) -> String {
    pieces(text)
        .iter()
        .map(|piece| match piece.kind {
            Kind::Code => piece.text.to_owned(),
            Kind::Comment => "\n".repeat(piece.text.matches('\n').count()),
            Kind::Literal => format!("\"{}\"", "\n".repeat(piece.text.matches('\n').count())),
        })
        .collect()
}

/// The comment or literal that `rest` begins with, and its length in bytes.
fn special(rest: &str, before: &str) -> Option<(Kind, usize)> {
    let bytes = rest.as_bytes();
    match bytes[0] {
        b'/' if rest.starts_with("//") => {
            Some((Kind::Comment, rest.find('\n').unwrap_or(rest.len())))
        }
        b'/' if rest.starts_with("/*") => Some((Kind::Comment, block_comment(bytes))),
        b'"' => Some((Kind::Literal, quoted(bytes, b'"'))),
        b'r' if !before.ends_with(|c: char| c.is_alphanumeric() && c != 'b' || c == '_') => {
            raw_string(rest)
        }
        b'\'' => character(rest).map(|length| (Kind::Literal, length)),
        _ => None,
    }
}

fn block_comment(bytes: &[u8]) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    while at < bytes.len() {
        if bytes[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if bytes[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                break;
            }
        } else {
            at += 1;
        }
    }
    at
}

fn quoted(bytes: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            byte if byte == quote => return at + 1,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn raw_string(rest: &str) -> Option<(Kind, usize)> {
    let hashes = rest[1..].bytes().take_while(|&byte| byte == b'#').count();
    if rest.as_bytes().get(1 + hashes) != Some(&b'"') {
        return None;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let start = hashes + 2;
    let length = rest[start..]
        .find(&end)
        .map_or(rest.len(), |at| start + at + end.len());
    Some((Kind::Literal, length))
}

/// Length of a character literal; nothing if the mark begins a lifetime.
fn character(rest: &str) -> Option<usize> {
    let mut inside = rest[1..].char_indices();
    let (_, first) = inside.next()?;
    if first == '\\' {
        return Some(quoted(rest.as_bytes(), b'\''));
    }
    let (end, close) = inside.next()?;
    (close == '\'').then_some(end + 2)
}

#[test]
fn comments_literals_and_code_are_told_apart() {
    let text = "a(\"x // y\\\"\"); // c\n/* d /* e */ f */ 'g' 'h: r#\"i\"#;\n";
    let of = |kind| {
        pieces(text)
            .into_iter()
            .filter(|piece| piece.kind == kind)
            .map(|piece| piece.text)
            .collect::<Vec<_>>()
    };
    assert_eq!(of(Kind::Comment), ["// c", "/* d /* e */ f */"]);
    assert_eq!(of(Kind::Literal), ["\"x // y\\\"\"", "'g'", "r#\"i\"#"]);
    assert_eq!(code(text), "a(\"\"); \n \"\" 'h: \"\";\n");
}

#[test]
fn a_piece_knows_its_line() {
    let found = pieces("one\n\"a\nb\"\n// c");
    let comment = found.iter().find(|piece| piece.kind == Kind::Comment);
    assert_eq!(comment.expect("there is one").line, 4);
}
