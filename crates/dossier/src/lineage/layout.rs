//! Where boxes stand in the picture: columns from left to right in the order of what follows from what, rows so that
//! arrows cross little. Whole numbers alone, so that the same graph is the same picture everywhere.

use super::Graph;

/// How often rows are put in a better order.
const SWEEPS: usize = 8;

/// An item of a column: a node, or the place where a long arrow passes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    Node(usize),
    Bend(usize),
}

/// Columns of items, and the way of each edge: the items that it visits.
pub(super) struct Layout {
    pub(super) columns: Vec<Vec<Item>>,
    /// By the edge's number; empty for an edge to nowhere.
    pub(super) ways: Vec<Vec<Item>>,
}

impl Layout {
    pub(super) fn of(graph: &Graph) -> Self {
        let place = |id: &str| graph.nodes.iter().position(|node| node.id == id);
        let edges: Vec<Option<(usize, usize)>> =
            graph.edges.iter().map(|edge| place(&edge.from).zip(place(&edge.to))).collect();
        let known: Vec<(usize, usize)> = edges.iter().flatten().copied().collect();
        let column = columns(graph.nodes.len(), &known);
        let mut layout = Self { columns: Vec::new(), ways: Vec::new() };
        let wide = column.iter().max().map_or(0, |last| last + 1);
        layout.columns.resize(wide, Vec::new());
        for (node, at) in column.iter().enumerate() {
            layout.put(*at, Item::Node(node));
        }
        let mut bends = 0;
        for edge in edges {
            let mut way = Vec::new();
            if let Some((from, to)) = edge {
                way.push(Item::Node(from));
                for between in column.get(from).map_or(0, |at| at + 1)..column.get(to).copied().unwrap_or(0) {
                    let bend = Item::Bend(bends);
                    bends += 1;
                    layout.put(between, bend);
                    way.push(bend);
                }
                way.push(Item::Node(to));
            }
            layout.ways.push(way);
        }
        layout.settle();
        layout
    }

    fn put(&mut self, column: usize, item: Item) {
        if let Some(items) = self.columns.get_mut(column) {
            items.push(item);
        }
    }

    /// Puts each item of a column near the middle of those that it is joined with in the column before, then after.
    fn settle(&mut self) {
        let mut joined: Vec<(Item, Item)> = Vec::new();
        for way in &self.ways {
            joined.extend(way.windows(2).filter_map(|two| Some((*two.first()?, *two.get(1)?))));
        }
        for sweep in 0..SWEEPS {
            let forward = sweep % 2 == 0;
            for step in 1..self.columns.len() {
                let at = if forward { step } else { self.columns.len() - 1 - step };
                let beside = if forward { at - 1 } else { at + 1 };
                let Some(others) = self.columns.get(beside).cloned() else { continue };
                let Some(items) = self.columns.get_mut(at) else { continue };
                let row = |item: Item| others.iter().position(|other| *other == item);
                let middle = |item: Item, own: usize| {
                    let rows = joined.iter().filter_map(|(from, to)| match (*from, *to) {
                        (from, to) if to == item && forward => row(from),
                        (from, to) if from == item && !forward => row(to),
                        _ => None,
                    });
                    let (sum, count) = rows.fold((0, 0), |(sum, count), row| (sum + row, count + 1));
                    // In hundredths of a row; who is joined with nobody stays.
                    (sum * 100).checked_div(count).unwrap_or(own * 100)
                };
                let mut keyed: Vec<(usize, usize, Item)> =
                    items.iter().enumerate().map(|(own, item)| (middle(*item, own), own, *item)).collect();
                keyed.sort_by_key(|(middle, own, _)| (*middle, *own));
                *items = keyed.into_iter().map(|(_, _, item)| item).collect();
            }
        }
    }
}

/// The column of each node: one more than that of the last it follows from; what follows from nothing stands right before
/// what follows from it.
fn columns(nodes: usize, edges: &[(usize, usize)]) -> Vec<usize> {
    let mut column = vec![0usize; nodes];
    // As many rounds as there are nodes are enough; a circle, which no graph of ours has, ends with them.
    for _ in 0..nodes {
        let mut moved = false;
        for (from, to) in edges {
            let least = column.get(*from).map_or(0, |at| at + 1);
            if let Some(at) = column.get_mut(*to).filter(|at| **at < least && least < nodes) {
                *at = least;
                moved = true;
            }
        }
        if !moved {
            break;
        }
    }
    for node in 0..nodes {
        let first = edges.iter().all(|(_, to)| *to != node);
        let next = edges.iter().filter(|(from, _)| *from == node).filter_map(|(_, to)| column.get(*to)).min();
        if let (true, Some(next)) = (first, next.copied())
            && let Some(at) = column.get_mut(node)
        {
            *at = next.saturating_sub(1);
        }
    }
    column
}
