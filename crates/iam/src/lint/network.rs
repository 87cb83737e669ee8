//! Addresses and VPC endpoints.

use super::conditions::tests;
use super::subject::{Out, Subject, demands_presence};
use super::unit::{Unit, unit};
use crate::policy::{Condition, Operator, Test};
use crate::value::Block;
use core::net::{Ipv4Addr, Ipv6Addr};

pub(super) const UNITS: &[Unit] = &[
    unit!("ip-private", Error, "aws:SourceIp is compared with private addresses only", |s, o| private(
        s, o, false, true
    )),
    unit!("ip-not-private", Error, "Only private addresses are excepted from aws:SourceIp", |s, o| private(
        s, o, true, true
    )),
    unit!("ip-private-some", Suggestion, "aws:SourceIp is compared with private addresses too", |s, o| {
        private(s, o, false, false);
    }),
    unit!(
        "ip-not-private-some",
        Suggestion,
        "Private addresses are excepted from aws:SourceIp too",
        |s, o| {
            private(s, o, true, false);
        }
    ),
    unit!("ip-host-bits", Suggestion, "A block of addresses with bits after its prefix", host_bits),
    unit!("ip-everything", SecurityWarning, "A block of addresses that contains all", everything),
    unit!("ip-and-endpoint", Error, "A public address and a VPC endpoint in one statement", endpoint),
    unit!(
        "ip-deny-blocks-services",
        Warning,
        "A Deny by address that also denies what services do for the caller",
        services
    ),
];

/// The ranges of RFC 1918, of RFC 6598 and of RFC 4193, and those for the own machine and link.
const PRIVATE: [&str; 8] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "169.254.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

fn is_private(block: &Block) -> bool {
    PRIVATE.iter().filter_map(|text| Block::parse(text)).any(|range| range.contains(block))
}

fn is_source(condition: &Condition, test: Test) -> bool {
    test.operator == Operator::IpAddress && condition.key.text.eq_ignore_ascii_case("aws:SourceIp")
}

fn private(subject: &Subject<'_>, out: &mut Out, inverted: bool, only: bool) {
    for (case, condition, test) in
        tests(subject).filter(|(_, c, test)| is_source(c, *test) && test.inverted == inverted)
    {
        let blocks: Vec<Block> =
            condition.values.iter().filter_map(|value| Block::parse(&value.text)).collect();
        let count = blocks.iter().filter(|block| is_private(block)).count();
        if count == 0 || (count == blocks.len()) != only {
            continue;
        }
        let message = match (only, test.inverted) {
            (true, false) => "no request comes from these private addresses, so this never holds".to_owned(),
            (true, true) => "no request comes from these private addresses, so this always holds".to_owned(),
            (false, _) => format!("no request comes from {count} of these addresses, which are private"),
        };
        let help = "`aws:SourceIp` is the public address; for private ones use `aws:VpcSourceIp` with `aws:SourceVpc`";
        out.say(case, condition.key.span, message, help);
    }
}

fn first(block: &Block) -> String {
    match (block.v6, u32::try_from(block.first)) {
        (false, Ok(address)) => Ipv4Addr::from(address).to_string(),
        _ => Ipv6Addr::from(block.first).to_string(),
    }
}

fn host_bits(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, _) in tests(subject).filter(|(_, _, test)| test.operator == Operator::IpAddress) {
        for value in &condition.values {
            let Some((address, prefix)) = value.text.split_once('/') else { continue };
            let (Some(block), Some(single)) = (Block::parse(&value.text), Block::parse(address)) else {
                continue;
            };
            if single.first != block.first {
                let message = format!("the bits of `{}` after its prefix do not count", value.text);
                out.say(case, value.span, message, &format!("write `{}/{prefix}`", first(&block)));
            }
        }
    }
}

fn everything(subject: &Subject<'_>, out: &mut Out) {
    for (case, condition, _) in tests(subject).filter(|(_, _, test)| test.operator == Operator::IpAddress) {
        for value in &condition.values {
            let all = Block::parse(&value.text).is_some_and(|b| {
                b.first == 0 && b.last == if b.v6 { u128::MAX } else { u128::from(u32::MAX) }
            });
            if all {
                let message = format!("every address is in `{}`", value.text);
                out.say(
                    case,
                    value.span,
                    message,
                    "write the blocks that are meant, or remove the condition",
                );
            }
        }
    }
}

fn endpoint(subject: &Subject<'_>, out: &mut Out) {
    let keys = ["aws:sourcevpc", "aws:sourcevpce", "aws:sourcevpcarn", "aws:vpcsourceip"];
    for (case, condition, _) in
        tests(subject).filter(|(_, c, test)| is_source(c, *test) && demands_presence(c))
    {
        if case.demands(&keys) {
            let message =
                "a request through a VPC endpoint carries no `aws:SourceIp`, so the statement never matches"
                    .to_owned();
            out.say(case, condition.key.span, message, "make two statements, or use `aws:VpcSourceIp`");
        }
    }
}

/// Services that call with the credentials of the caller do so from their own addresses.
fn services(subject: &Subject<'_>, out: &mut Out) {
    let excused = [
        "aws:viaawsservice",
        "aws:principalisawsservice",
        "aws:sourcevpc",
        "aws:sourcevpce",
        "aws:calledvia",
        "aws:principalarn",
        "aws:calledviafirst",
        "aws:calledvialast",
        "aws:sourcevpcarn",
    ];
    for (case, condition, test) in
        tests(subject).filter(|(case, c, test)| !case.allows() && is_source(c, *test))
    {
        if test.inverted && !case.has_key(&excused) {
            let message =
                "what services do for the caller, and requests through VPC endpoints, are denied too"
                    .to_owned();
            let help = "add `\"Bool\": {\"aws:ViaAWSService\": \"false\"}` and except your endpoints with `aws:SourceVpce`";
            out.say(case, condition.operator.span, message, help);
        }
    }
}
