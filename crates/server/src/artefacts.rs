//! Artefacts: bytes in and out, in parts of bounded size, never all at once.
//!
//! ```text
//! EXPERIMENT/RUN/artifacts/...            what a run logged
//! EXPERIMENT/models/MODEL/artifacts/...   a logged model
//! versions/NAME/NUMBER/...                a registered version, as it was frozen; read only
//! ```

use crate::auth::{self, Login};
use crate::body::Parts;
use crate::call::{self, blocking};
use crate::desk::Desk;
use crate::failure::{self, json, wire};
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::RawPathParams;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use axum::routing::{get, put};
use engine::{FileRecord, Listed, Opening, PART_BYTES, Sealing, artefact_path, listing};
use facts::Actor;
use guard::Action;
use http_body_util::BodyExt;
use mlflow::{Code, Error};
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const ROOTS: [&str; 2] = ["/api/2.0/mlflow-artifacts/artifacts", "/ajax-api/2.0/mlflow-artifacts/artifacts"];
/// The largest file.
const MAX_FILE_BYTES: u64 = 1 << 37;
/// How long a client may be silent while it sends.
const SILENCE: Duration = Duration::from_secs(60);

pub(crate) fn mount(mut router: Router, desk: &Arc<Desk>) -> Router {
    for root in ROOTS {
        let list = handler(desk, list);
        let (read, write, remove) = (handler(desk, read), handler(desk, write), handler(desk, remove));
        router = router
            .route(root, get(list))
            .route(&format!("{root}/{{*path}}"), put(write).get(read).delete(remove));
    }
    router
}

/// A request for a path of artefacts.
struct Asked {
    desk: Arc<Desk>,
    login: Login,
    path: String,
    headers: HeaderMap,
    body: Body,
}

fn handler<F>(
    desk: &Arc<Desk>,
    work: fn(Asked) -> F,
) -> impl Fn(RawPathParams, Request<Body>) -> std::pin::Pin<Box<dyn Future<Output = Response<Body>> + Send>>
+ Clone
+ use<F>
where
    F: Future<Output = Result<Response<Body>, Error>> + Send + 'static,
{
    let desk = Arc::clone(desk);
    move |path, request| {
        let asked = asked(Arc::clone(&desk), &path, request);
        Box::pin(async move {
            let done = match asked {
                Ok(asked) => work(asked).await,
                Err(error) => Err(error),
            };
            done.unwrap_or_else(|error| failure::answer(&error))
        })
    }
}

fn asked(desk: Arc<Desk>, path: &RawPathParams, request: Request<Body>) -> Result<Asked, Error> {
    let (parts, body) = request.into_parts();
    let login = auth::login(&parts.headers)?;
    let named = path.iter().find(|(name, _)| *name == "path").map(|(_, path)| path.to_owned());
    let path = match named {
        Some(path) => path,
        None => {
            let mut query = call::query(parts.uri.query().unwrap_or_default());
            match query.remove("path") {
                Some(serde_json::Value::String(path)) => path,
                _ => String::new(),
            }
        }
    };
    Ok(Asked { desk, login, path, headers: parts.headers, body })
}

/// What a path leads to.
enum Place {
    /// Files of the experiment that is named first.
    Notebook { experiment: String, path: String },
    /// A file or folder of a version.
    Version { name: String, number: u32, path: String },
}

fn place(path: &str) -> Result<Place, Error> {
    let path = artefact_path(path)?;
    let mut segments = path.splitn(4, '/');
    match (segments.next(), segments.next(), segments.next()) {
        (Some("versions"), Some(name), Some(number)) => {
            let number = number.parse().map_err(|_| {
                Error::invalid(format!(
                    "`{path}` is not the path of a version: expected versions/NAME/NUMBER"
                ))
            })?;
            let path = segments.next().unwrap_or_default().to_owned();
            Ok(Place::Version { name: name.to_owned(), number, path })
        }
        (Some(experiment), _, _) => {
            Ok(Place::Notebook { experiment: experiment.to_owned(), path: path.clone() })
        }
        _ => Err(Error::invalid("the path of the artefact is missing")),
    }
}

/// All files at or below a place that somebody may read, by their paths relative to it.
fn files(desk: &Desk, actor: &Actor, place: &Place) -> Result<BTreeMap<String, FileRecord>, Error> {
    match place {
        Place::Notebook { experiment, path } => {
            desk.allow_id(actor, Action::TrackingRead, experiment)?;
            desk.notebook().files_below(path)
        }
        Place::Version { name, number, path } => {
            let prefix = if path.is_empty() { String::new() } else { format!("{path}/") };
            let all = version_files(desk, actor, (name, *number))?.into_iter();
            Ok(all
                .filter_map(|(file, record)| Some((file.strip_prefix(&prefix)?.to_owned(), record)))
                .collect())
        }
    }
}

