//! Where a version comes from and what became of it, as a graph: data, code and environment → run → version → decisions →
//! deployments → use. As JSON (the types themselves), Mermaid, SVG, and OpenLineage events.
//!
//! What is on record carries its ledger entry; what only a client says is marked as a claim; what is missing is a node too.

mod layout;
pub mod openlineage;
mod svg;

use facts::EvidenceId;
use serde::Serialize;

/// What a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A snapshot of a data set.
    Data,
    /// The training code.
    Code,
    /// Container image, lock files, seeds.
    Environment,
    /// A run of a training program.
    Run,
    /// A version of a model.
    Version,
    /// A validation, an approval, a signature, a refusal.
    Decision,
    /// A time in which a version served.
    Deployment,
    /// What the deployed version answered, and what was noticed about it.
    Use,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Data,
        Self::Code,
        Self::Environment,
        Self::Run,
        Self::Version,
        Self::Decision,
        Self::Deployment,
        Self::Use,
    ];

    /// One word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Code => "code",
            Self::Environment => "environment",
            Self::Run => "run",
            Self::Version => "version",
            Self::Decision => "decision",
            Self::Deployment => "deployment",
            Self::Use => "use",
        }
    }

    /// Its colours in pictures: of the box, and of its edge.
    fn colours(self) -> (&'static str, &'static str) {
        match self {
            Self::Data => ("#e8f0fe", "#1967d2"),
            Self::Code => ("#f1e8fd", "#7627bb"),
            Self::Environment => ("#f1f3f4", "#5f6368"),
            Self::Run => ("#fdf1dc", "#b06000"),
            Self::Version => ("#e0f2f1", "#00695c"),
            Self::Decision => ("#e6f4ea", "#188038"),
            Self::Deployment => ("#fff8e1", "#8a6d00"),
            Self::Use => ("#fce8f3", "#a8326e"),
        }
    }
}

/// What a node rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "basis", rename_all = "snake_case")]
pub enum Basis {
    /// An entry of the ledger.
    Recorded {
        /// Which.
        evidence: EvidenceId,
    },
    /// Nothing but what a client logged.
    Claimed,
    /// It should be there, and is not.
    Missing,
}

/// Something that is said of a node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Detail {
    /// What.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Its id in this graph: `data:credit-training/2025-10-01`.
    pub id: String,
    /// What it is.
    pub kind: Kind,
    /// Its name for people.
    pub name: String,
    /// More of it.
    pub details: Vec<Detail>,
    /// What it rests on.
    #[serde(flatten)]
    pub basis: Basis,
}

impl Node {
    /// A node without details.
    pub fn new(id: impl Into<String>, kind: Kind, name: impl Into<String>, basis: Basis) -> Self {
        Self { id: clean(&id.into()), kind, name: clean(&name.into()), details: Vec::new(), basis }
    }

    /// The same with one more detail.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: &(impl ToString + ?Sized)) -> Self {
        self.details.push(Detail { name: clean(&name.into()), value: clean(&value.to_string()) });
        self
    }

    /// What is said under the details of a picture.
    fn foot(&self) -> String {
        match &self.basis {
            Basis::Recorded { evidence } => evidence.to_string(),
            Basis::Claimed => "a claim, not on record".to_owned(),
            Basis::Missing => "not on record".to_owned(),
        }
    }
}

/// From what follows what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Edge {
    /// The node that was there before.
    pub from: String,
    /// The node that follows from it.
    pub to: String,
    /// How: `read by`, `made`.
    pub how: String,
}

/// The graph of one version, or of all versions of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Graph {
    /// What it shows: `credit-scoring`, version 2.
    pub title: String,
    /// The nodes, in the order in which they were found.
    pub nodes: Vec<Node>,
    /// The edges, in the same order.
    pub edges: Vec<Edge>,
}

impl Graph {
    /// An empty graph.
    pub fn new(title: impl Into<String>) -> Self {
        // Mermaid has no way to write these in a title.
        let title = clean(&title.into()).replace(['<', '>'], " ");
        Self { title, nodes: Vec::new(), edges: Vec::new() }
    }

    /// Adds a node, if it is not there yet.
    pub fn node(&mut self, node: Node) {
        if self.nodes.iter().all(|known| known.id != node.id) {
            self.nodes.push(node);
        }
    }

    /// Adds an edge, if it is not there yet.
    pub fn edge(&mut self, from: impl Into<String>, how: impl Into<String>, to: impl Into<String>) {
        let edge = Edge { from: from.into(), to: to.into(), how: how.into() };
        if !self.edges.contains(&edge) {
            self.edges.push(edge);
        }
    }

    /// The graph as a Mermaid flowchart.
    #[must_use]
    pub fn to_mermaid(&self) -> String {
        let mut out = format!("---\ntitle: {}\n---\nflowchart LR\n", quoted(&self.title));
        for (at, node) in self.nodes.iter().enumerate() {
            let mut lines = vec![format!("<b>{}</b>", plain(&node.name))];
            lines.extend(
                node.details.iter().map(|one| format!("{}: {}", plain(&one.name), plain(&one.value))),
            );
            lines.push(format!("<i>{}</i>", plain(&node.foot())));
            let missing = if node.basis == Basis::Missing { "missing" } else { node.kind.word() };
            out.push_str(&format!("  n{at}[\"{}\"]:::{missing}\n", lines.join("<br/>")));
        }
        let place = |id: &str| self.nodes.iter().position(|node| node.id == id);
        for edge in &self.edges {
            if let (Some(from), Some(to)) = (place(&edge.from), place(&edge.to)) {
                out.push_str(&format!("  n{from} -->|\"{}\"| n{to}\n", plain(&edge.how)));
            }
        }
        for kind in Kind::ALL {
            let (fill, stroke) = kind.colours();
            out.push_str(&format!("  classDef {} fill:{fill},stroke:{stroke},color:#202124\n", kind.word()));
        }
        out.push_str("  classDef missing fill:#ffffff,stroke:#c5221f,color:#c5221f,stroke-dasharray:4 3\n");
        out
    }
}

/// The longest text of a node, in letters: claims are whatever somebody wrote.
const MAX_TEXT: usize = 300;

/// Without what no document can hold.
fn clean(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MAX_TEXT).collect()
}

/// Text in a label: Mermaid reads entities that begin with `#`, and nothing else of what could end the label.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_alphanumeric() || " .,:;/@+-_()%=".contains(letter) {
            out.push(letter);
        } else {
            out.push_str(&format!("#{};", u32::from(letter)));
        }
    }
    out
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
