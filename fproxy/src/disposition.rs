//! `Content-Disposition`: under which name a file is saved.

use axum::http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

/// Bytes of the longest name that is passed on; file systems stop at 255.
const NAME_LEN_MAX: usize = 180;

/// Whether the file is shown or saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Shown, and saved under this name if the user wants to.
    Inline,
    /// Saved.
    Attachment,
}

/// The header's value, with the name in the old form for ASCII and the new one for everything.
pub(crate) fn header(kind: Kind, name: Option<&str>) -> HeaderValue {
    let kind = match kind {
        Kind::Inline => "inline",
        Kind::Attachment => "attachment",
    };
    let value = match name.map(cleaned).filter(|name| !name.is_empty()) {
        None => kind.to_owned(),
        Some(name) => {
            let ascii: String = name
                .chars()
                .map(|character| {
                    if character.is_ascii() && character != '%' {
                        character
                    } else {
                        '_'
                    }
                })
                .collect();
            let full = utf8_percent_encode(&name, NON_ALPHANUMERIC);
            format!("{kind}; filename=\"{ascii}\"; filename*=UTF-8''{full}")
        }
    };
    HeaderValue::from_str(&value).unwrap_or(HeaderValue::from_static("attachment"))
}

/// A name without anything that means something to a file system, a shell or the eye.
fn cleaned(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept = last
        .chars()
        .filter(|character| !character.is_control() && !is_invisible(*character));
    let safe: String = kept
        .map(|character| {
            if "\"<>|?*:;`$".contains(character) {
                '_'
            } else {
                character
            }
        })
        .collect();
    let safe = safe.trim_matches(|around: char| around == '.' || around.is_whitespace());
    safe[..safe.floor_char_boundary(NAME_LEN_MAX)].to_owned()
}

/// Characters that change the direction of writing or take no room: they make `exe.txt` of `txt.exe`.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_given_in_both_forms() {
        assert_eq!(
            header(Kind::Attachment, Some("ünd.txt")),
            "attachment; filename=\"_nd.txt\"; filename*=UTF-8''%C3%BCnd%2Etxt"
        );
        assert_eq!(header(Kind::Inline, None), "inline");
    }

    #[test]
    fn names_cannot_leave_the_folder_or_the_header() {
        assert_eq!(cleaned("../../etc/passwd"), "passwd");
        assert_eq!(cleaned("..\\x.exe"), "x.exe");
        assert_eq!(cleaned(".."), "");
        assert_eq!(cleaned("a\u{202e}txt.exe"), "atxt.exe");
        assert_eq!(cleaned("a\";\r\nX: y"), "a__X_ y");
    }

    proptest! {
        #[test]
        fn any_name_makes_a_header(name in ".*") {
            _ = header(Kind::Attachment, Some(&name));
        }
    }
}
