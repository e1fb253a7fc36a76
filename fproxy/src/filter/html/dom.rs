//! The tree of a page, with bounds on depth, size and time.
//!
//! An arena of our own instead of the usual reference-counted tree: a page is hostile until filtered, and here its depth
//! and number of nodes are known while it is parsed.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::time::Instant;

use html5ever::interface::{ElemName, ElementFlags, NodeOrText, QuirksMode, TreeSink};
use html5ever::tendril::{StrTendril, TendrilSink};
use html5ever::tokenizer::TokenizerOpts;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{Attribute, LocalName, Namespace, ParseOpts, QualName, parse_document};

use super::prescan::ATTRIBUTES_MAX;
use crate::filter::FilterError;

/// Elements within elements. Browsers stop at 512.
const DEPTH_MAX: usize = 400;

/// Nodes of a page; about 150 bytes each.
const NODES_MAX: usize = 300_000;

/// Attributes of all elements; about 40 bytes each. The parser copies those of `b` and its like into every paragraph
/// they reach.
const ATTRIBUTES_SUM_MAX: usize = 500_000;

/// Bytes given to the parser between two looks at the bounds.
const STEP_LEN: usize = 4096;

/// A place in the arena.
pub(super) type NodeId = usize;

/// The document node is always the first.
pub(super) const DOCUMENT: NodeId = 0;

/// What a node is.
#[derive(Debug)]
pub(super) enum Kind {
    /// The document, or the contents of a template.
    Root,
    /// A doctype of whatever kind.
    Doctype,
    /// An element.
    Element {
        name: QualName,
        attributes: Vec<Attribute>,
        template: Option<NodeId>,
    },
    /// Text.
    Text(StrTendril),
    /// A comment or processing instruction: never written.
    Ignored,
}

/// A node.
#[derive(Debug)]
pub(super) struct Node {
    parent: Option<NodeId>,
    pub(super) children: Vec<NodeId>,
    pub(super) kind: Kind,
}

/// A parsed page.
pub(super) struct Dom {
    nodes: Vec<Node>,
}

impl Dom {
    pub(super) fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id]
    }
}

/// Parses a page; gives up at the deadline.
pub(super) fn parse(text: &str, deadline: Instant) -> Result<Dom, FilterError> {
    let options = ParseOpts {
        tokenizer: TokenizerOpts::default(),
        // The browser reads the page with scripts off, so `noscript` has elements in it, not text.
        tree_builder: TreeBuilderOpts {
            scripting_enabled: false,
            ..TreeBuilderOpts::default()
        },
    };
    let mut parser = parse_document(Builder::new(), options);
    let mut rest = text;
    while !rest.is_empty() {
        let (step, left) = rest.split_at(rest.floor_char_boundary(STEP_LEN));
        rest = left;
        parser.process(StrTendril::from(step));
        if parser.tokenizer.sink.sink.exceeded() || Instant::now() > deadline {
            return Err(FilterError::TooComplex);
        }
    }
    let builder = parser.finish();
    if builder.exceeded() {
        return Err(FilterError::TooComplex);
    }
    Ok(Dom {
        nodes: builder.nodes.into_inner(),
    })
}

struct Builder {
    nodes: RefCell<Vec<Node>>,
    /// A bound other than that of the nodes was exceeded.
    too_much: Cell<bool>,
    attributes: Cell<usize>,
}

impl Builder {
    fn new() -> Self {
        let document = Node {
            parent: None,
            children: Vec::new(),
            kind: Kind::Root,
        };
        Self {
            nodes: RefCell::new(vec![document]),
            too_much: Cell::new(false),
            attributes: Cell::new(0),
        }
    }

    fn exceeded(&self) -> bool {
        self.too_much.get() || self.nodes.borrow().len() > NODES_MAX
    }

    fn create(&self, kind: Kind) -> NodeId {
        let mut nodes = self.nodes.borrow_mut();
        nodes.push(Node {
            parent: None,
            children: Vec::new(),
            kind,
        });
        nodes.len() - 1
    }

    /// Puts `child` at `place` among the children of `parent`, or joins it to the text before that place.
    fn insert(&self, parent: NodeId, place: usize, child: NodeOrText<NodeId>) {
        let child = match child {
            NodeOrText::AppendNode(child) => child,
            NodeOrText::AppendText(text) => {
                let mut nodes = self.nodes.borrow_mut();
                let before = place
                    .checked_sub(1)
                    .map(|before| nodes[parent].children[before]);
                if let Some(Kind::Text(existing)) = before.map(|before| &mut nodes[before].kind) {
                    existing.push_tendril(&text);
                    return;
                }
                drop(nodes);
                self.create(Kind::Text(text))
            }
        };
        let mut nodes = self.nodes.borrow_mut();
        nodes[child].parent = Some(parent);
        nodes[parent].children.insert(place, child);
        let ancestors = std::iter::successors(Some(parent), |node| nodes[*node].parent);
        if ancestors.take(DEPTH_MAX + 1).count() > DEPTH_MAX {
            self.too_much.set(true);
        }
    }

