//! A version on an MLflow server, read by MLflow's REST API 2.0: what its run logged, and its files through the server.

use super::Source;
use crate::failure::{Exit, Failure};
use aws::Web;
use engine::{Engine, Foreign, Import};
use mlflow::entity::{DatasetInput, Metric, Pair, Run};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::VecDeque;
use std::time::Duration;
use world::PortError;
use zeroize::Zeroizing;

/// The largest answer that is no file, and how long one may take.
const ANSWER: (usize, Duration) = (4 << 20, Duration::from_secs(30));
/// How long a server may be silent within a file.
const SILENCE: Duration = Duration::from_secs(60);
/// So many folders are listed at most.
const MAX_FOLDERS: usize = 10_000;
/// The longest path.
const MAX_PATH: usize = 1000;
/// Tags of a run that say something about its code and environment; all others stay where they are.
const TAGS: [&str; 6] = [
    "mlflow.source.git.commit",
    "mlflow.source.git.dirty",
    "mlflow.source.name",
    "mlflow.docker.image.uri",
    "mlflow.docker.image.name",
    "mlflow.docker.image.id",
];

/// A server.
pub(super) struct Server {
    web: Web,
    /// Without a slash at its end.
    base: String,
    /// The value of the header, if somebody is to sign in.
    authorization: Option<Zeroizing<String>>,
}

/// A version on a server.
pub(super) struct Remote {
    server: Server,
    name: String,
    version: String,
    /// The path of its files on the server.
    files: String,
    run: Option<Run>,
}

#[derive(Deserialize)]
struct Version {
    version: Number,
    #[serde(default)]
    run_id: Option<String>,
}

/// Servers write numbers of versions as text or as numbers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Text(String),
    Number(u64),
}

#[derive(Deserialize)]
struct Listing {
    #[serde(default)]
    files: Vec<Listed>,
}

#[derive(Deserialize)]
struct Listed {
    path: String,
    #[serde(default)]
    is_dir: bool,
}

impl Server {
    /// The server at an address, with the credentials that the client of MLflow would use.
    pub(super) fn new(web: Web, address: &str) -> Result<Self, Failure> {
        // A URL may hold a password, so it is not repeated.
        if address.contains(['@', '?', '#']) {
            let text =
                "the address of the MLflow server is more than one: expected `https://HOST[:PORT][/PATH]`";
            return Err(Failure::new(Exit::Input, text)
                .with_help("who calls is in MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"));
        }
        let base = address.trim_end_matches('/').to_owned();
        let variable =
            |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty()).map(Zeroizing::new);
        let authorization = match (variable("MLFLOW_TRACKING_TOKEN"), variable("MLFLOW_TRACKING_USERNAME")) {
            (Some(token), _) => Some(Zeroizing::new(format!("Bearer {}", *token))),
            (None, Some(user)) => {
                let password = variable("MLFLOW_TRACKING_PASSWORD").unwrap_or_default();
                Some(Zeroizing::new(format!("Basic {}", *aws::basic(&user, &password))))
            }
            (None, None) => None,
        };
        if authorization.is_some() && !guard::door::is_private_address(&base) {
            let text = "credentials for MLflow are set, and the address is not `https://`: they would be read on the way";
            return Err(Failure::new(Exit::Input, text).with_help("use the server's `https://` address, or unset MLFLOW_TRACKING_TOKEN and MLFLOW_TRACKING_USERNAME"));
        }
        Ok(Self { web, base, authorization })
    }

    /// A version of a registered model; the newest if none is named.
    pub(super) fn version(self, name: &str, number: Option<u32>) -> Result<Remote, Failure> {
        #[derive(Deserialize)]
        struct One {
            model_version: Version,
        }
        #[derive(Deserialize)]
        struct Found {
            #[serde(default)]
            model_versions: Vec<Version>,
        }
        #[derive(Deserialize)]
        struct Place {
            artifact_uri: String,
        }
        #[derive(Deserialize)]
        struct OfRun {
            run: Run,
        }
        let version = match number {
            Some(number) => {
                let number = number.to_string();
                self.get::<One>("model-versions/get", &[("name", name), ("version", &number)])?.model_version
            }
            None => {
                let filter = format!("name = '{}'", name.replace('\'', "\\'"));
                let newest =
                    [("filter", filter.as_str()), ("max_results", "1"), ("order_by", "version_number DESC")];
                self.get::<Found>("model-versions/search", &newest)?
                    .model_versions
                    .into_iter()
                    .next()
                    .ok_or_else(|| {
                        Failure::new(Exit::NotFound, format!("`{}` has no version of `{name}`", self.base))
                    })?
            }
        };
        let number = match version.version {
            Number::Text(text) => text,
            Number::Number(number) => number.to_string(),
        };
        let which = [("name", name), ("version", number.as_str())];
        let uri = self.get::<Place>("model-versions/get-download-uri", &which)?.artifact_uri;
        let files = path_of(&uri).ok_or_else(|| {
            let place: String = uri.chars().take(200).collect();
            Failure::new(Exit::Input, format!("the files of version {number} of `{name}` are at `{}`, which the server does not hand out", place.escape_debug()))
                .with_help("copy them into a folder, and import that")
        })?;
        let run = match version.run_id.filter(|id| !id.is_empty()) {
            Some(id) => Some(self.get::<OfRun>("runs/get", &[("run_id", &id)])?.run),
            None => None,
        };
        Ok(Remote { server: self, name: name.to_owned(), version: number, files, run })
    }

    fn get<T: DeserializeOwned>(&self, call: &str, fields: &[(&str, &str)]) -> Result<T, Failure> {
        self.json(&format!("/api/2.0/mlflow/{call}"), fields)
    }

    fn json<T: DeserializeOwned>(&self, path: &str, fields: &[(&str, &str)]) -> Result<T, Failure> {
        let encoded = |text: &str| facts::percent_encoded(text, |_| false);
        let query: Vec<String> =
            fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let url = format!("{}{path}?{}", self.base, query.join("&"));
        let (status, body) =
            self.web.get(&url, &self.headers(), ANSWER).map_err(|error| self.silent(&error))?;
        if status != 200 {
            return Err(self.refused(status, &body));
        }
        serde_json::from_slice(&body).map_err(|_| {
            Failure::new(
                Exit::Outside,
                format!("what `{}` answers is not what an MLflow server does", self.base),
            )
        })
    }

    fn headers(&self) -> Vec<(&str, &str)> {
        self.authorization.iter().map(|text| ("authorization", text.as_str())).collect()
    }

    fn silent(&self, error: &PortError) -> Failure {
        Failure::new(Exit::Outside, format!("`{}` does not answer: {error}", self.base))
    }

    fn refused(&self, status: u16, body: &[u8]) -> Failure {
        #[derive(Deserialize)]
        struct Said {
            #[serde(default)]
            message: String,
        }
        let said = serde_json::from_slice(body).map_or_else(|_| String::new(), |said: Said| said.message);
        let said: String = said.chars().filter(|letter| !letter.is_control()).take(300).collect();
        let exit = match status {
            401 | 403 => Exit::Refused,
            404 => Exit::NotFound,
            _ => Exit::Outside,
        };
        let failure = Failure::new(exit, format!("`{}` answered with status {status}: {said}", self.base));
        if exit != Exit::Refused {
            return failure;
        }
        failure.with_help(
            "who calls is in MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
        )
    }
}

