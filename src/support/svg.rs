//! Drawings: SVG with real text and no background, in colours that are legible on white and on a dark page.
//!
//! An image does not know the page's theme, only the system's. So there is one set of colours, all equally
//! bright, halfway between the two.

use std::fmt::Write;

/// The colour of the lines behind the figures, and of their labels.
pub const GREY: &str = "#828282";
/// Colours for things that must be told apart, taken in this order.
pub const COLOURS: [&str; 8] = [
    "#2385e0", "#d26211", "#269638", "#e05061", "#a168d9", "#1a9191", "#908419", "#d34db5",
];

/// On which side of its point a text stands.
#[derive(Clone, Copy)]
pub enum Anchor {
    /// To the right.
    Start,
    /// In the middle.
    Middle,
    /// To the left.
    End,
}

/// A point, in pixels from the top left corner.
pub type Point = (f64, f64);

/// A drawing under construction.
pub struct Svg {
    text: String,
}

impl Svg {
    /// An empty drawing of this size, with a title for people who cannot see it.
    pub fn new(width: f64, height: f64, title: &str) -> Self {
        let title = escape(title);
        let text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" role=\"img\" font-family=\"sans-serif\" font-size=\"13\">\n\
             <title>{title}</title>\n"
        );
        Self { text }
    }

    /// A line through these points.
    pub fn line(&mut self, points: &[Point], colour: &str, width: f64) {
        let points: Vec<_> = points
            .iter()
            .map(|(x, y)| format!("{x:.1},{y:.1}"))
            .collect();
        self.element(&format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\"/>",
            points.join(" ")
        ));
    }

    /// A dot on this point.
    pub fn dot(&mut self, (x, y): Point, colour: &str) {
        let dot = format!("<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
        self.element(&dot);
    }

    /// A text at this point of its baseline.
    pub fn text(&mut self, (x, y): Point, anchor: Anchor, colour: &str, text: &str) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        self.element(&format!(
            "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"{colour}\">{}</text>",
            escape(text)
        ));
    }

    /// The whole file.
    pub fn finish(self) -> String {
        self.text + "</svg>\n"
    }

    fn element(&mut self, element: &str) {
        let _ = writeln!(self.text, "{element}");
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the Web Content Accessibility Guidelines define it: 3 is enough for lines and for large text.
    fn contrast(one: &str, other: &str) -> f64 {
        let linear = |part: u8| match f64::from(part) / 255.0 {
            part if part <= 0.040_45 => part / 12.92,
            part => ((part + 0.055) / 1.055).powf(2.4),
        };
        let luminance = |colour: &str| -> f64 {
            let part = |at: usize| linear(u8::from_str_radix(&colour[at..at + 2], 16).unwrap());
            0.2126 * part(1) + 0.7152 * part(3) + 0.0722 * part(5) + 0.05
        };
        let (one, other) = (luminance(one), luminance(other));
        one.max(other) / one.min(other)
    }

    #[test]
    fn every_colour_holds_on_white_and_on_rustdocs_dark_page() {
        for colour in COLOURS.iter().chain([&GREY]) {
            assert!(contrast(colour, "#ffffff") > 3.5, "{colour}");
            assert!(contrast(colour, "#353535") > 3.0, "{colour}");
        }
    }

    #[test]
    fn a_drawing_is_well_formed_whatever_its_text() {
        let mut svg = Svg::new(100.0, 50.0, "a < b & c");
        svg.text((1.0, 2.0), Anchor::Start, GREY, "<&>");
        svg.dot((1.0, 1.0), GREY);
        let svg = svg.finish();
        let document = roxmltree::Document::parse(&svg).unwrap();
        let named = |name: &'static str| move |node: &roxmltree::Node| node.has_tag_name(name);
        let text = document.descendants().find(named("text")).unwrap();
        assert_eq!(text.text(), Some("<&>"));
        assert_eq!(document.descendants().filter(named("circle")).count(), 1);
    }
}
