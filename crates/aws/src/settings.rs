//! What a client needs to know before it can call: region, endpoints, profile, limits. From the environment and the
//! shared files, in the order of the AWS SDKs and Tools Reference Guide.

use crate::calls::{Attempt, Tape, Trace, Watcher};
use crate::error::{AwsError, Trouble};
use crate::profile::{Profiles, Section};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// Where settings come from.
#[derive(Clone, Default)]
pub struct Sources {
    variables: BTreeMap<String, String>,
    home: Option<PathBuf>,
}

impl Sources {
    /// The environment of this process and the home folder of its user.
    pub fn of_process() -> Self {
        Self::of(std::env::vars_os(), std::env::home_dir())
    }

    /// What is not text cannot be a setting of ours.
    fn of(variables: impl Iterator<Item = (OsString, OsString)>, home: Option<PathBuf>) -> Self {
        let text =
            |(name, value): (OsString, OsString)| Some((name.into_string().ok()?, value.into_string().ok()?));
        Self { variables: variables.filter_map(text).collect(), home }
    }

    /// Only these variables and, for shared files, this home folder.
    pub fn only(variables: BTreeMap<String, String>, home: Option<PathBuf>) -> Self {
        Self { variables, home }
    }

    /// The same with one variable set.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.variables.insert(name.to_owned(), value.to_owned());
        self
    }

    /// A variable that is set and not empty.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    fn is_true(&self, name: &str) -> bool {
        self.variable(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

/// Settings of a client. They hold secrets if the shared files do, so they cannot be printed.
#[derive(Clone)]
pub struct Settings {
    pub(crate) sources: Sources,
    pub(crate) profile: String,
    /// Whether the profile was an argument, and so goes before keys in the environment.
    pub(crate) profile_first: bool,
    pub(crate) profiles: Profiles,
    /// The role to call as, with tags of its session.
    pub(crate) role: Option<(String, BTreeMap<String, String>)>,
    /// Where calls go; if none, the machine's own region is asked for.
    pub(crate) region: Option<String>,
    pub(crate) fips: bool,
    pub(crate) dual_stack: bool,
    pub(crate) ca_bundle: Option<PathBuf>,
    pub(crate) attempts: u32,
    /// How long one attempt may go without progress.
    pub(crate) timeout: Duration,
    /// Where buckets stand in addresses of S3.
    pub(crate) addressing: Addressing,
    /// How long it may take to be connected.
    pub(crate) connect_timeout: Duration,
    /// The first pause before trying again, before chance is added.
    pub(crate) pause: Duration,
    /// Who is told of every attempt.
    pub(crate) watchers: Vec<Watcher>,
    /// Where calls are kept, or answered from.
    pub(crate) tape: Option<Arc<Tape>>,
}

/// Where a bucket stands: before the host or in the path. `addressing_style` under `s3` in the profile, as the AWS CLI reads
/// it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addressing {
    /// Before the host where that is known to work.
    Auto,
    Path,
    Virtual,
}

impl Settings {
    /// Reads the shared files that `sources` names. `profile` wins over `AWS_PROFILE`, and its
    /// credentials over those in the environment, as with the AWS CLI.
    pub fn load(sources: Sources, profile: Option<&str>) -> Result<Self, AwsError> {
        let chosen = profile.is_some();
        let named = profile.or_else(|| sources.variable("AWS_PROFILE"));
        let file = |variable: &str, name: &str| {
            let own = sources.variable(variable).map(PathBuf::from);
            own.or_else(|| sources.home.as_ref().map(|home| home.join(".aws").join(name)))
        };
        let config = read(file("AWS_CONFIG_FILE", "config").as_deref())?;
        let credentials = read(file("AWS_SHARED_CREDENTIALS_FILE", "credentials").as_deref())?;
        let profiles = Profiles::parse(&config, &credentials);
        if let Some(name) = named.filter(|name| profiles.profile(name).is_none()) {
            return Err(no_profile(name, &profiles));
        }
        let profile = named.unwrap_or("default").to_owned();
        let section = profiles.profile(&profile).cloned().unwrap_or_default();
        let either = |variable: &str, property: &str| {
            sources.variable(variable).or_else(|| value(&section, property)).map(str::to_owned)
        };
        let yes = |text: Option<String>| text.is_some_and(|text| text.eq_ignore_ascii_case("true"));
        let region = sources
            .variable("AWS_REGION")
            .or_else(|| sources.variable("AWS_DEFAULT_REGION"))
            .or_else(|| value(&section, "region"))
            .map(|name| region(name).map(str::to_owned))
            .transpose()?;
        let attempts = match either("AWS_MAX_ATTEMPTS", "max_attempts") {
            None => 3,
            Some(text) => text.parse().ok().filter(|n| (1..=20).contains(n)).ok_or_else(|| {
                let message = format!("`{text}` is not a number of attempts: expected 1 to 20");
                AwsError::new(Trouble::Unconfigured, message)
                    .with_help("set AWS_MAX_ATTEMPTS, for example to 3")
            })?,
        };
        let addressing = match section.get("s3.addressing_style").map_or("auto", String::as_str) {
            "auto" | "" => Addressing::Auto,
            "path" => Addressing::Path,
            "virtual" => Addressing::Virtual,
            other => {
                let message = format!(
                    "`{}` is no style of addresses: expected `auto`, `path` or `virtual`",
                    other.escape_debug()
                );
                return Err(AwsError::new(Trouble::Unconfigured, message)
                    .with_help("look at `addressing_style` under `s3` in the profile"));
            }
        };
        Ok(Self {
            addressing,
            fips: yes(either("AWS_USE_FIPS_ENDPOINT", "use_fips_endpoint")),
            dual_stack: yes(either("AWS_USE_DUALSTACK_ENDPOINT", "use_dualstack_endpoint")),
            ca_bundle: either("AWS_CA_BUNDLE", "ca_bundle").map(PathBuf::from),
            role: None,
            region,
            attempts,
            timeout: timeout(&sources)?,
            connect_timeout: Duration::from_secs(5),
            pause: Duration::from_millis(200),
            watchers: trace(&sources)?.into_iter().collect(),
            tape: None,
            profile_first: chosen,
            profile,
            profiles,
            sources,
        })
    }

