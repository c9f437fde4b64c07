//! Gives every table its place: a band for each group, three columns of boxes, gutters between them for the lines.
//!
//! A layout of our own, not one of a crate: `layout-rs` ranks a graph as Graphviz's dot does, knows no groups, and leads its
//! lines across the boxes; forty tables of which half refer to two come out several screens wide. Three columns are what is
//! legible at the width of a README. Since every box of the middle column lies beside both inner gutters, a line from anywhere
//! reaches it through one of them; so the table of a group that most others refer to goes there.

use super::groups::Grouped;
use super::read::Table;
use std::collections::BTreeMap;

/// Columns of boxes; [`GUTTERS`] lie between and beside them.
pub const COLUMNS: usize = 3;
/// Gutters for lines.
pub const GUTTERS: usize = COLUMNS + 1;
/// Height of a box's head.
pub const HEAD: i32 = 24;
/// Height of a row.
pub const ROW: i32 = 16;
/// Width of a letter at the size of rows, in tenths: what monospaced fonts have in common.
pub const LETTER_TENTHS: i32 = 66;
/// Between the edge of a box and its words.
pub const PADDING: i32 = 8;
/// Above a band's first boxes: its title.
pub const BAND_TITLE: i32 = 30;
/// Between two lines of a lane or gutter.
pub const TRACK: i32 = 7;
// With it a box is a whole number of rows high, see `Boxed::aside`.
const BETWEEN_BOXES: i32 = 20;
const BETWEEN_BANDS: i32 = 14;
/// Above the first band: the picture's title and legend.
const TOP: i32 = 86;

/// A table in its place. Columns and gutters are counted from the left; how wide a gutter is, its lines decide.
#[derive(Clone, Debug)]
pub struct Boxed {
    /// The table.
    pub table: Table,
    /// In which column.
    pub column: usize,
    /// In which band.
    pub band: usize,
    /// Its upper edge.
    pub top: i32,
}

impl Boxed {
    /// Where a line from a gutter reaches it: about the middle of its head.
    pub fn head(&self, gutter: usize) -> i32 {
        self.top + HEAD / 2 + self.aside(gutter, 4)
    }

    /// Where a line to a gutter leaves it: about the middle of a row.
    pub fn row(&self, index: usize, gutter: usize) -> i32 {
        self.top + HEAD + ROW * small(index) + ROW / 2 + self.aside(gutter, 3)
    }

    /// Boxes at both sides of a gutter stand on one grid of rows: lines from the left are led a little higher, those from
    /// the right a little lower, so that none of them lies on another.
    fn aside(&self, gutter: usize, by: i32) -> i32 {
        if gutter == self.column { by } else { -by }
    }

    /// How high it is.
    pub fn height(&self) -> i32 {
        height(&self.table)
    }
}

/// The band of a group.
#[derive(Clone, Debug)]
pub struct Band {
    /// The group's name.
    pub title: &'static str,
    /// Its upper edge.
    pub top: i32,
    /// Its height.
    pub height: i32,
    /// The tables to which lines cross in the lane above it, from its lower edge up.
    pub lane: Vec<String>,
}

impl Band {
    /// Where the lane above it leads the line to a table.
    pub fn lane_of(&self, target: &str) -> Option<i32> {
        let place = self.lane.iter().position(|name| name == target)?;
        Some(self.top - TRACK * (small(place) + 1))
    }
}

/// A reference: from which row of which box to which box, by their places in [`Plan::boxes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reference {
    /// What is referred to.
    pub target: usize,
    /// What refers.
    pub source: usize,
    /// By which column.
    pub row: usize,
}

/// Every table in its place.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The bands, from the top.
    pub bands: Vec<Band>,
    /// The boxes.
    pub boxes: Vec<Boxed>,
    /// All references.
    pub references: Vec<Reference>,
    /// How wide a box is: the same for all.
    pub width: i32,
    /// How high the picture is.
    pub height: i32,
}

