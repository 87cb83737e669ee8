//! What adapters do for a house, told as stories in which each call fails in every way, and goes on failing: no failure is told
//! as something else, nothing is lost, and the same step goes on where it was. Endpoints and stacks have theirs beside them
//! (`fleet_faults.rs`, `stacks.rs`), accounts that are read theirs in `posture.rs`.

use crate::story::{Step, suffer};
use crate::support::{Emulator, client, script};
use crate::{keys, objects};
use aws::model_data::{ModelData, S3Place};
use aws::packages::{ApprovalStatus, Birth, Card, CardStatus, Label, LifeCycle, ModelPackages, Package};
use aws::signals::{Delivery, IncidentSignal, LogLine, SignalSettings, Signals, emf_line};
use aws::trails::TrailBucket;
use aws::watch::{SecurityHub, SqsQueue};
use aws::{AwsError, Client, KmsKeys, OwnRule, S3Objects};
use serde_json::json;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use world::{
    FindingsHub, GrantConstraint, GrantOperation, KeyService, KeyState, Kind, NewGrant, ObjectStore,
    PortError, Queue,
};

/// The smallest part that S3 takes.
const PART: usize = 5 << 20;

fn large() -> Vec<u8> {
    let mut bytes = vec![b'a'; PART + 1];
    bytes[PART] = b'|';
    bytes
}

/// Done, now or by an attempt of which nobody heard.
fn done(result: Result<(), PortError>, already: Kind) -> Result<(), PortError> {
    match result {
        Err(error) if error.kind() == already => Ok(()),
        other => other,
    }
}

const OF_OBJECTS: [Step<S3Objects>; 10] = [
    ("see nothing", |store, _| {
        assert_eq!(store.list("")?, Vec::<String>::new());
        done(store.get("one").map(|_| ()), Kind::Absent)
    }),
    ("put", |store, _| store.put("one", b"1")),
    ("put another in its place", |store, _| match store.put("one", b"2") {
        Ok(()) => panic!("an object was overwritten"),
        Err(error) => done(Err(error), Kind::Conflict),
    }),
    ("read", |store, _| {
        assert_eq!(store.get("one")?, b"1");
        Ok(())
    }),
    ("put in parts", |store, _| store.put("two", &large())),
    ("read what came in parts", |store, _| {
        assert!(store.get("two")? == large());
        store.put("two", &large())
    }),
    ("list", |store, _| {
        assert_eq!(store.list("")?, ["one", "two"]);
        Ok(())
    }),
    ("replace", |store, _| {
        store.replace("one", b"3")?;
        assert_eq!(store.get("one")?, b"3");
        Ok(())
    }),
    ("end what broke off", |store, _| {
        let rules = store.lifecycle()?;
        let own = OwnRule {
            id: "wardmote-house".into(),
            prefix: "house/".into(),
            objects_days: None,
            older_versions_days: None,
            uploads_days: Some(7),
        };
        store.put_lifecycle(&rules.with(&[own], |rule| rule.id() == "wardmote-house")?)?;
        assert_eq!(store.lifecycle()?.rules().len(), 1);
        assert_eq!(store.locked_days()?, None);
        Ok(())
    }),
    ("delete", |store, _| {
        store.delete("one")?;
        assert_eq!(store.list("")?, ["two"]);
        Ok(())
    }),
];

#[test]
fn objects_come_through_whatever_fails() {
    let calls = suffer(
        "objects",
        |telling| Emulator::get().bucket(telling),
        |client, telling| objects(client, telling).in_parts_of(PART),
        |_| {},
        &OF_OBJECTS,
    );
    assert_eq!(calls.len(), 11, "{calls:?}");
}

const ROLE: &str = "arn:aws:iam::123456789012:role/serving";

fn grant(name: &str) -> NewGrant {
    NewGrant {
        name: name.into(),
        grantee: ROLE.into(),
        operations: [GrantOperation::Decrypt].into(),
        constraint: GrantConstraint::EncryptionContextSubset([("a".into(), "b".into())].into()),
    }
}

