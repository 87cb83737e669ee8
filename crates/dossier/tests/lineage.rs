//! The graph as Mermaid, SVG and JSON, and runs as events: golden files, and what no text in a node can do.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use dossier::lineage::openlineage::{Dataset, Run, uuid_of};
use dossier::lineage::{Basis, Graph, Kind, Node};
use facts::EvidenceId;

fn recorded(n: u32) -> Basis {
    let evidence: EvidenceId = format!("e{n}-0123456789ab").parse().unwrap();
    Basis::Recorded { evidence }
}

/// One of everything.
fn graph() -> Graph {
    let mut graph = Graph::new("credit-scoring, version 2");
    graph.node(
        Node::new("data:raw", Kind::Data, "credit-raw/2025-10-01", recorded(3))
            .with("rows", &1000)
            .with("made by", "diego"),
    );
    graph.node(
        Node::new("data:training", Kind::Data, "credit-training/2025-10-01", recorded(7)).with("rows", &1000),
    );
    graph.node(Node::new("code", Kind::Code, "9f2c1ab", recorded(12)).with("uncommitted changes", "no"));
    graph.node(Node::new("env", Kind::Environment, "requirements.txt", Basis::Claimed).with("seed", &42));
    graph.node(
        Node::new("run", Kind::Run, "training run", recorded(9))
            .with("by", "training-job")
            .with("lasted", "3.2 s"),
    );
    graph.node(
        Node::new("version", Kind::Version, "version 2", recorded(12)).with("artefact", "3fa9c2d1b4e8"),
    );
    graph.node(Node::new("gate", Kind::Decision, "validated", recorded(14)).with("auc", "0.781"));
    graph.node(
        Node::new("approval", Kind::Decision, "approved by bruno", recorded(16))
            .with("role", "business-owner"),
    );
    graph.node(Node::new("signature", Kind::Decision, "signed", recorded(17)));
    graph.node(
        Node::new("deployed", Kind::Deployment, "credit-scoring", recorded(18)).with("since", "2025-10-02"),
    );
    graph.node(Node::new("traffic", Kind::Use, "1200 requests", recorded(22)));
    graph.node(Node::new("labels", Kind::Data, "what it was labelled with", Basis::Missing));
    for (from, how, to) in [
        ("data:raw", "pseudonymised", "data:training"),
        ("data:training", "read by", "run"),
        ("labels", "read by", "run"),
        ("code", "ran", "run"),
        ("env", "ran in", "run"),
        ("run", "made", "version"),
        ("version", "measured", "gate"),
        ("gate", "shown to", "approval"),
        ("approval", "led to", "signature"),
        ("signature", "allowed", "deployed"),
        ("version", "served as", "deployed"),
        ("deployed", "answered", "traffic"),
    ] {
        graph.edge(from, how, to);
    }
    graph
}

#[test]
fn three_forms_of_one_graph() {
    insta::assert_snapshot!("mermaid", graph().to_mermaid());
    insta::assert_snapshot!("svg", graph().to_svg());
    insta::assert_snapshot!("json", serde_json::to_string_pretty(&graph()).unwrap());
}

#[test]
fn no_text_becomes_markup() {
    let odd = "\"]; <script>alert(1)</script> --> x\n---\u{0}`|{}#quot;";
    let mut graph = Graph::new(odd);
    graph.node(Node::new("a", Kind::Data, odd, Basis::Claimed).with("what", &odd));
    graph.node(Node::new("b", Kind::Run, odd.repeat(100), Basis::Claimed));
    graph.edge("a", odd, "b");
    graph.edge("a", "to nothing", "c");
    let (mermaid, svg) = (graph.to_mermaid(), graph.to_svg());
    assert!(!mermaid.contains("<script") && !svg.contains("<script") && !svg.contains('\u{0}'));
    assert_eq!(mermaid.lines().filter(|line| line.contains("-->|")).count(), 1);
    assert_eq!(mermaid.lines().filter(|line| line.trim() == "---").count(), 2);
    assert_eq!(Graph::new("").to_svg().matches("<svg").count(), 1);
}

#[test]
fn a_circle_ends() {
    let mut graph = Graph::new("circle");
    for id in ["a", "b", "c"] {
        graph.node(Node::new(id, Kind::Data, id, Basis::Claimed));
    }
    for (from, to) in [("a", "b"), ("b", "c"), ("c", "a")] {
        graph.edge(from, "then", to);
    }
    assert!(graph.to_svg().contains("</svg>"));
}

#[test]
fn a_run_is_two_events() {
    let dataset = |name: &str, columns: &[&str]| Dataset {
        name: name.to_owned(),
        version: Some("sha256:0123".to_owned()),
        columns: columns.iter().map(|name| (*name).to_owned()).collect(),
    };
    let run = Run {
        id: uuid_of("e9-0123456789ab"),
        job: "train.credit-scoring".to_owned(),
        began: "2025-10-01T10:00:00Z".parse().unwrap(),
        ended: "2025-10-01T10:00:03Z".parse().unwrap(),
        well: true,
        inputs: vec![dataset("credit-training/2025-10-01", &["age", "amount"])],
        outputs: vec![dataset("model/credit-scoring/2", &[])],
        evidence: "e9-0123456789ab".to_owned(),
        more: serde_json::Map::new(),
    };
    let events = run.events("wardmote://first-example-bank");
    insta::assert_snapshot!("events", serde_json::to_string_pretty(&events).unwrap());
}
