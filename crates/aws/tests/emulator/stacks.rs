//! Stacks: a change is proposed, looked at, carried out once and seen to end, whatever fails on the way.

use crate::story::{Step, suffer};
use crate::support::proxy::{Fate, Proxy, xml_error};
use crate::support::{Emulator, client};
use aws::stacks::{Execution, Proposal, Stack, Stacks, TemplateSource};
use std::collections::{BTreeMap, BTreeSet};
use world::PortError;

const TEMPLATE: &str = r#"{"Parameters": {"Fails": {"Type": "String", "Default": "no"}},
    "Resources": {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {}}}}"#;

fn propose(stacks: &Stacks, stack: &str, fails: &str) -> Result<String, PortError> {
    let parameters = BTreeMap::from([("Fails".to_owned(), fails.to_owned())]);
    let template = TemplateSource::Body(TEMPLATE);
    let name = format!("of-{stack}");
    let previous = BTreeSet::new();
    let proposal = Proposal {
        stack,
        name: &name,
        template,
        parameters: &parameters,
        previous: &previous,
        create: true,
        nested: false,
    };
    Ok(stacks.propose(&proposal)?)
}

fn execution(stacks: &Stacks, stack: &str) -> Result<Option<Execution>, PortError> {
    Ok(stacks.change_set(stack, &format!("of-{stack}"))?.map(|set| set.execution))
}

fn settled(stacks: &Stacks, stack: &str) -> Option<Stack> {
    (0..20).find_map(|_| match stacks.find(stack).unwrap() {
        Some(seen) if seen.is_busy() => None,
        seen => Some(seen),
    })?
}

const STORY: [Step<Stacks>; 7] = [
    ("see nothing", |stacks, stack| {
        assert_eq!(stacks.find(stack)?, None);
        Ok(())
    }),
    ("propose", |stacks, stack| propose(stacks, stack, "no").map(|_| ())),
    ("look at it", |stacks, stack| {
        let set = stacks.change_set(stack, &format!("of-{stack}"))?.unwrap();
        assert_eq!(
            (set.execution, set.changes.len(), set.status.as_str()),
            (Execution::Available, 1, "CREATE_COMPLETE")
        );
        Ok(())
    }),
    ("carry it out", |stacks, stack| Ok(stacks.execute(stack, &format!("of-{stack}"))?)),
    ("read what it is", |stacks, stack| {
        assert!(stacks.template(stack)?.contains("AWS::SNS::Topic"));
        assert_eq!(stacks.find(stack)?.unwrap().stack_status, "CREATE_COMPLETE");
        let events = stacks.events(stack)?;
        let made = events.iter().filter(|event| event.resource_status == "CREATE_COMPLETE");
        assert_eq!(
            made.filter(|event| event.logical_resource_id == stack).count(),
            1,
            "it was carried out once"
        );
        Ok(())
    }),
    ("forget nothing that is there", |stacks, stack| Ok(stacks.forget(stack)?)),
    ("delete it", |stacks, stack| match stacks.find(stack)? {
        Some(there) => Ok(stacks.delete(&there.stack_id)?),
        None => Ok(()),
    }),
];

#[test]
fn a_stack_comes_through_whatever_fails() {
    let address = Emulator::get().address;
    let sure = Stacks::new(client(address));
    let rest = |stack: &str| drop(settled(&sure, stack));
    let calls = suffer("stacks", |_| {}, |client, _| Stacks::new(client), rest, &STORY);
    assert_eq!(calls.len(), 7, "{calls:?}");
    assert_eq!(sure.find("torn-stacks").unwrap(), None);
}

