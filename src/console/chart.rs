//! Small charts in SVG.
//!
//! What must stay true: what a chart shows, its summary says in words; a chart of any number of
//! points and of any values fits its frame.

use crate::domain::number::saturated;

/// The frame, in the units of the picture.
const WIDTH: u64 = 600;
const HEIGHT: u64 = 120;

/// A chart of one line, as its template draws it.
pub(super) struct Chart {
    pub(super) title: &'static str,
    /// What it shows, in words.
    pub(super) summary: String,
    /// The points of the line, as SVG writes them.
    pub(super) line: String,
    /// Those of the area below it.
    pub(super) area: String,
    /// When it begins and ends, in words.
    pub(super) from: String,
    pub(super) to: String,
}

impl Chart {
    /// A chart of these values, the oldest first; 0 is the lower edge. `say` puts one in words.
    pub(super) fn of(
        title: &'static str,
        values: &[u64],
        (from, to): (String, String),
        say: impl Fn(u64) -> String,
    ) -> Self {
        let most = values.iter().copied().max().unwrap_or_default();
        let last = values.last().copied().unwrap_or_default();
        let summary = if values.is_empty() {
            "nothing yet".to_owned()
        } else {
            format!("now {}, at most {}", say(last), say(most))
        };
        let points: Vec<String> = (0_u64..)
            .zip(values)
            .map(|(place, value)| format!("{},{}", x(place, values.len()), y(*value, most)))
            .collect();
        let line = points.join(" ");
        let area = match values.len() {
            0 => String::new(),
            many => format!("0,{HEIGHT} {line} {},{HEIGHT}", x(saturated::<u64>(many) - 1, many)),
        };
        Self { title, summary, line, area, from, to }
    }
}

/// How far to the right the point of this place stands.
fn x(place: u64, many: usize) -> u64 {
    let last = saturated::<u64>(many.saturating_sub(1)).max(1);
    WIDTH * place / last
}

/// How far from the top a value stands. The highest leaves room for its line.
fn y(value: u64, most: u64) -> u64 {
    let (room, most) = (u128::from(HEIGHT - 4), u128::from(most.max(1)));
    let height = room * u128::from(value) / most;
    HEIGHT - 1 - u64::try_from(height).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(values: &[u64]) -> Chart {
        Chart::of("x", values, (String::new(), String::new()), |value| format!("{value} a second"))
    }

    #[test]
    fn a_chart_of_any_values_fits_its_frame() {
        assert_eq!(chart(&[]).summary, "nothing yet");
        assert_eq!(chart(&[0]).line, "0,119");
        assert_eq!(chart(&[0, u64::MAX]).line, "0,119 600,3");
        let chart = chart(&[1, 4, 2]);
        assert_eq!(chart.summary, "now 2 a second, at most 4 a second");
        assert_eq!(chart.line, "0,90 300,3 600,61");
        assert_eq!(chart.area, "0,120 0,90 300,3 600,61 600,120");
    }
}
