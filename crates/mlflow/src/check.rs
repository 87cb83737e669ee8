//! How long names and values may be, and which letters they hold.
//!
//! Source: `mlflow/utils/validation.py` of MLflow 3.17, as its server answers.

use crate::Error;
use crate::entity::{Metric, Pair};

/// Longest key of a metric, parameter or tag.
const MAX_KEY: usize = 250;
/// Longest value of a parameter.
const MAX_PARAM: usize = 6000;
/// Longest value of a tag of an experiment, a run or a logged model.
const MAX_TAG: usize = 8000;
/// Longest value of a tag or description in the registry. It goes on record, where entries are bounded; MLflow takes more.
const MAX_REGISTRY_TEXT: usize = 20_000;
/// Longest alias.
const MAX_ALIAS: usize = 255;
/// Longest name of an experiment or registered model.
const MAX_NAME: usize = 256;
/// Longest name of an experiment.
const MAX_EXPERIMENT: usize = 500;
/// The most of a batch.
const MAX_METRICS: usize = 1000;
const MAX_PARAMS: usize = 100;
const MAX_TAGS: usize = 100;
const MAX_ENTITIES: usize = 1000;

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

/// The key of a metric, parameter or tag.
///
/// # Errors
/// Says what is wrong with it.
pub fn key(what: &str, key: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ' | '/' | ':');
    if key.is_empty() {
        return Err(Error::invalid(format!("the key of a {what} is missing")));
    }
    if key.chars().count() > MAX_KEY {
        return Err(Error::invalid(format!(
            "the key `{}` of a {what} is longer than {MAX_KEY} characters",
            shown(key)
        )));
    }
    if !key.chars().all(plain) {
        return Err(Error::invalid(format!(
            "`{}` is not the key of a {what}: expected letters, digits, spaces and any of `_-./:`",
            shown(key)
        )));
    }
    let proper = |part: &str| !part.is_empty() && part != "." && part != "..";
    if key.split('/').all(proper) {
        Ok(())
    } else {
        Err(Error::invalid(format!(
            "`{}` is not the key of a {what}: it reads as a path that leads elsewhere",
            shown(key)
        )))
    }
}

/// MLflow's server cuts long values of runs, and scripts rely on it.
fn cut(text: &mut String, most: usize) {
    if let Some((end, _)) = text.char_indices().nth(most) {
        text.truncate(end);
    }
}

/// A parameter; a value that is too long is cut.
///
/// # Errors
/// Says what is wrong with its key.
pub fn param(pair: &mut Pair) -> Result<(), Error> {
    cut(&mut pair.value, MAX_PARAM);
    key("parameter", &pair.key)
}

/// A tag of an experiment, a run or a logged model; a value that is too long is cut.
///
/// # Errors
/// Says what is wrong with its key.
pub fn tag(pair: &mut Pair) -> Result<(), Error> {
    cut(&mut pair.value, MAX_TAG);
    key("tag", &pair.key)
}

/// A tag in the registry.
///
/// # Errors
/// Says what is wrong with it.
pub fn registry_tag(pair: &Pair) -> Result<(), Error> {
    key("tag", &pair.key)?;
    if pair.value.chars().count() > MAX_REGISTRY_TEXT {
        return Err(Error::invalid(format!(
            "the value of the tag `{}` is longer than {MAX_REGISTRY_TEXT} characters: log it as an artefact",
            shown(&pair.key)
        )));
    }
    Ok(())
}

/// A description in the registry.
///
/// # Errors
/// If it is too long.
pub fn description(text: &str) -> Result<(), Error> {
    if text.chars().count() > MAX_REGISTRY_TEXT {
        return Err(Error::invalid(format!(
            "the description is longer than {MAX_REGISTRY_TEXT} characters: log it as an artefact"
        )));
    }
    Ok(())
}

/// A metric.
///
/// # Errors
/// Says what is wrong with it.
pub fn metric(metric: &Metric) -> Result<(), Error> {
    key("metric", &metric.key)
}

/// A batch of a run.
///
/// # Errors
/// Says what is wrong with it.
pub fn batch(metrics: &[Metric], params: &mut [Pair], tags: &mut [Pair]) -> Result<(), Error> {
    let counts = [
        ("metrics", metrics.len(), MAX_METRICS),
        ("parameters", params.len(), MAX_PARAMS),
        ("tags", tags.len(), MAX_TAGS),
        ("entries", metrics.len() + params.len() + tags.len(), MAX_ENTITIES),
    ];
    for (what, count, most) in counts {
        if count > most {
            return Err(Error::invalid(format!("a batch holds at most {most} {what}, this one {count}")));
        }
    }
    params.iter_mut().try_for_each(param)?;
    tags.iter_mut().try_for_each(tag)?;
    for (n, one) in params.iter().enumerate() {
        if params.iter().skip(n + 1).any(|other| other.key == one.key && other.value != one.value) {
            return Err(Error::invalid(format!(
                "the batch gives the parameter `{}` two values: a parameter is set once",
                one.key
            )));
        }
    }
    metrics.iter().try_for_each(metric)
}