/// A count as a length: pictures have no more than thousands of anything.
pub fn small(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

/// What a row says at its right.
pub fn right_word(column: &super::read::Column) -> String {
    let word = column
        .refers
        .as_ref()
        .map_or_else(|| column.kind.clone(), |target| format!("→ {target}"));
    if column.nullable {
        format!("{word}?")
    } else {
        word
    }
}

fn height(table: &Table) -> i32 {
    HEAD + ROW * small(table.columns.len()) + PADDING / 2
}

fn width(groups: &[Grouped]) -> i32 {
    let rows = groups
        .iter()
        .flat_map(|g| &g.tables)
        .flat_map(|t| &t.columns);
    let letters = rows
        .map(|column| column.name.chars().count() + right_word(column).chars().count() + 2)
        .max()
        .unwrap_or_default();
    small(letters) * LETTER_TENTHS / 10 + 2 * PADDING
}

/// How often each table is referred to from elsewhere.
fn popularity(groups: &[Grouped]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for table in groups.iter().flat_map(|group| &group.tables) {
        for target in table.columns.iter().filter_map(|c| c.refers.as_ref()) {
            if *target != table.name {
                *counts.entry(target.clone()).or_default() += 1;
            }
        }
    }
    counts
}

/// The column of each table of a group: the most referred to in the middle, then each where there is most room.
fn columns(group: &Grouped, popularity: &BTreeMap<String, usize>) -> Vec<usize> {
    let middle = COLUMNS / 2;
    let of = |table: &Table| popularity.get(&table.name).copied().unwrap_or_default();
    let most = group.tables.iter().map(of).max().unwrap_or_default();
    let first = group
        .tables
        .iter()
        .position(|table| of(table) == most && most > 0);
    let mut heights = [0_i32; COLUMNS];
    let mut places: Vec<usize> = vec![0; group.tables.len()];
    // The tall ones first, which fills the columns most evenly.
    let mut order: Vec<usize> = (0..group.tables.len()).collect();
    let tall = |index: &usize| group.tables.get(*index).map(height);
    order.sort_by_key(|index| {
        (
            Some(*index) != first,
            std::cmp::Reverse(tall(index)),
            *index,
        )
    });
    for index in order {
        let column = if Some(index) == first {
            middle
        } else {
            (0..COLUMNS)
                .min_by_key(|column| (heights.get(*column).copied(), *column))
                .unwrap_or_default()
        };
        if let (Some(place), Some(used), Some(more)) =
            (places.get_mut(index), heights.get_mut(column), tall(&index))
        {
            *place = column;
            *used += more + BETWEEN_BOXES;
        }
    }
    places
}

/// Plans the picture.
pub fn plan(groups: &[Grouped]) -> Plan {
    let popularity = popularity(groups);
    let mut boxes = Vec::new();
    for (band, group) in groups.iter().enumerate() {
        for (table, column) in group.tables.iter().zip(columns(group, &popularity)) {
            boxes.push(Boxed {
                table: table.clone(),
                column,
                band,
                top: 0,
            });
        }
    }
    let references = references(&boxes);
    let mut bands = Vec::new();
    let mut y = TOP;
    for (index, group) in groups.iter().enumerate() {
        let lane = lane(index, &boxes, &references);
        let top = y + TRACK * small(lane.len());
        let mut ends = [top + BAND_TITLE; COLUMNS];
        for placed in boxes.iter_mut().filter(|placed| placed.band == index) {
            if let Some(end) = ends.get_mut(placed.column) {
                placed.top = *end;
                *end += height(&placed.table) + BETWEEN_BOXES;
            }
        }
        let end = ends.iter().copied().max().unwrap_or(top);
        bands.push(Band {
            title: group.title,
            top,
            height: end - top,
            lane,
        });
        y = end + BETWEEN_BANDS;
    }
    Plan {
        bands,
        boxes,
        references,
        width: width(groups),
        height: y,
    }
}

fn references(boxes: &[Boxed]) -> Vec<Reference> {
    let mut references = Vec::new();
    for (source, from) in boxes.iter().enumerate() {
        for (row, column) in from.table.columns.iter().enumerate() {
            let target = column.refers.as_ref();
            let target = target.and_then(|name| boxes.iter().position(|b| b.table.name == *name));
            if let Some(target) = target {
                references.push(Reference {
                    target,
                    source,
                    row,
                });
            }
        }
    }
    references.sort();
    references
}

/// The tables of a band that somebody in the column at the other side refers to: their lines need the lane above it.
fn lane(band: usize, boxes: &[Boxed], references: &[Reference]) -> Vec<String> {
    let mut names = Vec::new();
    for reference in references {
        if let (Some(from), Some(to)) = (boxes.get(reference.source), boxes.get(reference.target))
            && to.band == band
            && from.column.abs_diff(to.column) > 1
            && !names.contains(&to.table.name)
        {
            names.push(to.table.name.clone());
        }
    }
    names
}
