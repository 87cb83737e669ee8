//! The card as one HTML page: no scripts, nothing loaded from elsewhere, light and dark, fit to print.

use super::{Fact, ModelCard, NO_EVIDENCE, chart};

const STYLE: &str = include_str!("card.css");

/// The page.
pub fn to_html(card: &ModelCard) -> Vec<u8> {
    let title = escape(&format!("{}, version {}", card.model, card.version));
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
    );
    page.push_str(&format!(
        "<header><p class=\"over\">Model card · {}</p><h1>{title}</h1><p class=\"lead\">{}</p>\n<dl class=\"facts\">",
        escape(&card.organisation),
        escape(&card.purpose)
    ));
    for (name, value) in [
        ("Status", &card.status),
        ("Risk tier", &card.risk_tier),
        ("Owner", &card.owner),
        ("Made", &card.made),
    ] {
        page.push_str(&format!("<div><dt>{name}</dt><dd>{}</dd></div>", escape(value)));
    }
    page.push_str("</dl></header>\n");
    validation(&mut page, card);
    facts(&mut page, "Approvals", &card.approvals);
    production(&mut page, card);
    facts(&mut page, "Data", &card.data);
    facts(&mut page, "Training", &card.training);
    timeline(&mut page, card);
    facts(&mut page, "Retention", &card.retention);
    page.push_str("<section><h2>Check it yourself</h2>\n<pre><code>");
    card.verify.iter().for_each(|command| page.push_str(&format!("{}\n", escape(command))));
    page.push_str("</code></pre>\n<p>Codes such as <code>e17-3fa9c2d1b4e8</code> name entries of the ledger: the number finds the entry, the digits make sure that it is that one.</p></section>\n");
    page.push_str("</main>\n</body>\n</html>\n");
    page.into_bytes()
}

fn validation(page: &mut String, card: &ModelCard) {
    page.push_str("<section><h2>Does it meet its acceptance criteria?</h2>\n");
    if card.validation.is_empty() {
        page.push_str(&format!("<p class=\"none\">{NO_EVIDENCE}</p></section>\n"));
        return;
    }
    page.push_str("<table><thead><tr><th>Criterion</th><th class=\"number\">Measured</th><th>Verdict</th></tr></thead><tbody>\n");
    for judged in &card.validation {
        let measured = judged.measured.map_or_else(|| NO_EVIDENCE.to_owned(), |value| format!("{value:.4}"));
        let (class, mark) = if judged.holds { ("holds", "✓") } else { ("broken", "✗") };
        page.push_str(&format!(
            "<tr><td>{}</td><td class=\"number\">{measured}</td><td class=\"{class}\">{mark} {}</td></tr>\n",
            escape(&judged.criterion),
            escape(&judged.verdict)
        ));
    }
    page.push_str("</tbody></table>\n");
    if let Some(evidence) = &card.validated {
        page.push_str(&format!(
            "<p>Measured on rows that training never saw, recorded as <code>{evidence}</code>.</p>\n"
        ));
    }
    page.push_str("<details><summary>Everything that was measured</summary><table><tbody>\n");
    for (name, value) in &card.metrics {
        page.push_str(&format!("<tr><td>{}</td><td class=\"number\">{value:.4}</td></tr>\n", escape(name)));
    }
    page.push_str("</tbody></table></details></section>\n");
}

fn production(page: &mut String, card: &ModelCard) {
    page.push_str("<section><h2>In production</h2>\n");
    if card.accuracy.is_empty() {
        page.push_str(&format!("<p class=\"none\">{NO_EVIDENCE}</p></section>\n"));
        return;
    }
    page.push_str("<figure>");
    page.push_str(&chart::line(&card.accuracy, card.accuracy_threshold, "Accuracy in each monitored window"));
    page.push_str("<figcaption>Accuracy (share of right predictions) in each monitored window, by the time of the look</figcaption></figure></section>\n");
}

fn timeline(page: &mut String, card: &ModelCard) {
    page.push_str("<section><h2>What happened</h2>\n<ol class=\"timeline\">\n");
    for event in &card.timeline {
        page.push_str(&format!(
            "<li><time>{}</time> {} <code>{}</code></li>\n",
            escape(&event.time),
            escape(&event.what),
            event.evidence
        ));
    }
    page.push_str("</ol></section>\n");
}

fn facts(page: &mut String, title: &str, list: &[Fact]) {
    page.push_str(&format!("<section><h2>{title}</h2>\n"));
    if list.is_empty() {
        page.push_str(&format!("<p class=\"none\">{NO_EVIDENCE}</p></section>\n"));
        return;
    }
    page.push_str("<table class=\"pairs\"><tbody>\n");
    for fact in list {
        let value = fact
            .value
            .as_ref()
            .map_or_else(|| format!("<span class=\"none\">{NO_EVIDENCE}</span>"), |value| escape(value));
        let evidence =
            fact.evidence.as_ref().map_or_else(String::new, |evidence| format!("<code>{evidence}</code>"));
        page.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td>{value}</td><td class=\"evidence\">{evidence}</td></tr>\n",
            escape(&fact.name)
        ));
    }
    page.push_str("</tbody></table></section>\n");
}

/// Text that cannot become markup.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
        .replace('\'', "&#39;")
}
