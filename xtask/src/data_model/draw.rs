//! Writes the picture: boxes with their rows, the lines between them, and words for those who cannot see it.
//!
//! It brings its own background, so that it looks the same on a light and a dark page.

use super::layout::{BAND_TITLE, Boxed, HEAD, PADDING, Plan, ROW, TRACK, right_word, small};
use super::lines::{Routes, Stub};
use std::fmt::Write;

/// Colors of the lines, for the tables that are referred to most first; all stand out from white by 4.5 to 1 or more.
const COLORS: [&str; 12] = [
    "#0b5cad", "#a8410a", "#0b7a4b", "#8a2a8f", "#9a1c3c", "#3d5a00", "#5b3fb0", "#006d77",
    "#7a5200", "#b0207a", "#2f4f6f", "#5f4b32",
];
/// Colors at the beginning of [`COLORS`] that are not used twice.
const KEPT: usize = 3;
const INK: &str = "#1c2430";
const MARGIN: i32 = 10;

/// The words of the style sheet; monospaced, so that the width of a row is known without a font.
const STYLE: &str = "text{font-family:ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;font-size:11px;fill:#1c2430}\
.t{font-family:system-ui,'DejaVu Sans','Segoe UI',sans-serif;font-weight:600}\
.h{font-weight:700;font-size:12px}.k{font-weight:700;text-decoration:underline}.y{text-anchor:end;fill:#5a6675}\
.q{font-weight:400;fill:#5a6675}.l{fill:none;stroke-width:1.3}";

/// Where everything stands from left to right.
struct Across {
    columns: Vec<i32>,
    gutters: Vec<i32>,
    width: i32,
}

impl Across {
    fn new(plan: &Plan, routes: &Routes) -> Self {
        let (mut columns, mut gutters) = (Vec::new(), Vec::new());
        let mut x = MARGIN;
        for width in routes.gutters {
            gutters.push(x);
            x += width;
            columns.push(x);
            x += plan.width;
        }
        // After the last gutter there is no column.
        columns.pop();
        Self {
            columns,
            gutters,
            width: x - plan.width + MARGIN,
        }
    }

    fn column(&self, index: usize) -> i32 {
        self.columns.get(index).copied().unwrap_or_default()
    }

    fn track(&self, gutter: usize, track: usize) -> i32 {
        self.gutters.get(gutter).copied().unwrap_or_default() + TRACK * (small(track) + 2)
    }
}

/// The picture.
pub fn svg(plan: &Plan, routes: &Routes) -> String {
    let across = Across::new(plan, routes);
    let colors = colors(plan);
    let mut out = String::new();
    let (width, height) = (across.width, plan.height);
    line(
        &mut out,
        format_args!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" width=\"{width}\" height=\"{height}\" \
         role=\"img\" aria-labelledby=\"title desc\">"
        ),
    );
    line(
        &mut out,
        format_args!("<title id=\"title\">The data model of regulars</title>"),
    );
    line(
        &mut out,
        format_args!("<desc id=\"desc\">{}</desc>", escaped(&description(plan))),
    );
    line(&mut out, format_args!("<style>{STYLE}</style>"));
    line(
        &mut out,
        format_args!("<rect width=\"{width}\" height=\"{height}\" rx=\"8\" fill=\"#ffffff\"/>"),
    );
    legend(&mut out, &across, plan);
    for band in &plan.bands {
        line(
            &mut out,
            format_args!(
                "<rect x=\"{MARGIN}\" y=\"{}\" width=\"{}\" height=\"{}\" rx=\"8\" fill=\"#eef2f7\"/>",
                band.top,
                width - 2 * MARGIN,
                band.height
            ),
        );
        line(
            &mut out,
            format_args!(
                "<text class=\"t\" style=\"font-size:14px\" x=\"{}\" y=\"{}\">{}</text>",
                across.column(0),
                band.top + BAND_TITLE - 10,
                escaped(band.title)
            ),
        );
    }
    wires(&mut out, plan, routes, &across, &colors);
    for (index, placed) in plan.boxes.iter().enumerate() {
        table(&mut out, plan, &across, &colors, index, placed);
    }
    out.push_str("</svg>\n");
    out
}