    /// The same for calls as a role, assumed with session tags: `aws:PrincipalTag/KEY` in policies.
    #[must_use]
    pub fn with_role(mut self, arn: &facts::Arn, tags: &BTreeMap<String, String>) -> Self {
        self.role = Some((arn.to_string(), tags.clone()));
        self
    }

    /// The same for calls to another region.
    pub fn with_region(mut self, name: &str) -> Result<Self, AwsError> {
        self.region = Some(region(name)?.to_owned());
        Ok(self)
    }

    /// The same with another limit for how long one attempt may go without progress.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The same with another first pause before trying again.
    #[must_use]
    pub fn with_pause(mut self, pause: Duration) -> Self {
        self.pause = pause;
        self
    }

    /// The same; `watcher` is told of every attempt of every client that is made with them.
    #[must_use]
    pub fn watched(mut self, watcher: impl Fn(&Attempt<'_>) + Send + Sync + 'static) -> Self {
        self.watchers.push(Arc::new(watcher));
        self
    }

    /// The same for tests: calls are kept on the tape, or answered from it.
    #[must_use]
    pub fn on_tape(mut self, tape: &Arc<Tape>) -> Self {
        self.tape = Some(Arc::clone(tape));
        self
    }

    /// The endpoint that was set for a service, if one was.
    pub(crate) fn endpoint(&self, service: &str) -> Option<&str> {
        let section = self.profiles.profile(&self.profile);
        let ignored = match self.sources.variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") {
            Some(_) => self.sources.is_true("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"),
            None => section
                .and_then(|section| value(section, "ignore_configured_endpoint_urls"))
                .is_some_and(|text| text.eq_ignore_ascii_case("true")),
        };
        if ignored {
            return None;
        }
        self.sources
            .variable(&format!("AWS_ENDPOINT_URL_{service}"))
            .or_else(|| self.sources.variable("AWS_ENDPOINT_URL"))
            .or_else(|| self.profiles.endpoint(&self.profile, service))
    }
}

/// How long one attempt may go without progress. No variable of AWS says it.
fn timeout(sources: &Sources) -> Result<Duration, AwsError> {
    let Some(text) = sources.variable("WARDMOTE_AWS_TIMEOUT") else { return Ok(Duration::from_secs(60)) };
    let seconds = text.parse::<f64>().ok().filter(|seconds| (0.05..=3_600.0).contains(seconds));
    seconds.map(Duration::from_secs_f64).ok_or_else(|| {
        let message = format!("`{}` is no time to wait: expected 0.05 to 3600 seconds", text.escape_debug());
        AwsError::new(Trouble::Unconfigured, message)
            .with_help("set WARDMOTE_AWS_TIMEOUT, for example to 60, or unset it")
    })
}

