//! Pages fit a small screen and are readable in both colour schemes.

use super::stage::{Stage, pages};
use super::tab::Tab;

/// Least contrast of text by WCAG 2.1, level AA.
const CONTRAST_LEAST: f64 = 4.5;

/// The colours of all visible text with those behind it, as a list of contrasts below the least, each with its text.
const CONTRASTS: &str = r"
(() => {
  const parts = (colour) => (colour.match(/[\d.]+/g) ?? []).map(Number);
  const light = (colour) => {
    const [r, g, b] = parts(colour).slice(0, 3).map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((parts(colour)[3] ?? 1) > 0.5) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  const bad = [];
  for (const element of document.querySelectorAll('body *:not(svg *)')) {
    const text = [...element.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data).join('').trim();
    if (text === '' || element.getClientRects().length === 0) continue;
    const [one, other] = [light(getComputedStyle(element).color), light(ground(element))];
    const contrast = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    if (contrast < LEAST) bad.push(`${contrast.toFixed(1)}: ${text.slice(0, 40)}`);
  }
  return bad;
})()";

#[test]
fn no_page_scrolls_sideways_at_360_pixels_and_text_is_readable_in_light_and_dark() {
    let name = "no_page_scrolls_sideways_at_360_pixels_and_text_is_readable_in_light_and_dark";
    let Some(stage) = Stage::set(name) else { return };
    let tab = Tab::open(&stage.chromium).unwrap();
    check(&tab, &pages(), |page| stage.at(page));
}

/// Looks at pages on a small screen, in both colour schemes.
pub(crate) fn check(tab: &Tab<'_>, pages: &[String], at: impl Fn(&str) -> String) {
    tab.set_width(360);
    let contrasts = CONTRASTS.replace("LEAST", &CONTRAST_LEAST.to_string());
    for page in pages {
        tab.go(&at(page));
        let beyond =
            tab.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
        assert_eq!(beyond, 0, "{page} is wider than the screen");
        let mut grounds = Vec::new();
        for scheme in ["light", "dark"] {
            tab.set_colours(scheme);
            let bad = tab.evaluate(&contrasts);
            assert_eq!(bad.as_array().map(Vec::len), Some(0), "{page}, {scheme}: {bad}");
            grounds.push(tab.evaluate("getComputedStyle(document.body).backgroundColor"));
        }
        assert_ne!(grounds[0], grounds[1], "{page}: dark is not dark");
    }
}
