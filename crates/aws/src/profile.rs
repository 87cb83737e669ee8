//! The shared `config` and `credentials` files: sections, properties, and properties of properties.
//!
//! Source: AWS SDKs and Tools Reference Guide, "Shared config and credentials files".

use std::collections::BTreeMap;

/// The properties of a section; those of a nested one are under `outer.inner`.
pub(crate) type Section = BTreeMap<String, String>;

/// All sections of both files.
#[derive(Default, Clone)]
pub(crate) struct Profiles {
    profiles: BTreeMap<String, Section>,
    services: BTreeMap<String, Section>,
}

impl Profiles {
    /// Reads both files; where both have a property, the `credentials` file wins.
    pub(crate) fn parse(config: &str, credentials: &str) -> Self {
        let mut all = Self::default();
        for (kind, name, section) in sections(config) {
            let place = match (kind.as_str(), name.as_str()) {
                ("profile", _) => &mut all.profiles,
                ("default", "") => {
                    all.profiles.entry("default".to_owned()).or_default().extend(section);
                    continue;
                }
                ("services", _) => &mut all.services,
                _ => continue,
            };
            place.entry(name).or_default().extend(section);
        }
        for (kind, name, section) in sections(credentials) {
            let name = if name.is_empty() { kind } else { format!("{kind} {name}") };
            all.profiles.entry(name).or_default().extend(section);
        }
        all
    }

    /// A profile.
    pub(crate) fn profile(&self, name: &str) -> Option<&Section> {
        self.profiles.get(name)
    }

    /// The names of all profiles.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.profiles.keys().map(String::as_str).collect()
    }

    /// The endpoint that `profile` sets for a service: in its `services` section, else for all.
    pub(crate) fn endpoint(&self, profile: &str, service: &str) -> Option<&str> {
        let profile = self.profile(profile)?;
        let own = profile
            .get("services")
            .and_then(|name| self.services.get(name))
            .and_then(|services| services.get(&format!("{}.endpoint_url", service.to_ascii_lowercase())));
        own.or_else(|| profile.get("endpoint_url")).map(String::as_str)
    }
}

/// `[kind name]` and the properties below it. A line that is no property is passed over, as the AWS CLI does.
fn sections(text: &str) -> Vec<(String, String, Section)> {
    let mut all: Vec<(String, String, Section)> = Vec::new();
    let mut outer = String::new();
    for line in text.lines() {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        if let Some(head) = line.strip_prefix('[') {
            let head = head.split(']').next().unwrap_or_default().trim();
            let (kind, name) = head.split_once(char::is_whitespace).unwrap_or((head, ""));
            all.push((kind.to_owned(), name.trim().to_owned(), Section::new()));
            outer.clear();
            continue;
        }
        let (Some((_, _, section)), Some((name, value))) = (all.last_mut(), bare.split_once('=')) else {
            continue;
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), without_comment(value).trim());
        if line.starts_with(char::is_whitespace) && !outer.is_empty() {
            section.insert(format!("{outer}.{name}"), value.to_owned());
        } else {
            outer = if value.is_empty() { name.clone() } else { String::new() };
            section.insert(name, value.to_owned());
        }
    }
    all
}

fn without_comment(value: &str) -> &str {
    let at = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
    at.map_or(value, |at| &value[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_files_make_one_profile() {
        let config = "# mine\n[default]\nregion = eu-central-1 # home\n[profile bank]\nrole_arn=arn:x\nservices = near\n\
            endpoint_url = https://all\n[services near]\nkms =\n  endpoint_url = https://kms\n[sso-session x]\na=b\n";
        let all = Profiles::parse(config, "[bank]\naws_access_key_id = AKID\nrole_arn = arn:y\n");
        assert_eq!(all.profile("default").unwrap()["region"], "eu-central-1");
        assert_eq!(all.profile("bank").unwrap()["aws_access_key_id"], "AKID");
        assert_eq!(all.profile("bank").unwrap()["role_arn"], "arn:y", "credentials win");
        assert_eq!(all.endpoint("bank", "KMS"), Some("https://kms"));
        assert_eq!(all.endpoint("bank", "S3"), Some("https://all"));
        assert_eq!(all.endpoint("default", "S3"), None);
        assert_eq!(all.names(), ["bank", "default"]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(config in ".{0,200}", credentials in "([\\[\\]a-z =#\n]){0,200}") {
            let _ = Profiles::parse(&config, &credentials);
        }
    }
}
