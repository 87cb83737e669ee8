//! The account as [`world::Account`]: looks and writes by calls that are data, and no others than those of the table of
//! [`operations`].

mod operations;
mod shape;

use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::permissions::{Place, PolicyDocument};
use crate::posture;
use facts::inventory::{Inventory, Touched};
use facts::remediation::{Call, Look, Target};
use operations::{KNOWN, Known};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use world::{Account, Kind, PortError};

const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// An account whose resources are put right, with no more calls that write than were allowed in a second.
pub struct LiveAccount {
    client: Client,
    account: String,
    regional: Mutex<BTreeMap<String, Client>>,
    /// The least time between two writes.
    pace: Duration,
    last: Mutex<Option<Instant>>,
    /// The longest pause between two looks, and how many there are.
    patience: (Duration, u32),
}

impl LiveAccount {
    /// The account of whoever calls.
    ///
    /// # Errors
    /// If nobody can be asked: no credentials, no region, no service that answers.
    pub fn new(client: Client, writes_per_second: u32) -> Result<Self, AwsError> {
        let account = crate::identity::account(&client)?;
        let pace = Duration::from_secs(1) / writes_per_second.max(1);
        Ok(Self {
            client,
            account,
            regional: Mutex::default(),
            pace,
            last: Mutex::default(),
            patience: (Duration::from_secs(10), 200),
        })
    }

    /// The same with another longest pause between looks, and another number of them.
    #[must_use]
    pub fn with_patience(self, pause: Duration, looks: u32) -> Self {
        Self { patience: (pause, looks), ..self }
    }

    /// The account's id.
    pub fn id(&self) -> &str {
        &self.account
    }

    fn client(&self, call: &Call) -> Result<Client, AwsError> {
        let Some(region) = call.region.as_deref() else { return Ok(self.client.clone()) };
        let mut known = self.regional.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(region) {
            return Ok(client.clone());
        }
        let client = self.client.in_region(region)?;
        known.insert(region.to_owned(), client.clone());
        Ok(client)
    }

    fn pace(&self) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(before) = *last {
            std::thread::sleep(self.pace.saturating_sub(before.elapsed()));
        }
        *last = Some(Instant::now());
    }
}

/// The policy with which every look of [`LiveAccount`] is allowed, and every write if they are wanted.
pub fn permissions(writes: bool) -> PolicyDocument {
    let all: Vec<_> =
        KNOWN.iter().filter(|known| writes || !known.writes).map(|known| &known.operation).collect();
    let own =
        PolicyDocument::of(&all, |_| Place { resource: vec!["*".to_owned()], condition: BTreeMap::new() });
    PolicyDocument::join([own, posture::permissions()])
}

/// What is known of a call; `writes` is what is wanted of it.
fn known(call: &Call, writes: bool) -> Result<&'static Known, PortError> {
    let same = |known: &&Known| {
        known.operation.service.name == call.service
            && known.operation.name == call.operation
            && known.writes == writes
    };
    KNOWN.iter().find(same).ok_or_else(|| {
        let what = if writes { "put anything right" } else { "look at anything" };
        let name = format!("{}:{}", call.service, call.operation);
        PortError::new(Kind::Invalid, format!("`{}` is no call that is made to {what}", name.escape_debug()))
            .with_help("make the plan anew with `wardmote remediate plan`")
    })
}

impl Account for LiveAccount {
    fn number(&self) -> &str {
        &self.account
    }

    fn look(&self, look: &Look) -> Result<Value, PortError> {
        let known = known(&look.call, false)?;
        let answer = self.client(&look.call).and_then(|client| {
            let wire = shape::wire(&client, &self.account, known, &look.call)?;
            shape::read(known, &client.call(&known.operation, &wire)?)
        });
        match answer {
            Ok(answer) => shape::part(known, &answer, look).map_err(PortError::from),
            Err(error) if known.is_absence(&error) => Ok(Value::Null),
            Err(error) => Err(error.into()),
        }
    }

    fn write(&self, call: &Call) -> Result<(), PortError> {
        let known = known(call, true)?;
        self.pace();
        let client = self.client(call)?;
        let wire = shape::wire(&client, &self.account, known, call)?;
        let answer = client.call(&known.operation, &wire)?;
        // Some calls about many things say what failed in an answer that is none of an error.
        let told = shape::read(known, &answer)?;
        match told.pointer("/unsuccessful/item/0/error").or_else(|| told.pointer("/unsuccessful/item/error"))
        {
            None => Ok(()),
            Some(error) => {
                let text = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
                let said = AwsError::said(Trouble::Refused, &text("code"), &text("message"), None);
                Err(said.of(&known.operation).into())
            }
        }
    }

    fn needs(&self, call: &Call) -> Result<Vec<String>, PortError> {
        let known = known(call, true).or_else(|_| known(call, false))?;
        Ok(known.operation.needs.iter().map(|need| need.action.to_owned()).collect())
    }

    fn inventory(&self) -> Result<Inventory, PortError> {
        Ok(posture::collect(&self.client)?)
    }

    fn refresh(&self, inventory: &mut Inventory, target: &Target) -> Result<(), PortError> {
        Ok(posture::refresh(&self.client, inventory, target)?)
    }

    fn reread(&self, inventory: &mut Inventory, touched: &[Touched]) -> Result<(), PortError> {
        posture::reread(&self.client, inventory, touched).map_err(|error| match error.trouble() {
            // What cannot be read on its own is read with everything.
            Trouble::Refused if error.operation().is_none() => error.port(Kind::Invalid),
            Trouble::Refused => error.port(Kind::Failed),
            _ => error.into(),
        })
    }

    fn object(&self, bucket: &str, key: &str, most: usize) -> Result<Vec<u8>, PortError> {
        Ok(crate::trails::object(&self.client, (bucket, key), most)?)
    }

    fn wait(&self, looks: u32) -> bool {
        // Settings are there at once or after moments; endpoints take minutes.
        let (longest, most) = self.patience;
        if looks >= most {
            return false;
        }
        std::thread::sleep((FIRST_PAUSE * (1 << looks.min(10))).min(longest));
        true
    }
}