fn version_files(
    desk: &Desk,
    actor: &Actor,
    (name, number): (&str, u32),
) -> Result<BTreeMap<String, FileRecord>, Error> {
    let manifest = desk.engine()?.open_version(actor, (name, number)).map_err(wire)?;
    manifest.map(|manifest| manifest.files).ok_or_else(|| {
        Error::absent(format!("the files of version {number} of `{name}` are not kept by this house"))
    })
}

async fn list(asked: Asked) -> Result<Response<Body>, Error> {
    let listed: Vec<Listed> = blocking(move || {
        let actor = asked.desk.sign_in(&asked.login)?;
        let files = files(&asked.desk, &actor, &place(&asked.path)?)?;
        Ok(listing(files.iter().map(|(name, record)| (name, record.size_bytes))))
    })
    .await?;
    Ok(json(json!({ "files": listed }).to_string()))
}

async fn remove(asked: Asked) -> Result<Response<Body>, Error> {
    blocking(move || {
        let actor = asked.desk.sign_in(&asked.login)?;
        let Place::Notebook { experiment, path } = place(&asked.path)? else { return Err(frozen()) };
        asked.desk.allow_id(&actor, Action::TrackingWrite, &experiment)?;
        asked.desk.notebook().forget_files(&path)
    })
    .await?;
    Ok(json("{}".to_owned()))
}

fn frozen() -> Error {
    Error::new(
        Code::PermissionDenied,
        "the files of a registered version never change: register another version",
    )
}

async fn write(asked: Asked) -> Result<Response<Body>, Error> {
    let Asked { desk, login, path, headers, mut body } = asked;
    let length = headers.get(header::CONTENT_LENGTH).and_then(|text| text.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > MAX_FILE_BYTES) {
        return Err(Error::invalid(format!("the artefact is larger than {MAX_FILE_BYTES} bytes")));
    }
    let begun = {
        let desk = Arc::clone(&desk);
        blocking(move || begin(&desk, &login, &path)).await?
    };
    let (path, mut sealing) = begun;
    let mut part: Vec<u8> = Vec::new();
    let mut sent = 0u64;
    loop {
        let frame = match tokio::time::timeout(SILENCE, body.frame()).await {
            Err(_) => return Err(Error::invalid("the artefact did not come in time; it was not kept")),
            Ok(Some(Err(_))) => return Err(Error::invalid("the artefact broke off; it was not kept")),
            Ok(None) => break,
            Ok(Some(Ok(frame))) => frame,
        };
        let Ok(mut data) = frame.into_data() else { continue };
        sent += data.len() as u64;
        if sent > MAX_FILE_BYTES {
            return Err(Error::invalid(format!("the artefact is larger than {MAX_FILE_BYTES} bytes")));
        }
        while !data.is_empty() {
            let room = PART_BYTES - part.len();
            part.extend_from_slice(&data.split_to(room.min(data.len())));
            if part.len() == PART_BYTES {
                (sealing, part) = blocking(move || seal(sealing, part)).await?;
            }
        }
    }
    blocking(move || {
        let (mut sealing, rest) = (sealing, part);
        if !rest.is_empty() {
            sealing.part(&rest).map_err(wire)?;
        }
        desk.notebook().keep_file(&path, &sealing.finish().map_err(wire)?)
    })
    .await?;
    Ok(Response::new(Body::empty()))
}

/// Seals a full part, and gives its memory back to be filled again.
fn seal(mut sealing: Sealing, mut part: Vec<u8>) -> Result<(Sealing, Vec<u8>), Error> {
    sealing.part(&part).map_err(wire)?;
    part.clear();
    Ok((sealing, part))
}

fn begin(desk: &Desk, login: &Login, path: &str) -> Result<(String, Sealing), Error> {
    let actor = desk.sign_in(login)?;
    let Place::Notebook { experiment, path } = place(path)? else { return Err(frozen()) };
    desk.allow_id(&actor, Action::TrackingWrite, &experiment)?;
    let mut segments = path.split('/').skip(1);
    match (segments.next(), segments.next(), segments.next()) {
        (Some("models"), Some(model), Some("artifacts")) => drop(desk.notebook().logged_model(model)?),
        (Some(run), Some("artifacts"), Some(_)) => drop(desk.notebook().run(run)?),
        _ => {
            return Err(Error::invalid(format!(
                "`{path}` belongs to no run: expected EXPERIMENT/RUN/artifacts/..."
            )));
        }
    }
    Ok((path, desk.engine()?.begin_file().map_err(wire)?))
}

async fn read(asked: Asked) -> Result<Response<Body>, Error> {
    let Asked { desk, login, path, headers, .. } = asked;
    let opened = blocking(move || {
        let actor = desk.sign_in(&login)?;
        let (record, of) = match place(&path)? {
            Place::Notebook { experiment, path } => {
                desk.allow_id(&actor, Action::TrackingRead, &experiment)?;
                (desk.notebook().file(&path)?, None)
            }
            Place::Version { name, number, path } => {
                let record =
                    version_files(&desk, &actor, (&name, number))?.remove(&path).ok_or_else(|| {
                        Error::absent(format!("version {number} of `{name}` has no file `{path}`"))
                    })?;
                (record, Some((name, number)))
            }
        };
        let opening = desk.engine()?.begin_reading(record);
        let file = Read { opening: noticed(&desk, of.as_ref(), opening)?, of, desk };
        let size = file.opening.record().size_bytes;
        let range = range(&headers, size)?;
        // The first part before the head: what is damaged is refused, not broken off.
        let first = Window::new(range, size).first(&file)?;
        Ok((file, range, first))
    })
    .await?;
    let (file, range, first) = opened;
    Ok(stream(file, range, first))
}