#[test]
fn a_call_whose_answer_is_lost_is_looked_for() {
    let address = Emulator::get().address;
    let proxy = Proxy::before(Some(address));
    let stacks = Stacks::new(client(proxy.address));
    for (n, fate) in [Fate::Lost, Fate::Half].into_iter().enumerate() {
        let stack = format!("lost-{n}");
        proxy.always_of("CreateChangeSet", fate.clone());
        proxy.always_of("ExecuteChangeSet", fate);
        let id = propose(&stacks, &stack, "no").unwrap();
        assert_eq!(execution(&stacks, &stack).unwrap(), Some(Execution::Available));
        stacks.execute(&stack, &id).unwrap();
        proxy.calm();
        assert_eq!(settled(&stacks, &stack).unwrap().stack_status, "CREATE_COMPLETE");
    }
    // What did not reach it was not done, and is said so.
    proxy.always_of("CreateChangeSet", Fate::Reset);
    let error = propose(&stacks, "never", "no").unwrap_err();
    insta::assert_snapshot!(error, @"`cloudformation:CreateChangeSet` failed: the connection to `127.0.0.1` broke; it may have happened all the same");
    proxy.calm();
    assert_eq!(execution(&stacks, "never").unwrap(), None);
    let id = propose(&stacks, "refused", "no").unwrap();
    proxy.always_of("ExecuteChangeSet", xml_error(403, "AccessDenied"));
    let error = PortError::from(stacks.execute("refused", &id).unwrap_err());
    insta::assert_snapshot!(error, @"`cloudformation:ExecuteChangeSet` failed: AWS says `AccessDenied`: `because` (request `4442587FB7D0A2F9`)");
    assert_eq!(execution(&stacks, "refused").unwrap(), Some(Execution::Available));
}

#[test]
fn what_was_only_looked_at_is_forgotten_and_what_was_made_is_not() {
    let stacks = Stacks::new(client(Emulator::get().address));
    let id = propose(&stacks, "looked-at", "no").unwrap();
    assert!(stacks.find("looked-at").unwrap().unwrap().is_review());
    stacks.discard("looked-at", &id).unwrap();
    stacks.discard("looked-at", &id).unwrap();
    stacks.forget("looked-at").unwrap();
    assert_eq!(stacks.find("looked-at").unwrap(), None);
    let id = propose(&stacks, "fails", "yes").unwrap();
    stacks.execute("fails", &id).unwrap();
    let stack = settled(&stacks, "fails").unwrap();
    assert!(!stack.is_well() && stack.stack_status == "ROLLBACK_COMPLETE");
    assert_eq!(execution(&stacks, "fails").unwrap(), Some(Execution::Failed));
    stacks.forget("fails").unwrap();
    assert!(stacks.find("fails").unwrap().is_some());
}

#[test]
fn a_change_set_that_vanished_is_not_said_to_be_carried_out() {
    let address = Emulator::get().address;
    let proxy = Proxy::before(Some(address));
    let stacks = Stacks::new(client(proxy.address));
    let gone = || xml_error(404, "ChangeSetNotFound");
    // The answer is lost, and when it is looked for, somebody took it back.
    proxy.always_of("CreateChangeSet", Fate::Lost);
    proxy.nth_of("Action=DescribeChangeSet", 1, gone());
    let error = propose(&stacks, "vanished", "no").unwrap_err();
    insta::assert_snapshot!(error, @"`cloudformation:CreateChangeSet` failed: the connection to `127.0.0.1` broke; it may have happened all the same");
    proxy.calm();
    let id = stacks.change_set("vanished", "of-vanished").unwrap().unwrap().id;
    // The call fails, and there is nothing of it to look at; nor is there if nobody may look.
    proxy.always_of("ExecuteChangeSet", xml_error(500, "InternalFailure"));
    for look in [gone(), xml_error(403, "AccessDenied")] {
        proxy.nth_of("Action=DescribeChangeSet", 1, look);
        let error = stacks.execute("vanished", &id).unwrap_err();
        assert_eq!(error.code(), "InternalFailure", "the call's own words: {error}");
    }
    proxy.calm();
    // Somebody takes it back before it is carried out.
    Stacks::new(client(address)).discard("vanished", &id).unwrap();
    let error = stacks.execute("vanished", &id).unwrap_err();
    assert_eq!(error.code(), "ChangeSetNotFound", "{error}");
    assert!(stacks.find("vanished").unwrap().unwrap().is_review(), "nothing was made");
}
