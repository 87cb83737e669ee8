//! The graph as SVG: no scripts, no fonts of others, nothing that is fetched.

use super::layout::{Item, Layout};
use super::{Basis, Graph, Kind, Node};
use crate::model_card::escape;

const WIDTH: usize = 236;
const GAP: (usize, usize) = (92, 26);
const MARGIN: usize = 28;
const TOP: usize = 74;
const LINE: usize = 15;
/// The height of a box without details.
const LEAST: usize = 62;
const BEND: usize = 10;
const LEGEND: usize = 46;

/// A box in the picture: left, top, height.
#[derive(Clone, Copy)]
struct Place(usize, usize, usize);

impl Graph {
    /// The picture.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let layout = Layout::of(self);
        let tall = |items: &Vec<Item>| {
            let heights: usize = items.iter().map(|item| self.height(*item) + GAP.1).sum();
            heights.saturating_sub(GAP.1)
        };
        let most = layout.columns.iter().map(tall).max().unwrap_or(0);
        let width = (2 * MARGIN + layout.columns.len() * (WIDTH + GAP.0)).saturating_sub(GAP.0).max(760);
        let height = TOP + most + LEGEND + MARGIN;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
             font-family=\"Helvetica, Arial, sans-serif\" role=\"img\">\n<title>{title}</title>\n\
             <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
             <defs><marker id=\"to\" viewBox=\"0 0 8 8\" refX=\"7.5\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
             orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" fill=\"#80868b\"/></marker></defs>\n",
            title = escape(&self.title)
        );
        out.push_str(&text((MARGIN, 40), (20, "600", "#202124"), &self.title));
        let place = |wanted: Item| {
            layout.columns.iter().enumerate().find_map(|(column, items)| {
                let at = items.iter().position(|item| *item == wanted)?;
                let above: usize = items.iter().take(at).map(|item| self.height(*item) + GAP.1).sum();
                let top = TOP + (most - tall(items)) / 2 + above;
                Some(Place(MARGIN + column * (WIDTH + GAP.0), top, self.height(wanted)))
            })
        };
        let mut words = String::new();
        for (edge, way) in self.edges.iter().zip(&layout.ways) {
            let places: Vec<Place> = way.iter().filter_map(|item| place(*item)).collect();
            out.push_str(&path(&places));
            words.push_str(&label(&places, &edge.how));
        }
        for (at, node) in self.nodes.iter().enumerate() {
            if let Some(place) = place(Item::Node(at)) {
                out.push_str(&boxed(place, node));
            }
        }
        out.push_str(&words);
        out.push_str(&legend(height - MARGIN));
        out.push_str("</svg>\n");
        out
    }

    fn height(&self, item: Item) -> usize {
        match item {
            Item::Bend(_) => BEND,
            Item::Node(at) => LEAST + self.nodes.get(at).map_or(0, |node| node.details.len() * LINE),
        }
    }
}

/// From the right of the first box to the left of the last, through the bends between.
fn path(places: &[Place]) -> String {
    let mut out = String::new();
    for two in places.windows(2) {
        let (Some(from), Some(to)) = (two.first(), two.get(1)) else { continue };
        let (x1, y1, x2, y2) = (from.0 + WIDTH, from.1 + from.2 / 2, to.0, to.1 + to.2 / 2);
        let bend = GAP.0 / 2;
        let start = if out.is_empty() { format!("M{x1} {y1}") } else { format!(" H{x1}") };
        out.push_str(&format!("{start} C{} {y1} {} {y2} {x2} {y2}", x1 + bend, x2.saturating_sub(bend)));
    }
    format!(
        "<path d=\"{out}\" fill=\"none\" stroke=\"#80868b\" stroke-width=\"1.6\" marker-end=\"url(#to)\"/>\n"
    )
}

/// What an arrow means, in the middle of its last piece.
fn label(places: &[Place], how: &str) -> String {
    let Some((from, to)) = places.len().checked_sub(2).and_then(|at| places.get(at).zip(places.get(at + 1)))
    else {
        return String::new();
    };
    let x = (from.0 + WIDTH + to.0) / 2;
    let y = (from.1 + from.2 / 2 + to.1 + to.2 / 2) / 2 + 4;
    format!(
        "<text x=\"{x}\" y=\"{y}\" font-size=\"11\" fill=\"#3c4043\" text-anchor=\"middle\" stroke=\"#ffffff\" \
         stroke-width=\"4\" paint-order=\"stroke\">{}</text>\n",
        escape(&short(how, 16))
    )
}

fn boxed(Place(x, y, height): Place, node: &Node) -> String {
    let (fill, stroke) = match node.basis {
        Basis::Missing => ("#ffffff", "#c5221f"),
        _ => node.kind.colours(),
    };
    let dashes = if matches!(node.basis, Basis::Recorded { .. }) { "" } else { " stroke-dasharray=\"5 4\"" };
    let mut out = format!(
        "<g><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{WIDTH}\" height=\"{height}\" rx=\"7\" fill=\"{fill}\" \
         stroke=\"{stroke}\" stroke-width=\"1.3\"{dashes}/>\n",
        escape(&format!("{} {}", node.kind.word(), node.name))
    );
    out.push_str(&text((x + 12, y + 17), (10, "600", stroke), &node.kind.word().to_uppercase()));
    out.push_str(&text((x + 12, y + 35), (14, "600", "#202124"), &short(&node.name, 28)));
    for (at, detail) in node.details.iter().enumerate() {
        let y = y + 53 + at * LINE;
        out.push_str(&text((x + 12, y), (11, "400", "#5f6368"), &short(&detail.name, 24)));
        let room = 37_usize.saturating_sub(detail.name.chars().count().min(24));
        out.push_str(&format!(
            "<text x=\"{}\" y=\"{y}\" font-size=\"11\" fill=\"#202124\" text-anchor=\"end\">{}</text>\n",
            x + WIDTH - 12,
            escape(&short(&detail.value, room))
        ));
    }
    out.push_str(&text(
        (x + 12, y + height - 9),
        (10, "400", if node.basis == Basis::Missing { "#c5221f" } else { "#80868b" }),
        &node.foot(),
    ));
    out.push_str("</g>\n");
    out
}

fn text((x, y): (usize, usize), (size, weight, fill): (usize, &str, &str), words: &str) -> String {
    format!(
        "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" font-weight=\"{weight}\" fill=\"{fill}\">{}</text>\n",
        escape(words)
    )
}

fn legend(y: usize) -> String {
    let mut out = String::new();
    for (at, kind) in Kind::ALL.into_iter().enumerate() {
        let (x, (fill, stroke)) = (MARGIN + at * 92, kind.colours());
        out.push_str(&format!(
            "<rect x=\"{x}\" y=\"{}\" width=\"12\" height=\"12\" rx=\"3\" fill=\"{fill}\" stroke=\"{stroke}\"/>\n",
            y - 10
        ));
        out.push_str(&text((x + 17, y), (11, "400", "#3c4043"), kind.word()));
    }
    out
}

fn short(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.to_owned();
    }
    words.chars().take(most.saturating_sub(1)).chain(['…']).collect()
}
