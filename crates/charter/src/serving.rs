//! Checks of where a model serves: what no platform would take, and updates that nothing could stop.

use crate::check::Checker;
use crate::model::Model;
use crate::node::Step::{Item, Key};
use facts::Arn;
use facts::serving::{Ecs, Eks, SageMaker, ServeOn, Step, Traffic};

/// The most alarms of an update.
const MOST_ALARMS: usize = 10;
/// Minutes that an update of SageMaker may take: 600 to 28,800 seconds.
const MINUTES: std::ops::RangeInclusive<u32> = 10..=480;
/// A while between two parts of the traffic: at most 3,600 seconds.
const MOST_STEP_MINUTES: u32 = 60;
const MOST_INSTANCES: u32 = 1000;
const WRONG_WEIGHTS: &str = "weights cannot be moved in such steps";
const WEIGHTS: &str = "a step is 1 to 50 per cent, and is watched for 0 to 1440 minutes";
/// Processors of a task on Fargate, and the memory that goes with each: from, to, in steps (MiB).
const FARGATE: [(u32, u32, u32, u32); 8] = [
    (256, 512, 512, 512),
    (256, 1024, 2048, 1024),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

fn fits_weights(step: Step) -> bool {
    (1..=50).contains(&step.percent) && step.minutes <= 1440
}

/// What it means that a model serves elsewhere.
pub(crate) fn sentence(model: &Model, on: &ServeOn) -> String {
    let (name, endpoint) = (&model.name, &model.endpoint.name);
    match on {
        ServeOn::Directory(on) => {
            let folder = format!("{name} serves from the folder `{}/current`", on.path);
            if on.traffic == Traffic::AllAtOnce {
                folder
            } else {
                format!("{folder}, traffic {}", pace(on.traffic))
            }
        }
        ServeOn::Sagemaker(on) => {
            let pace = pace(on.traffic);
            let alarms: Vec<String> = on.alarms.iter().map(|alarm| format!("`{alarm}`")).collect();
            let back = match &alarms[..] {
                [] => "no alarm takes it back".to_owned(),
                alarms => format!("taken back by {}", alarms.join(", ")),
            };
            format!(
                "{name} serves on the SageMaker endpoint `{endpoint}`: {} x {}, traffic {pace}, {back}",
                on.instances, on.instance_type
            )
        }
        ServeOn::Ecs(on) => {
            format!("{name} serves in the service `{endpoint}` of the ECS cluster `{}`", on.cluster)
        }
        ServeOn::Eks(on) => format!(
            "{name} serves in the Deployment `{endpoint}` of the namespace `{}` in the EKS cluster `{}`",
            on.namespace, on.cluster
        ),
    }
}

fn pace(traffic: Traffic) -> String {
    match traffic {
        Traffic::AllAtOnce => "all at once".to_owned(),
        Traffic::Canary(step) => format!("{} % first, the rest after {} minutes", step.percent, step.minutes),
        Traffic::Linear(step) => format!("{} % every {} minutes", step.percent, step.minutes),
        Traffic::Weights(step) => {
            format!("by weights, {} % more every {} minutes", step.percent, step.minutes)
        }
    }
}

impl Checker<'_> {
    pub(crate) fn serving(&mut self, at: usize, model: &Model) {
        match &model.endpoint.serve_on {
            Some(ServeOn::Directory(on)) if on.path.trim().is_empty() => {
                let help = "name a folder, such as `serving/credit-scoring`";
                self.wrong((at, "directory", "path"), "the folder has no name".to_owned(), help);
            }
            Some(ServeOn::Directory(on)) => self.directory(at, on.traffic),
            None => {}
            Some(ServeOn::Sagemaker(on)) => self.sagemaker(at, on),
            Some(ServeOn::Ecs(on)) => self.ecs(at, on),
            Some(ServeOn::Eks(on)) => self.eks(at, on),
        }
        self.twice(at, model);
    }

    fn wrong(&mut self, (at, on, key): (usize, &'static str, &'static str), message: String, help: &str) {
        let path = [Key("models"), Item(at), Key("endpoint"), Key("serve_on"), Key(on), Key(key)];
        self.error(&path, message, help.to_owned());
    }

    /// Two models at one endpoint would put each other out.
    fn twice(&mut self, at: usize, model: &Model) {
        let before = &self.charter.models[..at.min(self.charter.models.len())];
        let same = |other: &&Model| other.endpoint.name == model.endpoint.name;
        let elsewhere = |one: &Model| one.endpoint.serve_on.is_some();
        if let Some(other) = before.iter().find(same).filter(|other| elsewhere(other) || elsewhere(model)) {
            let message = format!("`{}` and `{}` would serve at one endpoint", other.name, model.name);
            let path = [Key("models"), Item(at), Key("endpoint"), Key("name")];
            self.error(&path, message, "name one of the endpoints otherwise".to_owned());
        }
    }

    fn directory(&mut self, at: usize, traffic: Traffic) {
        let (message, help) = match traffic {
            Traffic::AllAtOnce => return,
            Traffic::Weights(step) if fits_weights(step) => return,
            Traffic::Weights(_) => (WRONG_WEIGHTS, WEIGHTS),
            Traffic::Canary(_) | Traffic::Linear(_) => (
                "a folder has no fleets that traffic could go over between",
                "write `weights` or `all_at_once`",
            ),
        };
        self.wrong((at, "directory", "traffic"), message.to_owned(), help);
    }

    fn sagemaker(&mut self, at: usize, on: &SageMaker) {
        let place = |key| (at, "sagemaker", key);
        self.role(place("role"), &on.role);
        self.key_arn(place("key"), &on.key);
        self.counted(place("instances"), on.instances);
        self.limit(place("time_limit_minutes"), on.time_limit_minutes);
        for (key, none) in
            [("subnets", on.subnets.is_empty()), ("security_groups", on.security_groups.is_empty())]
        {
            if none {
                let message = format!("without `{key}` the endpoint would be in no network of yours");
                self.wrong(place(key), message, "name one or more");
            }
        }
        self.alarms(place("alarms"), on.alarms.len());
        if on.termination_wait_minutes > MOST_STEP_MINUTES {
            let message = "former instances are kept at most 60 minutes".to_owned();
            self.wrong(place("termination_wait_minutes"), message, "write 60 or less");
        }
        let bounds = |step: Step, percent: std::ops::RangeInclusive<u32>| {
            percent.contains(&step.percent) && (1..=MOST_STEP_MINUTES).contains(&step.minutes)
        };
        let (staged, fits) = match on.traffic {
            Traffic::AllAtOnce => (false, true),
            Traffic::Canary(step) => (true, bounds(step, 1..=50)),
            Traffic::Linear(step) => (true, bounds(step, 10..=50)),
            Traffic::Weights(step) => (true, fits_weights(step)),
        };
        if !fits && matches!(on.traffic, Traffic::Weights(_)) {
            self.wrong(place("traffic"), WRONG_WEIGHTS.to_owned(), WEIGHTS);
        } else if !fits {
            let message = "no update of SageMaker goes in such steps".to_owned();
            self.wrong(
                place("traffic"),
                message,
                "a canary has 1 to 50 per cent, a linear step 10 to 50; each 1 to 60 minutes",
            );
        }
        let steps = match on.traffic {
            // Between weights the house waits, and each move is an update of its own.
            Traffic::AllAtOnce | Traffic::Weights(_) => 0,
            Traffic::Canary(step) => step.minutes,
            Traffic::Linear(step) => step.minutes.saturating_mul(100_u32.div_ceil(step.percent.max(1)) - 1),
        };
        if fits && steps.saturating_add(on.termination_wait_minutes) >= on.time_limit_minutes {
            let message = format!(
                "an update waits for {steps} minutes between steps and {} at the end, and may take {}",
                on.termination_wait_minutes, on.time_limit_minutes
            );
            self.wrong(place("time_limit_minutes"), message, "allow more time, or wait less");
        }
        if staged && on.alarms.is_empty() {
            let message = "traffic goes over in steps, and nothing could stop it between them".to_owned();
            self.wrong(
                place("traffic"),
                message,
                "name an alarm under `alarms`, or write `traffic: all_at_once`",
            );
        }
    }

    fn ecs(&mut self, at: usize, on: &Ecs) {
        let place = |key| (at, "ecs", key);
        self.role(place("execution_role"), &on.execution_role);
        self.role(place("task_role"), &on.task_role);
        self.key_arn(place("key"), &on.key);
        self.counted(place("tasks"), on.tasks);
        self.limit(place("time_limit_minutes"), on.time_limit_minutes);
        self.alarms(place("alarms"), on.alarms.len());
        let fits = FARGATE.iter().any(|(cpu, least, most, step)| {
            *cpu == on.cpu && (*least..=*most).contains(&on.memory) && on.memory.is_multiple_of(*step)
        });
        if !fits {
            let message = format!("Fargate has no task with {} CPU units and {} MiB", on.cpu, on.memory);
            self.wrong(
                place("memory"),
                message,
                "for example 1024 and 2048; the ECS guide lists what goes together",
            );
        }
    }

    fn eks(&mut self, at: usize, on: &Eks) {
        let place = |key| (at, "eks", key);
        self.key_arn(place("key"), &on.key);
        self.counted(place("replicas"), on.replicas);
        self.limit(place("time_limit_minutes"), on.time_limit_minutes);
        if on.cpu_millis == 0 || on.memory == 0 {
            let message = "a pod without processor or memory never starts".to_owned();
            self.wrong(place("memory"), message, "for example `cpu_millis: 500` and `memory: 1024`");
        }
        if on.clients.is_empty() {
            let message = "nobody could reach the pods".to_owned();
            self.wrong(place("clients"), message, "name the namespaces that call it");
        }
    }

    fn role(&mut self, place: (usize, &'static str, &'static str), role: &Arn) {
        if role.service() != "iam" || !role.resource().starts_with("role/") {
            self.wrong(place, format!("`{role}` is no role"), "expected `arn:aws:iam::ACCOUNT:role/NAME`");
        }
    }

    fn key_arn(&mut self, place: (usize, &'static str, &'static str), key: &Arn) {
        let named = key.resource().starts_with("key/") && !key.region().is_empty();
        if key.service() != "kms" || !named {
            self.wrong(
                place,
                format!("`{key}` is no key of KMS"),
                "expected `arn:aws:kms:REGION:ACCOUNT:key/ID`",
            );
        }
    }

    fn counted(&mut self, place: (usize, &'static str, &'static str), count: u32) {
        if !(1..=MOST_INSTANCES).contains(&count) {
            let message = format!("`{}` must be from 1 to {MOST_INSTANCES}, and this is {count}", place.2);
            self.wrong(place, message, "one serves; two survive the loss of one");
        }
    }

    fn limit(&mut self, place: (usize, &'static str, &'static str), minutes: u32) {
        if !MINUTES.contains(&minutes) {
            let message = format!("an update may take 10 to 480 minutes, and this is {minutes}");
            self.wrong(place, message, "60 is usual");
        }
    }

    fn alarms(&mut self, place: (usize, &'static str, &'static str), count: usize) {
        if count > MOST_ALARMS {
            let message =
                format!("an update is watched by at most {MOST_ALARMS} alarms, and these are {count}");
            self.wrong(place, message, "join some of them in a composite alarm");
        }
    }
}
