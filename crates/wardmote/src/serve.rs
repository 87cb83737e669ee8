//! `wardmote serve`: the gateway over the house. What is deployed, who may call and how often is read from the record,
//! and read again when it changes.

use crate::answer::Answers;
use crate::args::ServeArgs;
use crate::doors::{self, Certificate, ToEndpoints};
use crate::failure::{Exit, Failure};
use crate::house::House;
use engine::{Counts, Engine};
use gateway::{
    Beside, Bundle, BundleSlot, Capture, CaptureSettings, CaptureSink, Gateway, Principal, Reply, Route,
    Segment,
};
use guard::quota::Plan;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::{Request, Response};
use local::{SystemClock, SystemEntropy};
use std::io::Read;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tower::ServiceExt;
use world::{Kind, PortError};

const TELL: Duration = Duration::from_secs(30);
const REFRESH: Duration = Duration::from_millis(200);
const LOOK_AT_CERTIFICATE: Duration = Duration::from_secs(10);

pub(crate) fn run(house: &House, args: &ServeArgs, answers: &Answers) -> Result<ExitCode, Failure> {
    let certificate = certificate(args)?;
    let doors = Arc::new(doors::open(house)?);
    let mut engine = house.open()?;
    doors::record(house, &doors, &mut engine)?;
    let slot = BundleSlot::default();
    let (first, withheld) = bundle(&mut engine)?;
    slot.put(first);
    withheld.iter().for_each(|remark| answers.remark(remark));
    let mut known = fingerprint(&engine);
    let engine = Arc::new(Mutex::new(engine));
    let settings = CaptureSettings {
        max_age: Duration::from_secs(args.capture_seconds),
        max_bytes: 16 << 20,
        max_queue_bytes: 64 << 20,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::io("start the server", error))?;
    let served: Result<(), Failure> = runtime.block_on(async {
        // The address first: if it is taken, nothing else has begun.
        let sink = Box::new(Sink { engine: Arc::clone(&engine) });
        let clock = Arc::new(SystemClock);
        let probe = tokio::net::TcpListener::bind(args.listen).await;
        drop(probe.map_err(|error| PortError::io(format!("listen on `{}`", args.listen), error))?);
        let (capture, writer) = Capture::start(&house.capture_dir(), settings, clock.clone(), sink)?;
        let gateway = Gateway::bind(args.listen, slot.clone(), Some(capture), clock, &SystemEntropy).await?;
        let to_endpoints = ToEndpoints { doors: Arc::clone(&doors), engine: Arc::clone(&engine) };
        let mut gateway = gateway.with(registry(&engine, &doors)?).through(Arc::new(to_endpoints));
        if let Some(certificate) = &certificate {
            gateway = gateway.over(certificate.tls());
        }
        announce(&gateway, (certificate.is_some(), &doors), answers)?;
        let renewer = tokio::spawn(renew(certificate));
        let teller = tokio::spawn(tell(house.clone(), Arc::clone(&engine)));
        let refresher = {
            let (engine, slot) = (Arc::clone(&engine), slot.clone());
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(REFRESH).await;
                    let (engine, slot) = (Arc::clone(&engine), slot.clone());
                    let before = known.clone();
                    // What cannot be read now leaves what serves as it is; the next round tries again.
                    let after = tokio::task::spawn_blocking(move || refresh(&engine, &slot, before)).await;
                    known = after.unwrap_or_default();
                }
            })
        };
        gateway.run(stopped(args.until_stdin_closes)).await;
        refresher.abort();
        teller.abort();
        renewer.abort();
        // All senders are gone now: the writer hands over what it has and ends.
        drop(tokio::task::spawn_blocking(move || writer.join()).await);
        Ok(())
    });
    served?;
    answers.remark("stopped");
    Ok(ExitCode::SUCCESS)
}

/// The registry, on the same address as the endpoints.
struct Registry(axum::Router);

impl Beside for Registry {
    fn has(&self, path: &str) -> bool {
        const PATHS: [&str; 5] = ["/api/", "/ajax-api/", "/health", "/version", "/openapi.json"];
        PATHS.iter().any(|known| path.starts_with(known))
    }

    fn counts(&self) -> String {
        crate::aws::CALLS.text()
    }

