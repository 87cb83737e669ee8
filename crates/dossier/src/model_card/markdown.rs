//! The card as Markdown.

use super::{Fact, ModelCard, NO_EVIDENCE};

/// Markdown with the front matter of Hugging Face's model cards.
pub fn to_markdown(card: &ModelCard) -> Vec<u8> {
    let mut text = format!(
        "---\nmodel_name: {}\ntags: [wardmote, risk-{}]\n---\n\n# {}, version {}\n\n{}\n\n",
        card.model,
        card.risk_tier.to_lowercase(),
        card.model,
        card.version,
        card.purpose
    );
    text.push_str(&format!(
        "**{}** · risk tier {} (EU AI Act) · owned by {} · {}\n\n",
        card.status, card.risk_tier, card.owner, card.organisation
    ));
    text.push_str(&format!("Made on {} from the record. Each `e…` names a ledger entry.\n\n", card.made));
    facts(&mut text, "Data", &card.data);
    facts(&mut text, "Training", &card.training);
    text.push_str("## Validation\n\n");
    if card.validation.is_empty() {
        text.push_str(&format!("{NO_EVIDENCE}\n\n"));
    } else {
        text.push_str("| criterion | measured | verdict |\n|---|---|---|\n");
        for judged in &card.validation {
            let measured =
                judged.measured.map_or_else(|| NO_EVIDENCE.to_owned(), |value| format!("{value:.4}"));
            text.push_str(&format!(
                "| {} | {measured} | {} |\n",
                cell(&judged.criterion),
                cell(&judged.verdict)
            ));
        }
        if let Some(evidence) = &card.validated {
            text.push_str(&format!("\nRecorded as `{evidence}`.\n"));
        }
        text.push('\n');
        text.push_str("| metric | value |\n|---|---|\n");
        for (name, value) in &card.metrics {
            text.push_str(&format!("| {} | {value:.4} |\n", cell(name)));
        }
        text.push('\n');
    }
    facts(&mut text, "Approvals", &card.approvals);
    text.push_str("## In production\n\n");
    if card.accuracy.is_empty() {
        text.push_str(&format!("{NO_EVIDENCE}\n\n"));
    } else {
        text.push_str("| window | accuracy |\n|---|---|\n");
        for point in &card.accuracy {
            text.push_str(&format!("| {} | {:.4} |\n", cell(&point.label), point.value));
        }
        text.push('\n');
    }
    text.push_str("## What happened\n\n");
    for event in &card.timeline {
        text.push_str(&format!("- {} {} (`{}`)\n", event.time, event.what, event.evidence));
    }
    text.push('\n');
    facts(&mut text, "Retention", &card.retention);
    text.push_str("## Check it yourself\n\n```\n");
    card.verify.iter().for_each(|command| text.push_str(&format!("{command}\n")));
    text.push_str("```\n");
    text.into_bytes()
}

fn facts(text: &mut String, title: &str, list: &[Fact]) {
    text.push_str(&format!("## {title}\n\n"));
    if list.is_empty() {
        text.push_str(&format!("{NO_EVIDENCE}\n\n"));
        return;
    }
    text.push_str("| | | evidence |\n|---|---|---|\n");
    for fact in list {
        let value = fact.value.as_deref().unwrap_or(NO_EVIDENCE);
        let evidence = fact.evidence.as_ref().map_or_else(String::new, |evidence| format!("`{evidence}`"));
        text.push_str(&format!("| {} | {} | {evidence} |\n", cell(&fact.name), cell(value)));
    }
    text.push('\n');
}

/// Text that cannot break out of a table.
fn cell(text: &str) -> String {
    text.replace('\\', "\\\\").replace('|', "\\|").replace('\n', " ").replace('<', "&lt;")
}