const OF_KEYS: [Step<KmsKeys>; 9] = [
    ("see nothing", |keys, _| done(keys.state(&"data".parse().unwrap()).map(|_| ()), Kind::Absent)),
    ("make one", |keys, _| done(keys.create(&"data".parse().unwrap()), Kind::Conflict)),
    ("make one that signs", |keys, _| {
        done(keys.create_signing(&"signer".parse().unwrap()).map(|_| ()), Kind::Conflict)
    }),
    ("encrypt and decrypt", |keys, _| {
        let (key, context) = ("data".parse().unwrap(), [("a".to_owned(), "b".to_owned())].into());
        let (plain, wrapped) = keys.generate_data_key(&key, &context)?;
        assert_eq!(keys.unwrap_data_key(&key, &wrapped, &context)?.0, plain.0);
        assert_eq!(keys.derive_secret(&key, "a")?.0, keys.derive_secret(&key, "a")?.0);
        Ok(())
    }),
    ("sign", |keys, _| {
        let key = "signer".parse().unwrap();
        assert!(!keys.sign(&key, b"message")?.is_empty());
        keys.public_key(&key).map(|_| ())
    }),
    ("rotate", |keys, _| keys.rotate(&"data".parse().unwrap()).map(|_| ())),
    ("give a grant", |keys, _| {
        let key = "data".parse().unwrap();
        let given = keys.create_grant(&key, &grant("one"))?;
        assert_eq!(keys.list_grants(&key)?, [given], "one, however often it was asked for");
        Ok(())
    }),
    ("take it back", |keys, _| {
        let key = "data".parse().unwrap();
        for given in keys.list_grants(&key)? {
            done(keys.revoke_grant(&key, &given.id), Kind::Absent)?;
        }
        assert!(keys.list_grants(&key)?.is_empty());
        Ok(())
    }),
    ("disable and enable", |keys, _| {
        let key = "data".parse().unwrap();
        for state in [KeyState::Disabled, KeyState::Enabled] {
            keys.set_state(&key, state)?;
            assert_eq!(keys.state(&key)?, state);
        }
        keys.generate_data_key(&key, &[].into()).map(|_| ())
    }),
];

#[test]
fn keys_come_through_whatever_fails() {
    let calls =
        suffer("keys", |_| {}, |client, telling| keys(client, &format!("{telling}/")), |_| {}, &OF_KEYS);
    assert_eq!(calls.len(), 15, "{calls:?}");
}

fn label(status: ApprovalStatus) -> Label {
    Label {
        status,
        why: "wardmote: because".into(),
        properties: BTreeMap::from([("wardmote:version".to_owned(), "1".to_owned())]),
        life_cycle: LifeCycle {
            stage: "Staging".into(),
            stage_status: "Approved".into(),
            stage_description: String::new(),
        },
        card: Card { content: "{}".into(), status: CardStatus::Draft },
    }
}

fn packages(registry: &ModelPackages, group: &str) -> Result<Vec<Package>, PortError> {
    Ok(registry.list(group)?.unwrap_or_default())
}

const OF_PACKAGES: [Step<ModelPackages>; 6] = [
    ("see nothing", |registry, group| {
        assert!(registry.list(group)?.is_none());
        Ok(())
    }),
    ("make a group", |registry, group| {
        if registry.list(group)?.is_none() {
            registry.create_group(group, "a model", &BTreeMap::new())?;
        }
        Ok(())
    }),
    ("make a package", |registry, group| {
        if packages(registry, group)?.is_empty() {
            let birth = Birth { description: "version 1".into(), ..Birth::default() };
            registry.create(group, &birth, &label(ApprovalStatus::PendingManualApproval))?;
        }
        assert_eq!(packages(registry, group)?.len(), 1, "one, however often it was asked for");
        Ok(())
    }),
    ("write on it", |registry, group| {
        let all = packages(registry, group)?;
        registry.label(&all[0], &label(ApprovalStatus::Approved))?;
        let all = packages(registry, group)?;
        assert_eq!((all.len(), &all[0].status), (1, &ApprovalStatus::Approved));
        Ok(())
    }),
    ("take the approval away", |registry, group| {
        let all = packages(registry, group)?;
        registry.label(&all[0], &label(ApprovalStatus::Rejected))?;
        assert_eq!(packages(registry, group)?[0].status, ApprovalStatus::Rejected);
        Ok(())
    }),
    ("read it as somebody else's", |registry, group| {
        assert!(registry.made_elsewhere(group, None)?.is_some());
        Ok(())
    }),
];

#[test]
fn the_mirror_comes_through_whatever_fails() {
    let calls = suffer("mirror", |_| {}, |client, _| ModelPackages::new(client), |_| {}, &OF_PACKAGES);
    assert_eq!(calls.len(), 6, "{calls:?}");
}

/// The first of several ways that failed.
fn all_went(failed: Vec<AwsError>) -> Result<(), PortError> {
    failed.into_iter().next().map_or(Ok(()), |error| Err(error.into()))
}

const OF_SIGNALS: [Step<Signals>; 6] = [
    ("send figures", |signals, _| Ok(signals.measured(&crate::signals::measured())?)),
    ("put an alarm", |signals, telling| Ok(signals.put_alarm(&crate::signals::alarm(telling))?)),
    ("send an alert", |signals, _| {
        all_went(signals.alert(&crate::signals::alert(), crate::signals::measured().time))
    }),
    ("send an incident", |signals, _| {
        let incident = IncidentSignal {
            id: "I-1".into(),
            open: true,
            sentence: "somebody approved it elsewhere".into(),
            incident: json!({"id": "I-1"}),
            evidence: "e17-3fa9c2d1b4e8".into(),
        };
        all_went(signals.incident(&incident, crate::signals::measured().time))
    }),
    ("start the pipeline", |signals, _| Ok(signals.retrain(&crate::signals::alert())?)),
    ("deliver a line", |signals, _| {
        let now = crate::signals::local_now();
        let measured = aws::signals::Measured { time: now, ..crate::signals::measured() };
        let line = LogLine { id: "1".into(), time: now, text: emf_line("Wardmote/torn", &measured) };
        let mut taken = 0;
        let done = signals.deliver("monitor", (vec![line], 400), now, &mut |_, became| {
            taken += usize::from(became == Delivery::Taken);
        });
        assert_eq!(done.is_ok(), taken == 1, "what was not taken is not told as taken");
        Ok(done?)
    }),
];

