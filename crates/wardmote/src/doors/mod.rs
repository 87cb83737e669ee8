//! Ways to show who calls `wardmote serve`, as `house.json` opens them: tokens of identity providers, AWS identities.
//! Without that, access keys alone.

mod outside;
mod tls;

pub(crate) use tls::Certificate;

use crate::aws::failure;
use crate::failure::{Exit, Failure};
use crate::house::House;
use aws::{Client, Web};
use engine::Engine;
use facts::{Digest, PersonId};
use guard::door::{aws as signed, oidc};
use local::SystemClock;
use outside::Network;
use serde::{Deserialize, Serialize};
use server::{Doors, Shown};
use std::pin::Pin;
use std::sync::{Arc, Mutex};

/// What `house.json` says under `doors`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DoorSettings {
    /// Identity providers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    oidc: Vec<oidc::Settings>,
    /// AWS identities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aws: Option<signed::Settings>,
}

/// The doors of a house.
pub(crate) fn open(house: &House) -> Result<Doors, Failure> {
    let settings = house.settings()?;
    let DoorSettings { oidc, aws } = settings.doors();
    let checked = oidc.iter().map(oidc::Settings::check).chain(aws.iter().map(signed::Settings::check));
    for result in checked {
        result.map_err(|why| {
            Failure::new(Exit::Input, why).with_help("put it right under `doors` in `house.json`")
        })?;
    }
    let mut called = settings.called()?;
    if let Some(region) = aws.as_ref().and_then(|aws| aws.region.as_ref()) {
        called = called.with_region(region).map_err(failure)?;
    }
    let network = Network::new(Web::new(&called).map_err(failure)?);
    let aws = match aws {
        None => None,
        Some(aws) => {
            let client = Client::new(called).map_err(failure)?;
            let (url, region) = aws::sts(&client).map_err(failure)?;
            Some((aws, signed::Sts { url, region }))
        }
    };
    Ok(Doors::new(Arc::new(network), Arc::new(SystemClock), oidc, aws))
}

/// Puts on record which doors are opened; without that none is.
pub(crate) fn record(house: &House, doors: &Doors, engine: &mut Engine) -> Result<(), Failure> {
    let settings = serde_json::to_vec(&house.settings()?.doors())
        .map_err(|error| Failure::new(Exit::Failed, format!("cannot write down the doors: {error}")))?;
    engine.doors_opened(&doors.names(), Digest::of(&settings))?;
    Ok(())
}

/// The doors, for those who call endpoints.
pub(crate) struct ToEndpoints {
    pub(crate) doors: Arc<Doors>,
    pub(crate) engine: Arc<Mutex<Engine>>,
}

impl gateway::Doors for ToEndpoints {
    fn may_be_theirs(&self, text: &str) -> bool {
        matches!(Shown::read(text), Some(Shown::Token(_) | Shown::Aws(_)))
    }

    fn who(&self, text: String) -> Pin<Box<dyn Future<Output = Result<PersonId, String>> + Send>> {
        let (doors, engine) = (Arc::clone(&self.doors), Arc::clone(&self.engine));
        Box::pin(async move {
            let found = tokio::task::spawn_blocking(move || who(&doors, &engine, &text)).await;
            found.unwrap_or_else(|_| Err("the call broke off".to_owned()))
        })
    }
}

fn who(doors: &Doors, engine: &Mutex<Engine>, text: &str) -> Result<PersonId, String> {
    let recognised = match Shown::read(text) {
        Some(Shown::Token(token)) => doors.token(&token),
        Some(Shown::Aws(token)) => doors.aws(&token),
        _ => return Err("the access key is not valid".to_owned()),
    };
    let recognised = recognised.map_err(|why| why.to_string())?;
    if !recognised.holds_all() {
        // Who may call was worked out for all roles that the charter gives; with fewer, it could be otherwise.
        let engine = engine.lock().map_err(|_| "the engine has stopped".to_owned())?;
        let actor = engine.let_in(&recognised).map_err(|error| error.to_string())?;
        let given = engine.charter().ok().and_then(|charter| charter.roles_of(&actor.id));
        if given.is_none_or(|(_, roles)| !roles.iter().all(|role| actor.has_role(role))) {
            return Err(format!(
                "the groups of `{}` do not leave all roles that the charter gives",
                actor.id
            ));
        }
    }
    Ok(recognised.id().clone())
}
