//! The two forms in which metrics are read: OpenMetrics, and the older text format of Prometheus,
//! which every scraper and `promtool check metrics` understand.
//!
//! What must stay true: both say the same. The older one is made of the newer by its few
//! differences: a counter is named with its ending, an info is a gauge, and units and the end are
//! not written.

use prometheus_client::encoding::text;
use prometheus_client::registry::Registry;
use std::fmt::{self, Write as _};

/// How metrics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Format {
    OpenMetrics,
    Prometheus,
}

/// The types by which scrapers ask for the formats.
const OPEN_METRICS: &str = "application/openmetrics-text";
const PLAIN: &str = "text/plain";

impl Format {
    /// The one that these values of Accept prefer. Without a preference, the older.
    pub(in crate::http) fn accepted<'a>(values: impl Iterator<Item = &'a str>) -> Self {
        let (mut open, mut plain) = (None, None);
        for range in values.flat_map(|value| value.split(',')) {
            let mut parts = range.split(';').map(str::trim);
            let name = parts.next().unwrap_or_default();
            let quality = parts.find_map(|part| part.strip_prefix("q=")).unwrap_or("1");
            let Some(quality) = thousandths(quality) else { continue };
            let of_name = match name {
                name if name.eq_ignore_ascii_case(OPEN_METRICS) => &mut open,
                name if name.eq_ignore_ascii_case(PLAIN) => &mut plain,
                "text/*" | "*/*" => &mut plain,
                _ => continue,
            };
            *of_name = Some(of_name.map_or(quality, |best: u32| best.max(quality)));
        }
        match (open, plain) {
            (Some(open), plain) if open > 0 && open >= plain.unwrap_or(0) => Self::OpenMetrics,
            _ => Self::Prometheus,
        }
    }

    /// The Content-Type.
    pub(in crate::http) const fn content_type(self) -> &'static str {
        match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        }
    }

    /// What the registries hold.
    pub(super) fn render(self, registries: &[&Registry]) -> Result<String, fmt::Error> {
        let mut out = String::with_capacity(32 * 1024);
        for registry in registries {
            text::encode_registry(&mut out, registry)?;
        }
        match self {
            Self::OpenMetrics => {
                text::encode_eof(&mut out)?;
                Ok(out)
            }
            Self::Prometheus => older(&out),
        }
    }
}

/// A quality in thousandths, such as 0.5; none where it is no such number.
fn thousandths(text: &str) -> Option<u32> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if whole.len() != 1 || part.len() > 3 || !is_number(whole) || !is_number(part) {
        return None;
    }
    format!("{whole}{part:0<3}").parse().ok().filter(|quality| *quality <= 1_000)
}

/// The text of the older format with what the text of the newer says.
fn older(newer: &str) -> Result<String, fmt::Error> {
    let mut out = String::with_capacity(newer.len());
    let mut help = "";
    for line in newer.lines() {
        if line.starts_with("# UNIT ") {
            continue;
        }
        if let Some(rest) = line.strip_prefix("# HELP ") {
            // It is written once the type is known, which the name depends on.
            help = rest;
            continue;
        }
        let Some(rest) = line.strip_prefix("# TYPE ") else {
            writeln!(out, "{line}")?;
            continue;
        };
        let (name, kind) = rest.split_once(' ').unwrap_or((rest, ""));
        let (ending, kind) = match kind {
            "counter" => ("_total", kind),
            "info" => ("_info", "gauge"),
            "unknown" => ("", "untyped"),
            _ => ("", kind),
        };
        if let Some(help) = help.strip_prefix(name) {
            writeln!(out, "# HELP {name}{ending}{help}")?;
        }
        writeln!(out, "# TYPE {name}{ending} {kind}")?;
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::info::Info;
    use prometheus_client::registry::Unit;

    #[test]
    fn the_format_is_the_one_that_is_asked_for() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-\
            text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        for (accept, format) in [
            (&[][..], Format::Prometheus),
            (&["*/*"], Format::Prometheus),
            (&["text/plain;version=0.0.4"], Format::Prometheus),
            (&["text/plain;version=0.0.4;q=1,*/*;q=0.1"], Format::Prometheus),
            (&["application/openmetrics-text; version=1.0.0"], Format::OpenMetrics),
            (&[prometheus], Format::OpenMetrics),
            (&["text/plain;q=0.3", "application/openmetrics-text;q=0.5"], Format::OpenMetrics),
            (&["application/openmetrics-text;q=0.2, text/plain;q=0.5"], Format::Prometheus),
            (&["application/openmetrics-text;q=0"], Format::Prometheus),
            (&["application/openmetrics-text;q=x"], Format::Prometheus),
            (&["text/html"], Format::Prometheus),
        ] {
            assert_eq!(Format::accepted(accept.iter().copied()), format, "{accept:?}");
        }
    }

    #[test]
    fn both_formats_say_the_same() {
        let mut registry = Registry::with_prefix("x");
        registry.register("build", "The build", Info::new([("version", "1")]));
        registry.register_with_unit("body", "Bytes", Unit::Bytes, Counter::<u64>::default());
        let render = |format: Format| format.render(&[&registry]).unwrap();
        assert_eq!(
            render(Format::Prometheus),
            "# HELP x_build_info The build.\n# TYPE x_build_info gauge\n\
             x_build_info{version=\"1\"} 1\n# HELP x_body_bytes_total Bytes.\n\
             # TYPE x_body_bytes_total counter\nx_body_bytes_total 0\n"
        );
        let newer = render(Format::OpenMetrics);
        assert!(newer.contains("# UNIT x_body_bytes bytes\n") && newer.ends_with("# EOF\n"));
    }
}