    fn answer(&self, request: Request<Incoming>) -> Pin<Box<dyn Future<Output = Response<Reply>> + Send>> {
        let router = self.0.clone();
        Box::pin(async move {
            let answered = router.oneshot(request.map(axum::body::Body::new)).await;
            answered
                .unwrap_or_else(|never| match never {})
                .map(|body| body.map_err(Into::into).boxed_unsync())
        })
    }
}

/// The certificate; without one, only this machine itself may be listened to.
fn certificate(args: &ServeArgs) -> Result<Option<Certificate>, Failure> {
    if let (Some(certificate), Some(key)) = (&args.tls_cert, &args.tls_key) {
        return Certificate::read(certificate, key).map(Some);
    }
    if args.without_tls || args.listen.ip().to_canonical().is_loopback() {
        return Ok(None);
    }
    let text = format!(
        "`{}` can be reached by others, and without TLS they read keys and data on the way",
        args.listen
    );
    Err(Failure::new(Exit::Usage, text)
        .with_help("add `--tls-cert FILE --tls-key FILE`; or `--without-tls` if what stands before this server speaks TLS"))
}

/// Certificates live for weeks, and this program for longer.
async fn renew(certificate: Option<Certificate>) {
    let Some(mut certificate) = certificate else { return };
    loop {
        tokio::time::sleep(LOOK_AT_CERTIFICATE).await;
        let looked = tokio::task::spawn_blocking(move || {
            let said = certificate.renew();
            (certificate, said)
        });
        let Ok((same, said)) = looked.await else { return };
        certificate = same;
        if let Some(said) = said {
            Answers::new(false).remark(&said);
        }
    }
}

fn registry(engine: &Arc<Mutex<Engine>>, doors: &Arc<server::Doors>) -> Result<Arc<dyn Beside>, Failure> {
    let desk = server::Desk::new(Arc::clone(engine), Arc::clone(doors)).map_err(engine::Error::from)?;
    Ok(Arc::new(Registry(server::router(&Arc::new(desk)))))
}

fn announce(
    gateway: &Gateway,
    (tls, doors): (bool, &server::Doors),
    answers: &Answers,
) -> Result<(), Failure> {
    let scheme = if tls { "https" } else { "http" };
    let (url, names) = (format!("{scheme}://{}", gateway.local_addr()), doors.names());
    answers.give(&serde_json::json!({ "listening": url, "doors": names }), |_| {
        format!("listening on {url}; stop with Ctrl-C\ncallers are known by {}", names.join(", "))
    })
}

async fn stopped(until_stdin_closes: bool) {
    let terminate = async {
        match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
            Ok(mut signal) => drop(signal.recv().await),
            Err(_) => std::future::pending().await,
        }
    };
    let stdin = async {
        if !until_stdin_closes {
            return std::future::pending().await;
        }
        let (sender, receiver) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || {
            let mut rest = Vec::new();
            drop(std::io::stdin().read_to_end(&mut rest));
            sender.send(()).unwrap_or_default();
        });
        drop(receiver.await);
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminate => {}
        () = stdin => {}
    }
}

/// What the bundle is made of, in short: charter, access keys, serving versions.
fn fingerprint(engine: &Engine) -> String {
    let state = engine.state();
    let charter = state.charters().last().map(|charter| charter.evidence.to_string()).unwrap_or_default();
    let keys: String = state.credentials().iter().map(|(holder, key)| format!("{holder}={key:?};")).collect();
    let serving: String = state
        .registry()
        .models()
        .filter_map(|(name, model)| {
            let stretch = model.serving().filter(|_| engine.serves(name).is_some())?;
            Some(format!("{name}={}@{};", stretch.version, stretch.evidence))
        })
        .collect();
    format!("{charter}|{keys}|{serving}")
}

fn refresh(engine: &Mutex<Engine>, slot: &BundleSlot, known: String) -> String {
    let Ok(mut engine) = engine.lock() else { return known };
    // What broke the glass and is out of time goes; if that fails, the next round tries again.
    drop(engine.lapse());
    drop(engine.refresh());
    // Asked each time, for time alone can end what serves.
    let now = fingerprint(&engine);
    if now == known {
        return known;
    }
    // To load what serves instead may take a while.
    withdraw(slot, |route| !is_held(&engine, route));
    match bundle(&mut engine) {
        Ok((bundle, _)) => {
            slot.put(bundle);
            // To load may have shown that something is not what was registered.
            fingerprint(&engine)
        }
        Err(_) => {
            withdraw(slot, |route| {
                let serves = route.model.parse().ok().and_then(|model| engine.serves(&model));
                serves.is_some_and(|version| version.0 == route.version)
            });
            known
        }
    }
}

