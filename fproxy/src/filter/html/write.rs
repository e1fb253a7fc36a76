//! Writes a filtered page from the tree.

use html5ever::serialize::{HtmlSerializer, SerializeOpts, Serializer};
use html5ever::{Attribute, LocalName, QualName, ns};

use super::attributes;
use super::dom::{DOCUMENT, Dom, Kind, NodeId};
use super::elements::{Fate, fate};
use crate::filter::css;
use crate::filter::links::Links;

/// Writes the page.
pub(super) fn page(dom: &Dom, links: &Links) -> String {
    let options = SerializeOpts {
        scripting_enabled: false,
        ..SerializeOpts::default()
    };
    let mut writer = Writer {
        dom,
        links,
        out: HtmlSerializer::new(Vec::new(), options),
        steps: vec![Step::Open(DOCUMENT)],
    };
    while let Some(step) = writer.steps.pop() {
        match step {
            Step::Open(node) => writer.open(node),
            Step::Close(name) => writer.out.end_elem(name).expect(INFALLIBLE),
        }
    }
    String::from_utf8(writer.out.writer).expect("the serializer writes text only")
}

const INFALLIBLE: &str = "writing to memory cannot fail";

/// What is left to do; a list instead of recursion, as pages are deeper than stacks.
enum Step {
    Open(NodeId),
    Close(QualName),
}

struct Writer<'a> {
    dom: &'a Dom,
    links: &'a Links,
    out: HtmlSerializer<Vec<u8>>,
    steps: Vec<Step>,
}

impl Writer<'_> {
    fn open(&mut self, id: NodeId) {
        let dom = self.dom;
        match &dom.node(id).kind {
            Kind::Root => self.children(id),
            Kind::Doctype => self.out.write_doctype("html").expect(INFALLIBLE),
            Kind::Text(text) => self.text(text),
            Kind::Ignored => {}
            Kind::Element {
                name, attributes, ..
            } => self.element(id, name, attributes),
        }
    }

    fn element(&mut self, id: NodeId, name: &QualName, attributes: &[Attribute]) {
        if name.ns != ns!(html) {
            return;
        }
        let given = |wanted: &str| {
            let mut attributes = attributes.iter();
            let found = attributes.find(|attribute| *attribute.name.local == *wanted);
            found.map(|attribute| attribute.value.to_string())
        };
        match fate(&name.local) {
            Fate::Drop => {}
            Fate::Unwrap => self.children(id),
            Fate::Keep => self.keep(id, name, attributes),
            Fate::Style => {
                let css = css::stylesheet(&self.text_of(id), self.links);
                self.start(name, &self.kept(name, attributes));
                self.text(&css);
                self.out.end_elem(name.clone()).expect(INFALLIBLE);
            }
            Fate::Link => {
                if let Some(kept) = attributes::link(given, self.links) {
                    self.empty(name, kept);
                }
            }
            Fate::Meta => {
                if let Some(kept) = attributes::meta(given) {
                    self.empty(name, kept);
                }
            }
        }
    }

    fn keep(&mut self, id: NodeId, name: &QualName, attributes: &[Attribute]) {
        let mut kept = self.kept(name, attributes);
        // A window opened by a page gets no handle on it, and learns nothing of it.
        if kept.iter().any(|(name, _)| &*name.local == "target") {
            kept.push((attribute_name("rel"), "noopener noreferrer".to_owned()));
        }
        self.start(name, &kept);
        self.steps.push(Step::Close(name.clone()));
        match &*name.local {
            "head" => {
                let charset = vec![("charset", "utf-8".to_owned())];
                self.empty(&html_name("meta"), charset);
            }
            // A parser swallows one line break here.
            "pre" | "textarea" if self.begins_with_line_break(id) => self.text("\n"),
            _ => {}
        }
        self.children(id);
    }

    fn kept(&self, element: &QualName, attributes: &[Attribute]) -> Vec<(QualName, String)> {
        let plain = |attribute: &&Attribute| attribute.name.ns == ns!();
        let kept = attributes.iter().filter(plain).filter_map(|attribute| {
            let name = &attribute.name;
            let value =
                attributes::value(&element.local, &name.local, &attribute.value, self.links)?;
            Some((name.clone(), value.into_owned()))
        });
        kept.collect()
    }

    fn start(&mut self, name: &QualName, attributes: &[(QualName, String)]) {
        let attributes = attributes
            .iter()
            .map(|(name, value)| (name, value.as_str()));
        self.out
            .start_elem(name.clone(), attributes)
            .expect(INFALLIBLE);
    }

    fn empty(&mut self, name: &QualName, attributes: Vec<(&'static str, String)>) {
        let attributes: Vec<_> = attributes
            .into_iter()
            .map(|(name, value)| (attribute_name(name), value))
            .collect();
        self.start(name, &attributes);
        self.out.end_elem(name.clone()).expect(INFALLIBLE);
    }

    fn text(&mut self, text: &str) {
        self.out.write_text(text).expect(INFALLIBLE);
    }

    fn children(&mut self, id: NodeId) {
        let children = self.dom.node(id).children.iter().rev();
        self.steps.extend(children.map(|child| Step::Open(*child)));
    }

    fn text_of(&self, id: NodeId) -> String {
        let children = self.dom.node(id).children.iter();
        let texts = children.filter_map(|child| match &self.dom.node(*child).kind {
            Kind::Text(text) => Some(&**text),
            Kind::Root | Kind::Doctype | Kind::Element { .. } | Kind::Ignored => None,
        });
        texts.collect()
    }

    fn begins_with_line_break(&self, id: NodeId) -> bool {
        self.text_of(id).starts_with('\n')
    }
}

fn attribute_name(name: &'static str) -> QualName {
    QualName::new(None, ns!(), LocalName::from(name))
}

fn html_name(name: &'static str) -> QualName {
    QualName::new(None, ns!(html), LocalName::from(name))
}