/// The path of an `mlflow-artifacts:` address, with or without a host.
fn path_of(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("mlflow-artifacts:")?;
    let path = match rest.strip_prefix("//") {
        Some(with_host) => with_host.split_once('/').map(|(_, path)| path)?,
        None => rest,
    };
    Some(path.trim_matches('/').to_owned()).filter(|path| !path.is_empty())
}

impl Remote {
    /// All files, by their paths below the version's folder.
    fn listed(&self) -> Result<Vec<String>, Failure> {
        let strange = |path: &str| {
            let path: String = path.chars().take(200).collect();
            Failure::new(
                Exit::Outside,
                format!("`{}` lists a file `{}`", self.server.base, path.escape_debug()),
            )
            .with_help("a path of a version has parts between slashes, and leads nowhere else")
        };
        let (mut found, mut folders, mut seen) = (Vec::new(), VecDeque::from([String::new()]), 0);
        while let Some(folder) = folders.pop_front() {
            seen += 1;
            if seen > MAX_FOLDERS || found.len() > MAX_FOLDERS {
                return Err(Failure::new(
                    Exit::Input,
                    format!("the version has more than {MAX_FOLDERS} files or folders"),
                ));
            }
            let path = format!("{}/{folder}", self.files);
            let path = path.trim_end_matches('/');
            let listing: Listing =
                self.server.json("/api/2.0/mlflow-artifacts/artifacts", &[("path", path)])?;
            for one in listing.files {
                let name = one.path.as_str();
                if name.is_empty() || name.contains(['/', '\\']) || matches!(name, "." | "..") {
                    return Err(strange(name));
                }
                let whole = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
                if whole.len() > MAX_PATH {
                    return Err(strange(&whole));
                }
                if one.is_dir { folders.push_back(whole) } else { found.push(whole) }
            }
        }
        found.sort();
        Ok(found)
    }
}

impl Source for Remote {
    fn foreign(&self) -> Foreign {
        let origin = format!("{} {} version {}", self.server.base, self.name, self.version);
        let Some(run) = &self.run else { return Foreign { origin, ..Foreign::default() } };
        let tags: Vec<Pair> =
            run.data.tags.iter().filter(|tag| TAGS.contains(&tag.key.as_str())).cloned().collect();
        // Data of another server must not be taken for a snapshot of this house.
        let inputs = run.inputs.dataset_inputs.iter().map(|input| {
            let mut input = DatasetInput { tags: Vec::new(), ..input.clone() };
            input.dataset.name = format!("{}/{}", self.server.base, input.dataset.name);
            input
        });
        let metrics: Vec<Metric> = run.data.metrics.clone();
        let (params, inputs) = (run.data.params.clone(), inputs.collect());
        Foreign { origin, metrics, params, tags, inputs, document: None }
    }

    fn files(&self, engine: &mut Engine, import: &mut Import) -> Result<(), Failure> {
        for name in self.listed()? {
            let path = facts::percent_encoded(&format!("{}/{name}", self.files), |byte| byte == b'/');
            let url = format!("{}/api/2.0/mlflow-artifacts/artifacts/{path}", self.server.base);
            let mut incoming = engine.begin_import_file(import, &name)?;
            let mut trouble = None;
            let mut take = |bytes: &[u8]| match incoming.write(bytes) {
                Ok(()) => true,
                Err(error) => {
                    trouble = Some(error);
                    false
                }
            };
            let got = self.server.web.stream(&url, &self.server.headers(), SILENCE, &mut take);
            if let Some(error) = trouble {
                return Err(error.into());
            }
            match got.map_err(|error| self.server.silent(&error))? {
                200 => engine.end_import_file(import, incoming)?,
                status => return Err(self.server.refused(status, name.as_bytes())),
            }
        }
        Ok(())
    }
}
