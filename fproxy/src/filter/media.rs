//! Which type of document gets which treatment.

use infer::MatcherType;

use super::{Charset, Rewritten};

/// First bytes of a document that are looked at to see whether it is what it says.
pub(crate) const HEAD_LEN: usize = 4096;

/// What is done with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// Parsed and written anew.
    Rewrite {
        /// How.
        format: Rewritten,
        /// The encoding that the publisher declared.
        charset: Option<Charset>,
    },
    /// Passed on as it is under a type that can do no harm.
    Pass(Media),
    /// Offered as a download only.
    Download {
        /// The type that was declared or guessed, for clients that are not browsers.
        media_type: String,
        /// A sentence about why it is not shown.
        reason: &'static str,
    },
}

/// A harmless type, as it is declared to the browser.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Media(pub(crate) String);

const UNKNOWN_TYPE: &str = "application/octet-stream";

/// Decides by the declared type (or else the file's name) and the first bytes.
pub(crate) fn treatment(declared: Option<&str>, file_name: Option<&str>, head: &[u8]) -> Treatment {
    let guessed = || {
        let by_name = file_name.and_then(|name| mime_guess::from_path(name).first_raw());
        by_name.or_else(|| infer::get(head).map(|kind| kind.mime_type()))
    };
    let declared = declared.filter(|declared| is_media_type(declared));
    let full = declared.or_else(guessed).unwrap_or_else(|| {
        if looks_like_text(head) {
            "text/plain"
        } else {
            UNKNOWN_TYPE
        }
    });
    let essence = full
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let download = |reason| Treatment::Download {
        media_type: full.to_owned(),
        reason,
    };
    match essence.as_str() {
        "text/html" | "application/xhtml+xml" => rewrite(Rewritten::Html, full),
        "text/css" => rewrite(Rewritten::Css, full),
        "text/plain" => {
            let charset = Charset::of_media_type(full).map_or("utf-8", Charset::name);
            Treatment::Pass(Media(format!(
                "text/plain; charset={}",
                charset.to_ascii_lowercase()
            )))
        }
        _ => match passed(&essence) {
            Some(formats) if is_one_of(head, formats) => Treatment::Pass(Media(essence)),
            Some(_) => download("its content is not what its declared type says"),
            None => download(reason(&essence)),
        },
    }
}

fn rewrite(format: Rewritten, full: &str) -> Treatment {
    let charset = Charset::of_media_type(full);
    Treatment::Rewrite { format, charset }
}

/// For a type that a browser may show as it is: what its first bytes may say.
fn passed(essence: &str) -> Option<&'static [&'static str]> {
    Some(match essence {
        "image/png" | "image/apng" => &["image/png"],
        "image/jpeg" | "image/jpg" | "image/pjpeg" => &["image/jpeg"],
        "image/gif" => &["image/gif"],
        "image/webp" => &["image/webp"],
        "image/avif" => &["image/avif"],
        "image/bmp" | "image/x-ms-bmp" => &["image/bmp"],
        "image/x-icon" | "image/vnd.microsoft.icon" => &["image/vnd.microsoft.icon", "image/png"],
        "audio/mpeg" | "audio/mp3" => &["audio/mpeg"],
        "audio/ogg" | "application/ogg" | "video/ogg" | "audio/opus" => {
            &["audio/ogg", "video/ogg", "application/ogg", "audio/opus"]
        }
        "audio/flac" | "audio/x-flac" => &["audio/x-flac", "audio/flac"],
        "audio/wav" | "audio/x-wav" | "audio/wave" | "audio/vnd.wave" => {
            &["audio/x-wav", "audio/wav"]
        }
        "audio/mp4" | "audio/x-m4a" | "audio/m4a" => {
            &["audio/m4a", "audio/mp4", "video/mp4", "video/x-m4v"]
        }
        "video/mp4" | "video/x-m4v" => &["video/mp4", "video/x-m4v", "video/quicktime"],
        "video/webm" | "audio/webm" => &["video/webm", "video/x-matroska"],
        _ => return None,
    })
}

fn is_one_of(head: &[u8], formats: &[&str]) -> bool {
    infer::get(head).is_some_and(|kind| formats.contains(&kind.mime_type()))
}

fn reason(essence: &str) -> &'static str {
    match essence {
        "image/svg+xml" => {
            "SVG pictures can contain scripts and addresses, and are not filtered yet"
        }
        "application/pdf" => "PDF readers can be made to contact servers",
        "text/javascript" | "application/javascript" | "application/x-javascript" => {
            "it is a program, and programs from the network are not run"
        }
        UNKNOWN_TYPE => "nobody said what kind of file it is",
        _ => "files of this kind are opened by other programs, which may contact servers",
    }
}

/// Whether bytes of no declared type can be shown as text.
fn looks_like_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character cut in two by the end of the head.
        Err(cut) if cut.error_len().is_none() => {
            std::str::from_utf8(&head[..cut.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let plain =
        |character: char| !character.is_control() || matches!(character, '\n' | '\r' | '\t');
    infer::get(head).is_none_or(|kind| kind.matcher_type() == MatcherType::Text)
        && text.chars().all(plain)
}

/// Whether a declared type is one, in ASCII and without anything that could start a new header.
pub(crate) fn is_media_type(text: &str) -> bool {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let token = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
    };
    text.len() <= 255
        && text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
        && essence
            .split_once('/')
            .is_some_and(|(kind, format)| token(kind) && token(format))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";

    fn is_download(treatment: &Treatment) -> bool {
        matches!(treatment, Treatment::Download { .. })
    }

    #[test]
    fn pictures_pass_only_if_they_are_what_they_say() {
        assert_eq!(
            treatment(Some("image/png"), None, PNG),
            Treatment::Pass(Media("image/png".into()))
        );
        assert!(is_download(&treatment(Some("image/png"), None, b"<html>")));
        assert!(is_download(&treatment(
            Some("image/svg+xml"),
            None,
            b"<svg>"
        )));
    }

    #[test]
    fn the_name_and_the_bytes_stand_in_for_a_missing_type() {
        assert!(matches!(
            treatment(None, Some("a.html"), b""),
            Treatment::Rewrite { .. }
        ));
        assert_eq!(
            treatment(None, None, PNG),
            Treatment::Pass(Media("image/png".into()))
        );
        assert!(matches!(
            treatment(None, None, b"hello\n"),
            Treatment::Pass(_)
        ));
        assert!(is_download(&treatment(None, None, b"\x01\x02\x03")));
    }

    #[test]
    fn a_type_cannot_carry_a_header() {
        assert!(is_media_type("text/html; charset=utf-8"));
        for bad in ["text/html\r\nX: y", "text", "", "/", "té/xt", "a b/c"] {
            assert!(!is_media_type(bad), "{bad:?}");
        }
    }

    #[test]
    fn text_is_declared_with_a_known_charset_only() {
        let of = |declared| treatment(Some(declared), None, b"x");
        assert_eq!(
            of("text/plain"),
            Treatment::Pass(Media("text/plain; charset=utf-8".into()))
        );
        assert_eq!(
            of("text/plain;charset=UTF-7"),
            Treatment::Pass(Media("text/plain; charset=utf-8".into()))
        );
        assert_eq!(
            of("text/plain;charset=latin1"),
            Treatment::Pass(Media("text/plain; charset=windows-1252".into()))
        );
    }
}