fn line(out: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing into a string cannot fail.
    _ = out.write_fmt(words);
    out.push('\n');
}

fn legend(out: &mut String, across: &Across, plan: &Plan) {
    let x = across.column(0);
    line(
        out,
        format_args!(
            "<text class=\"t\" style=\"font-size:18px\" x=\"{x}\" y=\"32\">The data model of regulars</text>"
        ),
    );
    let strong = |word: &str| format!("<tspan style=\"fill:{INK}\">{word}</tspan>");
    let lines = [
        format!(
            "{} tables. <tspan class=\"k\" style=\"fill:{INK}\">bold</tspan>: primary key · {}: may be empty · {}: the typed id \
             of that table, with a line in its color",
            plan.boxes.len(),
            strong("?"),
            strong("→ table")
        ),
        format!(
            "{}: one of a closed set of words (entity/src/enums.rs) · {}: money in minor units · {}: UTC",
            strong("Capitalized"),
            strong("…_minor"),
            strong("time")
        ),
    ];
    for (index, words) in lines.iter().enumerate() {
        let y = 52 + ROW * small(index);
        line(
            out,
            format_args!("<text class=\"t q\" x=\"{x}\" y=\"{y}\">{words}</text>"),
        );
    }
}

/// The color of each box's lines; none where nobody refers to it.
fn colors(plan: &Plan) -> Vec<Option<&'static str>> {
    let mut counts = vec![0_usize; plan.boxes.len()];
    for reference in &plan.references {
        if let Some(count) = counts.get_mut(reference.target) {
            *count += 1;
        }
    }
    let mut order: Vec<(usize, usize)> = counts
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, n)| *n > 0)
        .collect();
    order.sort_by_key(|(index, count)| (std::cmp::Reverse(*count), *index));
    let mut colors = vec![None; plan.boxes.len()];
    // Whom everything refers to keep theirs to themselves: their lines run through the whole picture.
    let again = COLORS.iter().skip(KEPT).cycle();
    for ((index, _), color) in order.iter().zip(COLORS.iter().chain(again)) {
        if let Some(place) = colors.get_mut(*index) {
            *place = Some(*color);
        }
    }
    colors
}

