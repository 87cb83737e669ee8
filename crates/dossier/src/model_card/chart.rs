//! A line chart as inline SVG: a number over time, its threshold, both axes labelled.

use super::Point;
use std::fmt::Write;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 220.0;
const LEFT: f64 = 48.0;
const BOTTOM: f64 = 36.0;
const TOP: f64 = 14.0;

/// The chart; shares from 0 to 1 on the upright axis.
pub(super) fn line(points: &[Point], threshold: Option<f64>, title: &str) -> String {
    let x = |at: usize| LEFT + 30.0 + (WIDTH - LEFT - 70.0) * at as f64 / (points.len().max(2) - 1) as f64;
    let y = |value: f64| HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * value.clamp(0.0, 1.0);
    let mut svg = format!("<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{title}\">");
    for tick in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let at = y(tick);
        push(
            &mut svg,
            format_args!("<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>"),
        );
        push(
            &mut svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{tick:.2}</text>",
                LEFT - 6.0,
                at + 4.0
            ),
        );
    }
    if let Some(threshold) = threshold {
        let at = y(threshold);
        push(
            &mut svg,
            format_args!(
                "<line class=\"threshold\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>"
            ),
        );
        push(
            &mut svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\">alert below {threshold}</text>",
                LEFT + 4.0,
                at + 14.0
            ),
        );
    }
    let path: Vec<String> =
        points.iter().enumerate().map(|(at, point)| format!("{:.1},{:.1}", x(at), y(point.value))).collect();
    push(&mut svg, format_args!("<polyline class=\"series\" points=\"{}\"/>", path.join(" ")));
    for (at, point) in points.iter().enumerate() {
        push(
            &mut svg,
            format_args!("<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"4\"/>", x(at), y(point.value)),
        );
        push(
            &mut svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{:.3}</text>",
                x(at),
                y(point.value) - 9.0,
                point.value
            ),
        );
        push(
            &mut svg,
            format_args!(
                "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                x(at),
                HEIGHT - 14.0,
                super::html::escape(&point.label)
            ),
        );
    }
    svg.push_str("</svg>");
    svg
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    text.write_fmt(arguments).unwrap_or_default();
}
