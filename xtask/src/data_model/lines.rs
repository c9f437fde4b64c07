//! Leads the references from row to box through the gutters, so that no line runs over a word.
//!
//! All references to one table share one line in each gutter: what looks like a bus is one, and has the table's color. Where
//! the outer columns are to be connected, the line crosses in the lane above the band of what is referred to.

use super::layout::{COLUMNS, GUTTERS, Plan, Reference, TRACK};
use std::collections::BTreeMap;

/// The upright line to a table in a gutter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trunk {
    /// Which table, by its place in [`Plan::boxes`].
    pub target: usize,
    /// In which gutter.
    pub gutter: usize,
    /// In which place of the gutter, from the left.
    pub track: usize,
    /// Where it begins.
    pub from: i32,
    /// Where it ends.
    pub to: i32,
}

/// A short line between a box and a trunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stub {
    /// To which table the line leads.
    pub target: usize,
    /// At which box it begins or ends.
    pub at: usize,
    /// In which gutter.
    pub gutter: usize,
    /// How high.
    pub y: i32,
    /// It reaches what is referred to.
    pub arrives: bool,
}

/// A line across the middle column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crossing {
    /// To which table.
    pub target: usize,
    /// Between this gutter and the next.
    pub gutter: usize,
    /// How high.
    pub y: i32,
}

/// All lines.
#[derive(Clone, Debug, Default)]
pub struct Routes {
    /// Upright ones.
    pub trunks: Vec<Trunk>,
    /// From and to boxes.
    pub stubs: Vec<Stub>,
    /// Between gutters.
    pub crossings: Vec<Crossing>,
    /// How wide each gutter is.
    pub gutters: [i32; GUTTERS],
}

impl Routes {
    /// The trunk to a table in a gutter.
    pub fn trunk(&self, target: usize, gutter: usize) -> Option<&Trunk> {
        let mut trunks = self.trunks.iter();
        trunks.find(|trunk| trunk.target == target && trunk.gutter == gutter)
    }
}

/// Leads all references of a plan.
pub fn lead(plan: &Plan) -> Routes {
    let mut routes = Routes::default();
    let mut heights: BTreeMap<(usize, usize), Vec<i32>> = BTreeMap::new();
    for reference in &plan.references {
        lead_one(plan, *reference, &mut routes, &mut heights);
    }
    let mut trunks: Vec<Trunk> = heights
        .iter()
        .filter_map(|((target, gutter), ys)| {
            Some(Trunk {
                target: *target,
                gutter: *gutter,
                track: 0,
                from: *ys.iter().min()?,
                to: *ys.iter().max()?,
            })
        })
        .collect();
    routes.gutters = assign_tracks(&mut trunks);
    routes.trunks = trunks;
    routes
}

fn lead_one(
    plan: &Plan,
    reference: Reference,
    routes: &mut Routes,
    heights: &mut BTreeMap<(usize, usize), Vec<i32>>,
) {
    let Reference {
        target,
        source,
        row,
    } = reference;
    let (Some(from), Some(to)) = (plan.boxes.get(source), plan.boxes.get(target)) else {
        return;
    };
    let (leaves, arrives) = gutters(from.column, to.column);
    let mut add = |gutter: usize, y: i32| heights.entry((target, gutter)).or_default().push(y);
    let crossing = plan
        .bands
        .get(to.band)
        .and_then(|band| band.lane_of(&to.table.name))
        .filter(|_| leaves != arrives);
    if let Some(y) = crossing {
        add(leaves, y);
        add(arrives, y);
        let crossing = Crossing {
            target,
            gutter: leaves.min(arrives),
            y,
        };
        if !routes.crossings.contains(&crossing) {
            routes.crossings.push(crossing);
        }
    }
    add(leaves, from.row(row, leaves));
    add(arrives, to.head(arrives));
    let ends = [
        (source, leaves, from.row(row, leaves), false),
        (target, arrives, to.head(arrives), true),
    ];
    for (at, gutter, y, arrives) in ends {
        let stub = Stub {
            target,
            at,
            gutter,
            y,
            arrives,
        };
        if !routes.stubs.contains(&stub) {
            routes.stubs.push(stub);
        }
    }
}

/// By which gutter a line leaves a column, and by which it arrives: gutter `n` is left of column `n`.
fn gutters(from: usize, to: usize) -> (usize, usize) {
    match to.cmp(&from) {
        // Within a column, at its outer side, where there is less traffic.
        std::cmp::Ordering::Equal if from + 1 == COLUMNS => (from + 1, from + 1),
        std::cmp::Ordering::Equal => (from, from),
        std::cmp::Ordering::Greater => (from + 1, to),
        std::cmp::Ordering::Less => (from, to + 1),
    }
}

/// Gives each trunk a track in its gutter: two share one if they do not meet. Gives the width of each gutter.
fn assign_tracks(trunks: &mut [Trunk]) -> [i32; GUTTERS] {
    let mut widths = [0; GUTTERS];
    for (gutter, width) in widths.iter_mut().enumerate() {
        let mut ends: Vec<i32> = Vec::new();
        let mut here: Vec<&mut Trunk> = trunks.iter_mut().filter(|t| t.gutter == gutter).collect();
        here.sort_by_key(|trunk| (trunk.from, trunk.to, trunk.target));
        for trunk in here {
            let free = ends.iter().position(|end| end + 2 * TRACK < trunk.from);
            trunk.track = free.unwrap_or(ends.len());
            match ends.get_mut(trunk.track) {
                Some(end) => *end = trunk.to,
                None => ends.push(trunk.to),
            }
        }
        *width = TRACK * (super::layout::small(ends.len()) + 3);
    }
    widths
}
