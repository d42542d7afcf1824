//! The chart: for each place and number of connections, what each server reached of the
//! do-nothing server's speed, as bars. The file needs nothing beside itself.

use std::fmt::Write as _;

/// Bars that belong together.
pub struct Group {
    pub title: String,
    /// Contestants, and what they reached of the do-nothing server's speed.
    pub bars: Vec<(&'static str, f64)>,
}

const WIDTH: usize = 760;
const LEFT: usize = 204;
const BAR: usize = 16;
const GAP: usize = 14;
const TOP: usize = 56;

/// The chart as SVG.
pub fn svg(groups: &[Group]) -> String {
    let bars: usize = groups.iter().map(|group| group.bars.len()).sum();
    let height = TOP + bars * BAR + groups.len() * GAP + 30;
    let largest = groups.iter().flat_map(|group| &group.bars).map(|bar| bar.1).fold(0.01, f64::max);
    let scale = (WIDTH - LEFT - 80) as f64 / largest;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n\
         <text x=\"16\" y=\"24\" font-size=\"16\" fill=\"#1a1a1a\">Durable creates a second, \
         as a share of a do-nothing HTTP server</text>\n\
         <text x=\"16\" y=\"42\" fill=\"#666666\">one External refund a request; medians of \
         samples taken in turns</text>\n"
    );
    let mut y = TOP;
    for group in groups {
        let middle = y + group.bars.len() * BAR / 2 + 4;
        writeln!(svg, "<text x=\"16\" y=\"{middle}\" fill=\"#1a1a1a\">{}</text>", group.title)
            .unwrap();
        for (name, share) in &group.bars {
            let colour = match *name {
                "gateway" => "#1f6fb2",
                "base" => "#8fb8dc",
                "gsoap" => "#d98c21",
                _ => "#6a9a3b",
            };
            let width = (share * scale).max(1.0);
            let (label_x, text_y) = (LEFT as f64 + width + 6.0, y + 12);
            writeln!(
                svg,
                "<rect x=\"{LEFT}\" y=\"{}\" width=\"{width:.1}\" height=\"{}\" \
                 fill=\"{colour}\"/>\n\
                 <text x=\"{label_x:.1}\" y=\"{text_y}\" fill=\"#333333\">{name} {share:.3}</text>",
                y + 1,
                BAR - 2,
            )
            .unwrap();
            y += BAR;
        }
        y += GAP;
    }
    svg + "</svg>\n"
}