/// A file that is being read, and the version that it belongs to, if it does.
struct Read {
    opening: Opening,
    of: Option<(String, u32)>,
    desk: Arc<Desk>,
}

/// What was read; of a version, what is not what was registered is put on record first.
fn noticed<T>(desk: &Desk, of: Option<&(String, u32)>, read: Result<T, engine::Error>) -> Result<T, Error> {
    let Some((name, number)) = of.filter(|_| read.is_err()) else { return read.map_err(wire) };
    desk.engine()?.noticing((name, *number), read).map_err(wire)
}

/// Which bytes are wanted.
type Range = Option<(u64, u64)>;

/// `Range: bytes=FROM-TO`, one of them; anything else is answered whole, as the specification allows.
fn range(headers: &HeaderMap, size: u64) -> Result<Range, Error> {
    let text = headers.get(header::RANGE).and_then(|value| value.to_str().ok());
    let Some((from, to)) = text.and_then(|text| text.strip_prefix("bytes=")?.split_once('-')) else {
        return Ok(None);
    };
    let bounds = match (from.trim().parse::<u64>().ok(), to.trim().parse::<u64>().ok()) {
        (Some(from), Some(to)) => (from, to.min(size.saturating_sub(1))),
        (Some(from), None) if to.trim().is_empty() => (from, size.saturating_sub(1)),
        (None, Some(last)) if from.trim().is_empty() => (size.saturating_sub(last), size.saturating_sub(1)),
        _ => return Ok(None),
    };
    if bounds.0 > bounds.1 || bounds.0 >= size {
        return Err(Error::invalid(format!(
            "the artefact has {size} bytes: `{from}-{to}` is not among them"
        )));
    }
    Ok(Some(bounds))
}

/// The parts that hold the wanted bytes.
#[derive(Clone, Copy)]
struct Window {
    from: u64,
    end: u64,
}

impl Window {
    fn new(range: Range, size: u64) -> Self {
        range.map_or(Self { from: 0, end: size }, |(from, to)| Self { from, end: to + 1 })
    }

    fn parts(self) -> std::ops::Range<usize> {
        let part = PART_BYTES as u64;
        let index = |n: u64| usize::try_from(n).unwrap_or(usize::MAX);
        index(self.from / part)..index(self.end.div_ceil(part)).max(index(self.from / part) + 1)
    }

    fn first(self, file: &Read) -> Result<Bytes, Error> {
        self.cut(file, self.parts().start)
    }

    /// What is wanted of a part.
    fn cut(self, file: &Read, n: usize) -> Result<Bytes, Error> {
        let plain = noticed(&file.desk, file.of.as_ref(), file.opening.part(n))?;
        let begin = n as u64 * PART_BYTES as u64;
        let within =
            |at: u64| usize::try_from(at.saturating_sub(begin)).unwrap_or(usize::MAX).min(plain.len());
        let wanted = plain.get(within(self.from)..within(self.end)).unwrap_or_default();
        Ok(Bytes::copy_from_slice(wanted))
    }
}

fn stream(file: Read, range: Range, first: Bytes) -> Response<Body> {
    let size = file.opening.record().size_bytes;
    let window = Window::new(range, size);
    let mut etag = file.opening.record().digest.to_hex();
    etag.insert(0, '"');
    etag.push('"');
    let (to, parts) = Parts::new();
    tokio::task::spawn_blocking(move || {
        if to.blocking_send(Ok(first)).is_err() {
            return;
        }
        for n in window.parts().skip(1) {
            let part = window.cut(&file, n).map_err(|error| std::io::Error::other(error.to_string()));
            let broken = part.is_err();
            // Nobody listens any more, or nothing more can be said.
            if to.blocking_send(part).is_err() || broken {
                return;
            }
        }
    });
    let mut response = Response::new(Body::new(parts));
    let mut set = |name, text: String| {
        if let Ok(value) = HeaderValue::from_str(&text) {
            response.headers_mut().insert(name, value);
        }
    };
    set(header::CONTENT_TYPE, "application/octet-stream".to_owned());
    set(header::CONTENT_LENGTH, (window.end - window.from).to_string());
    set(header::ACCEPT_RANGES, "bytes".to_owned());
    set(header::ETAG, etag);
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned());
    if let Some((from, to)) = range {
        set(header::CONTENT_RANGE, format!("bytes {from}-{to}/{size}"));
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
    }
    response
}