    /// Where a node hangs: its parent and its place there.
    fn position(&self, node: NodeId) -> Option<(NodeId, usize)> {
        let nodes = self.nodes.borrow();
        let parent = nodes[node].parent?;
        // The parser works at the end of the page, so the search starts there.
        let place = nodes[parent]
            .children
            .iter()
            .rposition(|child| *child == node)?;
        Some((parent, place))
    }

    fn detach(&self, node: NodeId) {
        if let Some((parent, place)) = self.position(node) {
            let mut nodes = self.nodes.borrow_mut();
            nodes[parent].children.remove(place);
            nodes[node].parent = None;
        }
    }
}

/// An element's name, taken out of the arena.
#[derive(Debug)]
struct Name(QualName);

impl ElemName for Name {
    fn ns(&self) -> &Namespace {
        &self.0.ns
    }

    fn local_name(&self) -> &LocalName {
        &self.0.local
    }
}

impl TreeSink for Builder {
    type Handle = NodeId;
    type Output = Self;
    type ElemName<'a> = Name;

    fn finish(self) -> Self {
        self
    }

    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> NodeId {
        DOCUMENT
    }

    fn elem_name<'a>(&'a self, target: &'a NodeId) -> Name {
        match &self.nodes.borrow()[*target].kind {
            Kind::Element { name, .. } => Name(name.clone()),
            Kind::Root | Kind::Doctype | Kind::Text(_) | Kind::Ignored => {
                unreachable!("the tree builder asks for the names of elements only")
            }
        }
    }

    fn create_element(
        &self,
        name: QualName,
        attributes: Vec<Attribute>,
        flags: ElementFlags,
    ) -> NodeId {
        let sum = self.attributes.get() + attributes.len();
        let attributes = if sum <= ATTRIBUTES_SUM_MAX {
            self.attributes.set(sum);
            attributes
        } else {
            // Dropped at once: until the next look at the bounds there may come very many.
            self.too_much.set(true);
            Vec::new()
        };
        let template = flags.template.then(|| self.create(Kind::Root));
        self.create(Kind::Element {
            name,
            attributes,
            template,
        })
    }

    fn create_comment(&self, _text: StrTendril) -> NodeId {
        self.create(Kind::Ignored)
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> NodeId {
        self.create(Kind::Ignored)
    }

    fn append(&self, parent: &NodeId, child: NodeOrText<NodeId>) {
        let end = self.nodes.borrow()[*parent].children.len();
        self.insert(*parent, end, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &NodeId,
        previous: &NodeId,
        child: NodeOrText<NodeId>,
    ) {
        let hangs = self.nodes.borrow()[*element].parent.is_some();
        if hangs {
            self.append_before_sibling(element, child);
        } else {
            self.append(previous, child);
        }
    }

    fn append_doctype_to_document(
        &self,
        _name: StrTendril,
        _public: StrTendril,
        _system: StrTendril,
    ) {
        let doctype = self.create(Kind::Doctype);
        self.append(&DOCUMENT, NodeOrText::AppendNode(doctype));
    }

    fn get_template_contents(&self, target: &NodeId) -> NodeId {
        match &self.nodes.borrow()[*target].kind {
            Kind::Element {
                template: Some(contents),
                ..
            } => *contents,
            _ => unreachable!("the tree builder asks for the contents of templates only"),
        }
    }

    fn same_node(&self, one: &NodeId, other: &NodeId) -> bool {
        one == other
    }

    fn set_quirks_mode(&self, _mode: QuirksMode) {}

    fn append_before_sibling(&self, sibling: &NodeId, child: NodeOrText<NodeId>) {
        if let NodeOrText::AppendNode(child) = &child {
            self.detach(*child);
        }
        let (parent, place) = self
            .position(*sibling)
            .expect("the tree builder names a sibling that has a parent");
        self.insert(parent, place, child);
    }

    fn add_attrs_if_missing(&self, target: &NodeId, added: Vec<Attribute>) {
        if let Kind::Element { attributes, .. } = &mut self.nodes.borrow_mut()[*target].kind {
            // Each `body` in a page adds to the first one.
            if attributes.len() + added.len() > 2 * ATTRIBUTES_MAX {
                self.too_much.set(true);
                return;
            }
            for attribute in added {
                if attributes
                    .iter()
                    .all(|existing| existing.name != attribute.name)
                {
                    attributes.push(attribute);
                }
            }
        }
    }

    fn remove_from_parent(&self, target: &NodeId) {
        self.detach(*target);
    }

    fn reparent_children(&self, node: &NodeId, new_parent: &NodeId) {
        let mut nodes = self.nodes.borrow_mut();
        let children = std::mem::take(&mut nodes[*node].children);
        for child in &children {
            nodes[*child].parent = Some(*new_parent);
        }
        nodes[*new_parent].children.extend(children);
    }
}