/// The name of an experiment.
///
/// # Errors
/// Says what is wrong with it.
pub fn experiment_name(name: &str) -> Result<(), Error> {
    if name.trim().is_empty() {
        return Err(Error::invalid("the name of the experiment is missing"));
    }
    if name.chars().count() > MAX_EXPERIMENT {
        return Err(Error::invalid(format!(
            "the name of the experiment is longer than {MAX_EXPERIMENT} characters"
        )));
    }
    Ok(())
}

/// The name of a registered model.
///
/// # Errors
/// Says what is wrong with it.
pub fn model_name(name: &str) -> Result<(), Error> {
    if name.trim().is_empty() {
        return Err(Error::invalid("the name of the registered model is missing"));
    }
    if name.chars().count() > MAX_NAME {
        return Err(Error::invalid(format!(
            "the name of the registered model is longer than {MAX_NAME} characters"
        )));
    }
    let odd = |c: char| matches!(c, '/' | ':' | '%' | '?' | '#' | '\\') || c.is_control();
    if name.chars().any(odd) || name == "." || name == ".." {
        return Err(Error::invalid(format!(
            "`{}` is not the name of a registered model: it holds none of `/ : % ? # \\`",
            shown(name)
        )));
    }
    Ok(())
}

/// An alias.
///
/// # Errors
/// Says what is wrong with it.
pub fn alias(alias: &str) -> Result<(), Error> {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    let wrong = |why: &str| Err(Error::invalid(format!("`{}` is not an alias: {why}", shown(alias))));
    if alias.is_empty() {
        return Err(Error::invalid("the alias is missing"));
    }
    if alias.chars().count() > MAX_ALIAS {
        return wrong("it is longer than 255 characters");
    }
    if !alias.chars().all(plain) {
        return wrong("expected letters, digits, `_` and `-`");
    }
    if alias.eq_ignore_ascii_case("latest") {
        return wrong("`latest` always means the newest version");
    }
    let mut letters = alias.chars();
    let first = letters.next().is_some_and(|c| c.eq_ignore_ascii_case(&'v'));
    let digits = letters.as_str();
    if first && !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
        return wrong("`v` and a number reads as a version");
    }
    Ok(())
}

/// The stages of MLflow, under their own spelling.
pub const STAGES: [&str; 4] = ["None", "Staging", "Production", "Archived"];

/// A stage, whichever way it is spelt.
///
/// # Errors
/// If there is no such stage.
pub fn stage(text: &str) -> Result<&'static str, Error> {
    STAGES.into_iter().find(|stage| stage.eq_ignore_ascii_case(text)).ok_or_else(|| {
        Error::invalid(format!("`{}` is not a stage: expected {}", shown(text), STAGES.join(", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_or_strange_is_said() {
        let long = "x".repeat(7000);
        let pair = |key: &str, value: &str| Pair { key: key.to_owned(), value: value.to_owned() };
        let said = [
            registry_tag(&pair("note", &long.repeat(3))),
            tag(&mut pair("", "x")),
            tag(&mut pair("a\nb", "x")),
            tag(&mut pair("../a", "x")),
            key("metric", &"k".repeat(251)),
            batch(&[], &mut [pair("a", "1"), pair("a", "2")], &mut []),
            batch(&[], &mut vec![pair("a", "1"); 101], &mut []),
            experiment_name(" "),
            model_name("a/b"),
            alias("latest"),
            alias("v12"),
            alias("a b"),
            stage("Live").map(|_| ()),
        ];
        let said: Vec<String> = said.into_iter().map(|one| one.unwrap_err().to_string()).collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn long_values_of_runs_are_cut() {
        let mut pair = Pair { key: "lr".to_owned(), value: "ä".repeat(7000) };
        param(&mut pair).unwrap();
        assert_eq!(pair.value.chars().count(), 6000);
    }

    #[test]
    fn what_clients_use_is_fine() {
        for name in ["mlflow.source.git.commit", "a b/c", "träger"] {
            assert_eq!(key("tag", name), Ok(()), "{name}");
        }
        for name in ["champion", "prod-eu", "v", "v1a", "V"] {
            assert_eq!(alias(name), Ok(()), "{name}");
        }
        assert_eq!(stage("production"), Ok("Production"));
        assert_eq!(model_name("dev.credit model"), Ok(()));
    }
}