/// Who writes down every attempt, if somebody is to. No variable of AWS says it.
fn trace(sources: &Sources) -> Result<Option<Watcher>, AwsError> {
    let Some(place) = sources.variable("WARDMOTE_AWS_TRACE") else { return Ok(None) };
    let trace = Trace::to(place)?;
    Ok(Some(Arc::new(move |attempt: &Attempt<'_>| trace.add(attempt))))
}

/// A property that is there and not empty.
pub(crate) fn value<'a>(section: &'a Section, name: &str) -> Option<&'a str> {
    section.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

/// A region goes into host names, so it is checked.
pub(crate) fn region(name: &str) -> Result<&str, AwsError> {
    let letters = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=63).contains(&name.len()) && name.bytes().all(letters) && !name.starts_with('-') {
        Ok(name)
    } else {
        let message =
            format!("`{}` is not a region: expected a name like `eu-central-1`", name.escape_debug());
        Err(AwsError::new(Trouble::Unconfigured, message)
            .with_help("set AWS_REGION, or `region` in the profile"))
    }
}

pub(crate) fn no_profile(name: &str, profiles: &Profiles) -> AwsError {
    let known: Vec<String> = profiles.names().iter().map(|name| format!("`{name}`")).collect();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    AwsError::new(Trouble::Unconfigured, format!("there is no profile `{name}` in the shared files of AWS"))
        .with_help(format!("profiles: {known}; choose one with AWS_PROFILE"))
}

fn read(path: Option<&Path>) -> Result<String, AwsError> {
    let Some(path) = path else { return Ok(String::new()) };
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => {
            let message = format!("cannot read `{}`: {}", path.display(), error.kind());
            Err(AwsError::new(Trouble::Unconfigured, message).with_help("give this user access to it"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(variables: &[(&str, &str)], config: &str) -> Result<Settings, AwsError> {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(".aws")).unwrap();
        std::fs::write(folder.path().join(".aws/config"), config).unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect();
        Settings::load(Sources::only(variables, Some(folder.path().to_owned())), None)
    }

    #[test]
    fn the_environment_wins_over_the_profile() {
        let config = "[default]\nregion=eu-west-1\nendpoint_url=http://profile\nuse_fips_endpoint=true\n";
        let settings = load(&[], config).unwrap();
        assert_eq!(settings.region.as_deref(), Some("eu-west-1"));
        assert!(settings.fips && !settings.dual_stack && settings.timeout == Duration::from_secs(60));
        assert_eq!(settings.endpoint("KMS"), Some("http://profile"));
        let variables = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ENDPOINT_URL", "http://all"),
            ("AWS_ENDPOINT_URL_KMS", "http://kms"),
            ("AWS_USE_FIPS_ENDPOINT", "false"),
            ("WARDMOTE_AWS_TIMEOUT", "0.5"),
        ];
        let settings = load(&variables, config).unwrap();
        assert_eq!(settings.region.as_deref(), Some("eu-central-1"));
        assert!(!settings.fips && settings.timeout == Duration::from_millis(500));
        assert_eq!(
            (settings.endpoint("KMS"), settings.endpoint("S3")),
            (Some("http://kms"), Some("http://all"))
        );
        let ignoring =
            load(&[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"), variables[1]], config).unwrap();
        assert_eq!(ignoring.endpoint("S3"), None);
    }

    #[cfg(unix)]
    #[test]
    fn variables_that_are_no_text_are_passed_over() {
        use std::os::unix::ffi::OsStringExt;
        let odd = (OsString::from("LESS"), OsString::from_vec(vec![0xff]));
        let plain = ("AWS_REGION".into(), "eu-west-1".into());
        let sources = Sources::of([odd, plain].into_iter(), None);
        assert_eq!((sources.variable("LESS"), sources.variable("AWS_REGION")), (None, Some("eu-west-1")));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        let said = |variables: &[(&str, &str)]| {
            let error = load(variables, "[profile bank]\nregion=eu-west-1\n").err().unwrap();
            format!("{error}; {}", error.help().unwrap_or_default())
        };
        insta::assert_snapshot!(said(&[("AWS_PROFILE", "bnak")]), @"there is no profile `bnak` in the shared files of AWS; profiles: `bank`; choose one with AWS_PROFILE");
        insta::assert_snapshot!(said(&[("AWS_REGION", "evil.example/")]), @"`evil.example/` is not a region: expected a name like `eu-central-1`; set AWS_REGION, or `region` in the profile");
        let wrong = load(&[], "[default]\ns3 =\n  addressing_style = host\n").err().unwrap();
        insta::assert_snapshot!(wrong, @"`host` is no style of addresses: expected `auto`, `path` or `virtual`");
        insta::assert_snapshot!(said(&[("WARDMOTE_AWS_TIMEOUT", "soon")]), @"`soon` is no time to wait: expected 0.05 to 3600 seconds; set WARDMOTE_AWS_TIMEOUT, for example to 60, or unset it");
        insta::assert_snapshot!(said(&[("AWS_MAX_ATTEMPTS", "many")]), @"`many` is not a number of attempts: expected 1 to 20; set AWS_MAX_ATTEMPTS, for example to 3");
    }
}