/// Takes out what may not serve any more, where a whole bundle is not there yet or cannot be made: that other things are
/// still being read, or cannot be, keeps nothing in its place.
fn withdraw(slot: &BundleSlot, may: impl Fn(&Route) -> bool) {
    let mut bundle = Bundle::clone(&slot.get());
    for route in bundle.routes.values_mut() {
        *route = route.take().filter(|route| may(route));
    }
    slot.put(bundle);
}

/// Whether what answers is of a version in quarantine.
fn is_held(engine: &Engine, route: &Route) -> bool {
    let model = route.model.parse().ok();
    let version = model
        .and_then(|model| engine.state().registry().version(&model, registry::VersionNumber(route.version)));
    version.is_some_and(|version| version.quarantined().is_some())
}

/// Tells the signals of the house of incidents; who cannot be told is told later.
async fn tell(house: House, engine: Arc<Mutex<Engine>>) {
    loop {
        let (house, engine) = (house.clone(), Arc::clone(&engine));
        let told = tokio::task::spawn_blocking(move || {
            let untold = engine.lock().map(|engine| engine.untold_incidents()).unwrap_or_default();
            if untold.is_empty() {
                return None;
            }
            let (ids, failed) = crate::aws::send_incidents(&house, &untold, &Counts::default());
            let noted = engine.lock().ok().map(|mut engine| engine.house_told(&ids));
            failed.or_else(|| noted?.err().map(|error| error.to_string()))
        });
        if let Ok(Some(failed)) = told.await {
            Answers::new(false).remark(&failed);
        }
        tokio::time::sleep(TELL).await;
    }
}

/// What is to be served, and what of it is kept back, in sentences.
fn bundle(engine: &mut Engine) -> Result<(Bundle, Vec<String>), Failure> {
    let (mut bundle, mut withheld) = (Bundle::default(), Vec::new());
    for model in engine.serving_models()? {
        if let Some(why) = &model.withheld {
            withheld.push(format!(
                "note: the endpoint {} serves nothing, because its version is not what was registered: {why}",
                model.endpoint
            ));
        }
        let route = model.version.map(|(version, loaded)| {
            Arc::new(Route {
                model: model.model.to_string(),
                version: version.0,
                loaded,
                positive_label: model.positive_label,
                allowed: model.allowed,
                capture_share: model.capture_share,
            })
        });
        bundle.routes.insert(model.endpoint, route);
    }
    let charter = engine.charter()?;
    for (holder, key) in engine.state().credentials().iter() {
        let quota = charter.service(holder).and_then(|service| service.quota);
        let plan = quota.map(|quota| Plan {
            requests_per_second: quota.requests_per_second,
            burst: quota.burst,
            requests_per_day: quota.requests_per_day,
        });
        bundle.principals.push(Principal { id: holder.clone(), key: key.clone(), plan });
    }
    Ok((bundle, withheld))
}

struct Sink {
    engine: Arc<Mutex<Engine>>,
}

impl CaptureSink for Sink {
    fn take(&mut self, segment: Segment) -> Result<(), PortError> {
        let failed = |text: String| PortError::new(Kind::Failed, text);
        let mut engine = self.engine.lock().map_err(|_| failed("the engine has stopped".to_owned()))?;
        engine
            .keep_traffic(&segment.endpoint, &segment.variant, &segment.bytes)
            .map(|_| ())
            .map_err(|error| failed(error.to_string()))
    }

    fn refused(&mut self, calls: Vec<gateway::RefusedCalls>) -> Result<(), PortError> {
        let failed = |text: String| PortError::new(Kind::Failed, text);
        let mut engine = self.engine.lock().map_err(|_| failed("the engine has stopped".to_owned()))?;
        let calls = calls.into_iter().map(|call| engine::RefusedCalls {
            endpoint: call.endpoint,
            principal: call.principal,
            status: call.status,
            count: call.count,
            reason: call.message,
        });
        engine.keep_refused_calls(calls.collect()).map(|_| ()).map_err(|error| failed(error.to_string()))
    }
}
