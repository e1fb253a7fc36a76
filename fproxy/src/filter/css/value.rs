//! Selectors, conditions and values, token by token.

use std::fmt::Write as _;

use cssparser::{ParseError, Parser, Token, serialize_identifier, serialize_name};

use super::super::links::Links;
use super::properties;

/// The reason why a rule or declaration is left out: it contains something that is not known to be harmless.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refused;

/// What kind of text is being rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Context {
    /// A selector or the condition of an at-rule: nothing in it may be an address.
    Prelude,
    /// A value of a property.
    Value,
    /// Within `image-set()`, where strings are addresses.
    ImageSet,
}

/// Rewrites everything up to the end of `input`.
pub(super) fn rewrite(
    input: &mut Parser<'_>,
    links: &Links,
    context: Context,
) -> Result<String, ParseError<Refused>> {
    let mut out = String::new();
    loop {
        let start = input.position();
        let Ok(token) = input.next_including_whitespace_and_comments() else {
            break;
        };
        let token = token.clone();
        if let Token::WhiteSpace(_) | Token::Comment(_) = token {
            if !out.ends_with(' ') {
                out.push(' ');
            }
            continue;
        }
        let raw = input.slice_from(start);
        let text = match block(&token, context)? {
            Some(inner) => {
                let (open, close) = brackets(&token)?;
                let inside = if inner == Inside::Address {
                    input.parse_nested_block(|input| address(input, links))?
                } else {
                    let context = if inner == Inside::ImageSet {
                        Context::ImageSet
                    } else {
                        context
                    };
                    input.parse_nested_block(|input| rewrite(input, links, context))?
                };
                format!("{open}{inside}{close}")
            }
            None => simple(&token, raw, links, context)?,
        };
        // `<` exists in media queries; before a letter or slash it would look like a tag in a page.
        if out.ends_with('<')
            && text.starts_with(|first: char| first.is_ascii_alphabetic() || "/!?".contains(first))
        {
            out.push(' ');
        }
        out.push_str(&text);
    }
    Ok(out.trim_matches(' ').to_owned())
}

/// How the inside of a block is to be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Same,
    ImageSet,
    Address,
}

fn block(token: &Token<'_>, context: Context) -> Result<Option<Inside>, ParseError<Refused>> {
    let Token::Function(name) = token else {
        return Ok(match token {
            Token::ParenthesisBlock | Token::SquareBracketBlock => Some(Inside::Same),
            _ => None,
        });
    };
    let name = name.to_ascii_lowercase();
    let allowed = match context {
        Context::Prelude => !properties::loads(&name),
        Context::Value => name == "url" || properties::is_allowed_function(&name),
        Context::ImageSet => name == "url" || name == "type" || name.ends_with("-gradient"),
    };
    if !allowed {
        return Err(ParseError::custom(Refused));
    }
    Ok(Some(match properties::unprefixed(&name) {
        "url" => Inside::Address,
        "image-set" => Inside::ImageSet,
        _ => Inside::Same,
    }))
}

fn brackets(token: &Token<'_>) -> Result<(String, char), ParseError<Refused>> {
    match token {
        Token::Function(name) => Ok((format!("{}(", identifier(name)?), ')')),
        Token::SquareBracketBlock => Ok(("[".to_owned(), ']')),
        _ => Ok(("(".to_owned(), ')')),
    }
}

fn simple(
    token: &Token<'_>,
    raw: &str,
    links: &Links,
    context: Context,
) -> Result<String, ParseError<Refused>> {
    let refused = ParseError::custom(Refused);
    match token {
        Token::Ident(name) => identifier(name),
        Token::IDHash(name) => Ok(format!("#{}", identifier(name)?)),
        Token::Hash(name) => {
            let mut text = "#".to_owned();
            serialize_name(name, &mut text).map_err(|_| ParseError::custom(Refused))?;
            if text.contains('<') {
                Err(refused)
            } else {
                Ok(text)
            }
        }
        Token::QuotedString(text) if context == Context::ImageSet => {
            links.image(text).map(|path| quoted(&path)).ok_or(refused)
        }
        Token::QuotedString(text) => Ok(quoted(text)),
        Token::UnquotedUrl(address) if context != Context::Prelude => links
            .image(address)
            .map(|path| format!("url({})", quoted(&path)))
            .ok_or(refused),
        Token::Number { .. } | Token::Percentage { .. } | Token::Dimension { .. } => {
            // As written: no rounding, so that filtering twice changes nothing.
            if raw.contains(['\\', '<']) {
                Err(refused)
            } else {
                Ok(raw.to_owned())
            }
        }
        Token::Delim('\\') => Err(refused),
        Token::Delim(character) => Ok(character.to_string()),
        Token::Colon
        | Token::Comma
        | Token::IncludeMatch
        | Token::DashMatch
        | Token::PrefixMatch
        | Token::SuffixMatch
        | Token::SubstringMatch => Ok(raw.to_owned()),
        _ => Err(refused),
    }
}

/// The inside of `url(…)`: one string and nothing else.
fn address(input: &mut Parser<'_>, links: &Links) -> Result<String, ParseError<Refused>> {
    let address = input.expect_string()?.clone();
    input.expect_exhausted()?;
    let path = links
        .image(&address)
        .ok_or_else(|| ParseError::custom(Refused))?;
    Ok(quoted(&path))
}

/// Writes an identifier. One with `<` is refused: even escaped it could end a `style` element.
pub(super) fn identifier(name: &str) -> Result<String, ParseError<Refused>> {
    let mut text = String::with_capacity(name.len());
    let written = serialize_identifier(name, &mut text);
    if written.is_err() || text.contains('<') {
        return Err(ParseError::custom(Refused));
    }
    Ok(text)
}

/// Writes a string in quotes, with everything escaped that could end it or the `style` element around it.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '<' | '\0'..='\x1f' | '\x7f' => {
                // Writing to a String cannot fail.
                _ = write!(out, "\\{:x} ", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
    out
}
