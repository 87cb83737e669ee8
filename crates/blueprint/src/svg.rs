//! The picture as SVG: columns of boxes, arrows between them, and what the colours of arrows mean.

use crate::diagram::{Diagram, Item, Verb};

const BOX: (usize, usize) = (190, 46);
const GAP: (usize, usize) = (110, 18);
const MARGIN: usize = 24;
const TOP: usize = 84;
/// One for each column.
const FILLS: [&str; 5] = ["#e8f0fe", "#fdf1dc", "#e6f4ea", "#f1e8fd", "#fce8e6"];

impl Verb {
    fn colour(self) -> &'static str {
        match self {
            Self::Administers => "#c5221f",
            Self::Uses => "#b06000",
            Self::Encrypts => "#9aa0a6",
            Self::Reads => "#1967d2",
            Self::Writes => "#188038",
            Self::Asks => "#7627bb",
            Self::Watches => "#5f6368",
        }
    }

    fn dashes(self) -> &'static str {
        match self {
            Self::Administers => " stroke-dasharray=\"6 4\"",
            Self::Watches => " stroke-dasharray=\"2 4\"",
            _ => "",
        }
    }
}

impl Diagram {
    /// The picture as SVG: no scripts, no fonts of others, nothing that is fetched.
    #[must_use]
    pub fn to_svg(&self) -> String {
        let rows = self.columns.iter().map(|(_, items)| items.len()).max().unwrap_or(0);
        let width = 2 * MARGIN + self.columns.len() * (BOX.0 + GAP.0) - GAP.0;
        let height = TOP + rows * (BOX.1 + GAP.1) + 50;
        let mut out = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" \
             height=\"{height}\" font-family=\"Helvetica, Arial, sans-serif\" role=\"img\">\n"
        );
        out.push_str(&format!("<title>{}</title>\n", escaped(&self.title)));
        out.push_str("<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
        out.push_str("<defs>\n");
        for verb in Verb::ALL {
            out.push_str(&format!(
                "<marker id=\"{}\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"6\" markerHeight=\"6\" \
                 orient=\"auto\"><path d=\"M0 0 8 4 0 8z\" fill=\"{}\"/></marker>\n",
                verb.word(),
                verb.colour()
            ));
        }
        out.push_str("</defs>\n");
        out.push_str(&text((MARGIN, 34), 18, "#202124", &self.title));
        for (from, verb, to) in &self.arrows {
            out.push_str(&self.arrow_path(from, *verb, to).unwrap_or_default());
        }
        for (column, (title, items)) in self.columns.iter().enumerate() {
            let (x, fill) = (left(column), FILLS.get(column).copied().unwrap_or("#ffffff"));
            out.push_str(&text((x, TOP - 14), 13, "#5f6368", title));
            for (row, item) in items.iter().enumerate() {
                out.push_str(&boxed((x, top(row)), fill, item));
            }
        }
        out.push_str(&legend(height - 22));
        out.push_str("</svg>\n");
        out
    }

    fn place(&self, id: &str) -> Option<(usize, usize)> {
        self.columns.iter().enumerate().find_map(|(column, (_, items))| {
            items.iter().position(|item| item.id == id).map(|row| (column, row))
        })
    }

    /// Where along the side of its box the `at`-th of `all` arrows meets it.
    fn port(&self, id: &str, arrow: usize, right: bool) -> usize {
        let meets = |(from, _, to): &(String, Verb, String)| {
            let other = if from == id {
                to
            } else if to == id {
                from
            } else {
                return false;
            };
            let (own, other) = (self.place(id), self.place(other));
            own.zip(other).is_some_and(|(own, other)| if right { other.0 > own.0 } else { other.0 < own.0 })
        };
        let all = self.arrows.iter().filter(|one| meets(one)).count();
        let at = self.arrows.iter().take(arrow).filter(|one| meets(one)).count();
        (at + 1) * BOX.1 / (all + 1)
    }

    fn arrow_path(&self, from: &str, verb: Verb, to: &str) -> Option<String> {
        let arrow = self.arrows.iter().position(|one| *one == (from.to_owned(), verb, to.to_owned()))?;
        let (start, end) = (self.place(from)?, self.place(to)?);
        if start.0 == end.0 {
            let (x, down) = (left(start.0) + BOX.0 / 2, start.1 < end.1);
            let side = |row: usize, low: bool| top(row) + if low { BOX.1 } else { 0 };
            return Some(line(verb, &format!("M{x} {} V{}", side(start.1, down), side(end.1, !down))));
        }
        let forward = start.0 < end.0;
        let edge = |(column, _): (usize, usize), right: bool| left(column) + if right { BOX.0 } else { 0 };
        let (x1, y1) = (edge(start, forward), top(start.1) + self.port(from, arrow, forward));
        let (x2, y2) = (edge(end, !forward), top(end.1) + self.port(to, arrow, !forward));
        let reach = x1.abs_diff(x2) / 2;
        let (c1, c2) = if forward { (x1 + reach, x2 - reach) } else { (x1 - reach, x2 + reach) };
        Some(line(verb, &format!("M{x1} {y1} C{c1} {y1} {c2} {y2} {x2} {y2}")))
    }
}

fn line(verb: Verb, path: &str) -> String {
    format!(
        "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\" stroke-opacity=\"0.8\"{} \
         marker-end=\"url(#{})\"/>\n",
        verb.colour(),
        verb.dashes(),
        verb.word()
    )
}

fn left(column: usize) -> usize {
    MARGIN + column * (BOX.0 + GAP.0)
}

fn top(row: usize) -> usize {
    TOP + row * (BOX.1 + GAP.1)
}

fn boxed((x, y): (usize, usize), fill: &str, item: &Item) -> String {
    let frame = format!(
        "<rect x=\"{x}\" y=\"{y}\" width=\"{}\" height=\"{}\" rx=\"6\" fill=\"{fill}\" stroke=\"#80868b\"/>\n",
        BOX.0, BOX.1
    );
    frame
        + &text((x + 10, y + 20), 13, "#202124", &short(&item.name, 25))
        + &text((x + 10, y + 36), 11, "#5f6368", &short(&item.what, 32))
}

fn text((x, y): (usize, usize), size: usize, fill: &str, words: &str) -> String {
    format!("<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" fill=\"{fill}\">{}</text>\n", escaped(words))
}

fn legend(y: usize) -> String {
    let mut out = String::new();
    for (at, verb) in Verb::ALL.into_iter().enumerate() {
        let x = MARGIN + at * 130;
        out.push_str(&format!(
            "<path d=\"M{x} {} h28\" stroke=\"{}\" stroke-width=\"2\"{} marker-end=\"url(#{})\"/>\n",
            y - 4,
            verb.colour(),
            verb.dashes(),
            verb.word()
        ));
        out.push_str(&text((x + 36, y), 12, "#3c4043", verb.word()));
    }
    out
}

fn short(words: &str, most: usize) -> String {
    if words.chars().count() <= most {
        return words.to_owned();
    }
    words.chars().take(most - 1).chain(['…']).collect()
}

fn escaped(words: &str) -> String {
    words.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
