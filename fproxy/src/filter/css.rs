//! The filter for style sheets.
//!
//! The text goes through a real CSS parser; what comes out is written from its tokens. Unknown at-rules, unknown
//! properties and unknown functions are left out, and every address is rewritten by [`Links`]. A rule that is not
//! understood is dropped alone: the rest of the sheet stays.

mod properties;
mod value;

use cssparser::{
    AtRuleParser, CowRcStr, DeclarationParser, ParseError, Parser, ParserState,
    QualifiedRuleParser, RuleBodyItemParser, RuleBodyParser, StyleSheetParser,
};

use super::links::Links;
use value::{Context, Refused};

/// Blocks within blocks that are followed; more is never written by hand.
const DEPTH_MAX: u8 = 32;

/// Filters a whole style sheet.
pub(crate) fn stylesheet(text: &str, links: &Links) -> String {
    let text = preprocessed(text);
    let mut input = Parser::new(&text);
    input.set_nested_block_limit(DEPTH_MAX);
    let mut rules = Rules {
        links,
        place: Place::Sheet,
    };
    let parsed: String = StyleSheetParser::new(&mut input, &mut rules)
        .flatten()
        .collect();
    guarded(parsed)
}

/// Filters the value of a `style` attribute.
pub(crate) fn declarations(text: &str, links: &Links) -> String {
    let text = preprocessed(text);
    let mut input = Parser::new(&text);
    input.set_nested_block_limit(DEPTH_MAX);
    let mut rules = Rules {
        links,
        place: Place::Declarations,
    };
    guarded(body(&mut input, &mut rules))
}

/// What CSS calls preprocessing of the input stream.
fn preprocessed(text: &str) -> String {
    text.trim_start_matches('\u{feff}')
        .replace("\r\n", "\n")
        .replace(['\r', '\u{c}'], "\n")
        .replace('\0', "\u{fffd}")
}

/// A sheet within a page ends at `</style`, whatever CSS makes of it. The writer never produces such a thing; should
/// it have a defect, nothing is better than a way out of the sheet.
fn guarded(css: String) -> String {
    let escapes = ["</", "<!", "<?"].iter().any(|end| css.contains(end));
    if escapes { String::new() } else { css }
}

fn body(input: &mut Parser<'_>, rules: &mut Rules<'_>) -> String {
    RuleBodyParser::<_, String, Refused>::new(input, rules)
        .flatten()
        .collect()
}

/// What a list of rules may contain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Rules only: the sheet itself, or `@media` in it.
    Sheet,
    /// Declarations and nested rules.
    Style,
    /// Rules of `@keyframes`.
    Keyframes,
    /// Declarations only.
    Declarations,
}

struct Rules<'a> {
    links: &'a Links,
    place: Place,
}

impl<'a> Rules<'a> {
    fn within(&self, place: Place) -> Self {
        Self {
            links: self.links,
            place,
        }
    }
}

/// A rule starting with `@`, up to its block or semicolon.
struct AtRule {
    text: String,
    block: Option<Place>,
    statement: bool,
}

impl<'i> AtRuleParser<'i> for Rules<'_> {
    type Prelude = AtRule;
    type AtRule = String;
    type Error = Refused;

    fn parse_prelude(
        &mut self,
        name: CowRcStr<'i>,
        input: &mut Parser<'i>,
    ) -> Result<AtRule, ParseError<Refused>> {
        let name = name.to_ascii_lowercase();
        let nested = match self.place {
            Place::Sheet => Place::Sheet,
            Place::Style => Place::Style,
            Place::Keyframes | Place::Declarations => return Err(ParseError::custom(Refused)),
        };
        let (block, statement) = match name.as_str() {
            "import" => return self.import(input),
            "media" | "supports" | "container" => (Some(nested), false),
            "layer" => (Some(nested), true),
            "keyframes" | "-webkit-keyframes" | "-moz-keyframes" => (Some(Place::Keyframes), false),
            "page" => (Some(Place::Declarations), false),
            _ => return Err(ParseError::custom(Refused)),
        };
        let prelude = value::rewrite(input, self.links, Context::Prelude)?;
        Ok(AtRule {
            text: format!("@{name} {prelude}"),
            block,
            statement,
        })
    }

    fn rule_without_block(&mut self, rule: AtRule, _start: &ParserState) -> Result<String, ()> {
        if rule.statement {
            Ok(format!("{};\n", rule.text))
        } else {
            Err(())
        }
    }

    fn parse_block(
        &mut self,
        rule: AtRule,
        _start: &ParserState,
        input: &mut Parser<'i>,
    ) -> Result<String, ParseError<Refused>> {
        let place = rule.block.ok_or_else(|| ParseError::custom(Refused))?;
        let inner = body(input, &mut self.within(place));
        Ok(format!("{}{{{inner}}}\n", rule.text))
    }
}

impl Rules<'_> {
    fn import(&self, input: &mut Parser<'_>) -> Result<AtRule, ParseError<Refused>> {
        if self.place != Place::Sheet {
            return Err(ParseError::custom(Refused));
        }
        let address = input.expect_url_or_string()?;
        let path = self
            .links
            .resource(&address)
            .ok_or_else(|| ParseError::custom(Refused))?;
        let conditions = value::rewrite(input, self.links, Context::Prelude)?;
        let mut text = format!("@import url({})", value::quoted(&path));
        if !conditions.is_empty() {
            text.push(' ');
            text.push_str(&conditions);
        }
        Ok(AtRule {
            text,
            block: None,
            statement: true,
        })
    }
}

impl<'i> QualifiedRuleParser<'i> for Rules<'_> {
    type Prelude = String;
    type QualifiedRule = String;
    type Error = Refused;

    fn parse_prelude(&mut self, input: &mut Parser<'i>) -> Result<String, ParseError<Refused>> {
        value::rewrite(input, self.links, Context::Prelude)
    }

    fn parse_block(
        &mut self,
        selector: String,
        _start: &ParserState,
        input: &mut Parser<'i>,
    ) -> Result<String, ParseError<Refused>> {
        let place = match self.place {
            Place::Sheet | Place::Style => Place::Style,
            Place::Keyframes | Place::Declarations => Place::Declarations,
        };
        let inner = body(input, &mut self.within(place));
        Ok(format!("{selector}{{{inner}}}\n"))
    }
}

impl<'i> DeclarationParser<'i> for Rules<'_> {
    type Declaration = String;
    type Error = Refused;

    fn parse_value(
        &mut self,
        name: CowRcStr<'i>,
        input: &mut Parser<'i>,
        _start: &ParserState,
    ) -> Result<String, ParseError<Refused>> {
        let name = if name.starts_with("--") {
            value::identifier(&name)?
        } else {
            let name = name.to_ascii_lowercase();
            if !properties::is_allowed(&name) {
                return Err(ParseError::custom(Refused));
            }
            name
        };
        let value = value::rewrite(input, self.links, Context::Value)?;
        Ok(format!("{name}:{value};"))
    }
}

impl<'i> RuleBodyItemParser<'i, String, Refused> for Rules<'_> {
    fn parse_declarations(&self) -> bool {
        matches!(self.place, Place::Style | Place::Declarations)
    }

    fn parse_qualified(&self) -> bool {
        self.place != Place::Declarations
    }
}

#[cfg(test)]
mod tests;