fn color_of(colors: &[Option<&'static str>], index: usize) -> &'static str {
    colors.get(index).copied().flatten().unwrap_or(INK)
}

fn wires(
    out: &mut String,
    plan: &Plan,
    routes: &Routes,
    across: &Across,
    colors: &[Option<&'static str>],
) {
    for trunk in &routes.trunks {
        let x = across.track(trunk.gutter, trunk.track);
        line(
            out,
            format_args!(
                "<path class=\"l\" stroke=\"{}\" d=\"M{x} {}V{}\"/>",
                color_of(colors, trunk.target),
                trunk.from,
                trunk.to
            ),
        );
    }
    for crossing in &routes.crossings {
        let end = |gutter| {
            routes
                .trunk(crossing.target, gutter)
                .map(|t| across.track(gutter, t.track))
        };
        if let (Some(from), Some(to)) = (end(crossing.gutter), end(crossing.gutter + 1)) {
            line(
                out,
                format_args!(
                    "<path class=\"l\" stroke=\"{}\" d=\"M{from} {}H{to}\"/>",
                    color_of(colors, crossing.target),
                    crossing.y
                ),
            );
        }
    }
    for stub in &routes.stubs {
        wire_end(
            out,
            plan,
            routes,
            across,
            color_of(colors, stub.target),
            stub,
        );
    }
}

/// From a trunk to the edge of a box, with an arrow where it arrives and a dot where it joins.
fn wire_end(
    out: &mut String,
    plan: &Plan,
    routes: &Routes,
    across: &Across,
    color: &str,
    stub: &Stub,
) {
    let (Some(placed), Some(trunk)) = (
        plan.boxes.get(stub.at),
        routes.trunk(stub.target, stub.gutter),
    ) else {
        return;
    };
    let (x, y) = (across.track(trunk.gutter, trunk.track), stub.y);
    let left = across.column(placed.column);
    // Gutter `n` lies at the left of column `n`.
    let (edge, outward) = if stub.gutter == placed.column {
        (left, -1)
    } else {
        (left + plan.width, 1)
    };
    line(
        out,
        format_args!("<path class=\"l\" stroke=\"{color}\" d=\"M{x} {y}H{edge}\"/>"),
    );
    if stub.arrives {
        let back = edge + 7 * outward;
        line(
            out,
            format_args!(
                "<path fill=\"{color}\" d=\"M{edge} {y}L{back} {}V{}Z\"/>",
                y - 4,
                y + 4
            ),
        );
    } else {
        line(
            out,
            format_args!("<circle cx=\"{x}\" cy=\"{y}\" r=\"2\" fill=\"{color}\"/>"),
        );
    }
}

fn table(
    out: &mut String,
    plan: &Plan,
    across: &Across,
    colors: &[Option<&'static str>],
    index: usize,
    placed: &Boxed,
) {
    let (x, y, width) = (across.column(placed.column), placed.top, plan.width);
    let color = color_of(colors, index);
    let (name, height) = (escaped(&placed.table.name), placed.height());
    line(
        out,
        format_args!("<g><title>{name}: {}</title>", escaped(&placed.table.about)),
    );
    line(
        out,
        format_args!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" rx=\"4\" fill=\"#ffffff\" stroke=\"{color}\"/>"
        ),
    );
    line(
        out,
        format_args!(
            "<path fill=\"{color}\" d=\"M{x} {}v-{v}q0-4 4-4h{h}q4 0 4 4v{v}z\"/>",
            y + HEAD - 2,
            v = HEAD - 6,
            h = width - 8
        ),
    );
    line(
        out,
        format_args!(
            "<text class=\"h\" style=\"fill:#ffffff\" x=\"{}\" y=\"{}\">{name}</text>",
            x + PADDING,
            y + HEAD - 8
        ),
    );
    for (row, column) in placed.table.columns.iter().enumerate() {
        let base = y + HEAD + ROW * small(row) + 3 * ROW / 4;
        let class = if column.key { " class=\"k\"" } else { "" };
        let target = column.refers.as_ref();
        let target = target.and_then(|name| plan.boxes.iter().position(|b| b.table.name == *name));
        let style = target.map_or_else(String::new, |t| {
            format!(" style=\"fill:{}\"", color_of(colors, t))
        });
        line(
            out,
            format_args!(
                "<text{class} x=\"{}\" y=\"{base}\">{}</text><text class=\"y\"{style} x=\"{}\" y=\"{base}\">{}</text>",
                x + PADDING,
                escaped(&column.name),
                x + width - PADDING,
                escaped(&right_word(column))
            ),
        );
    }
    line(out, format_args!("</g>"));
}

/// What the picture shows, in words: each table of each group, and to which others it refers.
fn description(plan: &Plan) -> String {
    let mut words = String::from("All tables, by topic, and what each refers to.");
    for (index, band) in plan.bands.iter().enumerate() {
        _ = write!(words, " {}:", band.title);
        let members = plan.boxes.iter().filter(|placed| placed.band == index);
        for (place, placed) in members.enumerate() {
            let mut targets: Vec<&str> = placed
                .table
                .columns
                .iter()
                .filter_map(|c| c.refers.as_deref())
                .collect();
            targets.sort_unstable();
            targets.dedup();
            let comma = if place == 0 { "" } else { ";" };
            _ = write!(words, "{comma} {}", placed.table.name);
            if !targets.is_empty() {
                _ = write!(words, " (to {})", targets.join(", "));
            }
        }
        words.push('.');
    }
    words
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