#[test]
fn signals_come_through_whatever_fails() {
    let made = RefCell::new(BTreeMap::new());
    let calls = suffer(
        "signals",
        |telling| {
            script("pipelines.py", "make", Emulator::get().address, telling);
            let settings = SignalSettings {
                pipeline: Some(telling.into()),
                logs: Some(crate::signals::log_settings(&format!("/wardmote/{telling}"))),
                ..crate::signals::settings(telling)
            };
            made.borrow_mut().insert(telling.to_owned(), settings);
        },
        |client, telling| Signals::new(client, made.borrow()[telling].clone()).unwrap(),
        |_| {},
        &OF_SIGNALS,
    );
    assert_eq!(calls.len(), 10, "{calls:?}");
}

const OF_QUEUES: [Step<SqsQueue>; 1] = [("take what came", |queue, _| {
    let letters = queue.receive(0)?;
    queue.delete(&letters.iter().collect::<Vec<_>>())
})];

#[test]
fn queues_come_through_whatever_fails() {
    let address = Emulator::get().address;
    let account = |what: &str, names: &str| drop(script("watch.py", what, address, names));
    let calls = suffer(
        "queue",
        |telling| {
            account("queue", &format!("{telling}|1"));
            account("say", &format!("{telling}|hello"));
        },
        |client, telling| SqsQueue::new(client, &format!("http://{address}/123456789012/{telling}")).unwrap(),
        |_| {},
        &OF_QUEUES,
    );
    assert_eq!(calls.len(), 2, "{calls:?}");
}

const OF_FINDINGS: [Step<SecurityHub>; 2] = [
    ("import", |hub, _| {
        let finding = json!({
            "SchemaVersion": "2018-10-08", "Id": "torn", "ProductArn": hub.product("123456789012")?,
            "GeneratorId": "wardmote/S3-01", "AwsAccountId": "123456789012", "Types": ["Software and Configuration Checks"],
            "CreatedAt": "2026-01-01T00:00:00Z", "UpdatedAt": "2026-01-01T00:00:00Z", "Severity": {"Label": "HIGH"},
            "Title": "open", "Description": "open", "Resources": [{"Type": "AwsS3Bucket", "Id": "arn:aws:s3:::torn"}],
            "RecordState": "ACTIVE",
        });
        assert!(hub.import(&[finding])?.is_empty());
        Ok(())
    }),
    ("see it", |hub, _| {
        let known = hub.known("123456789012")?;
        let ids: BTreeSet<&str> = known.iter().filter_map(|one| one["Id"].as_str()).collect();
        assert_eq!(ids, BTreeSet::from(["torn"]));
        Ok(())
    }),
];

#[test]
fn findings_come_through_whatever_fails() {
    let calls = suffer("findings", |_| {}, |client, _| SecurityHub::new(client), |_| {}, &OF_FINDINGS);
    assert_eq!(calls.len(), 2, "{calls:?}");
}

/// Who reads what others put.
struct Reader {
    trail: TrailBucket,
    data: ModelData,
    client: Client,
}

const OF_READERS: [Step<Reader>; 3] = [
    ("say who calls", |reader, _| {
        assert_eq!(aws::identity(&reader.client)?.account, "123456789012");
        Ok(())
    }),
    ("read a trail", |reader, _| {
        assert_eq!(reader.trail.list()?, ["house/one", "house/two"]);
        assert_eq!(reader.trail.get("house/one")?.bytes(), b"1");
        Ok(())
    }),
    ("read an artefact", |reader, telling| {
        let place = |key: &str| S3Place::parse(&format!("s3://{telling}/house/{key}"));
        assert_eq!(reader.data.list(&place("")?)?, ["house/one", "house/two"]);
        let mut bytes = Vec::new();
        reader.data.read::<AwsError>(&place("two")?, 1 << 30, &mut |part| {
            bytes.extend_from_slice(part);
            Ok(())
        })?;
        assert!(bytes == large());
        Ok(())
    }),
];

#[test]
fn readers_come_through_whatever_fails() {
    let address = Emulator::get().address;
    let calls = suffer(
        "readers",
        |telling| {
            Emulator::get().bucket(telling);
            let store = objects(client(address), telling);
            store.put("one", b"1").unwrap();
            store.put("two", &large()).unwrap();
        },
        |client, telling| Reader {
            trail: TrailBucket::new(client.clone(), telling, "house/", None).unwrap(),
            data: ModelData::new(client.clone()),
            client,
        },
        |_| {},
        &OF_READERS,
    );
    assert_eq!(calls.len(), 3, "{calls:?}");
}
