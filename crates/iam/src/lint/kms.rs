//! Keys of KMS: who administers them, who can hand them on, and what encrypts with which.

use super::subject::{Case, Out, Subject};
use super::unit::{Unit, unit};
use crate::policy::{PolicyKind, Who, WhoSort};
use crate::request::is_account;

pub(super) const UNITS: &[Unit] = &[
    unit!("kms-lock-out", Error, "A key policy that nobody can ever change", lock_out),
    unit!(
        "kms-no-delegation",
        Warning,
        "A key policy without the account: policies of identities do not count",
        no_delegation
    ),
    unit!(
        "kms-create-grant",
        SecurityWarning,
        "kms:CreateGrant without a limit on what is granted",
        create_grant
    ),
    unit!("kms-decrypt-every-key", Warning, "Decryption with every key", decrypt_all),
    unit!("kms-administrator-uses", Warning, "Who administers a key may also decrypt with it", both),
];

fn key_policy<'s, 'p>(subject: &'s Subject<'p>) -> impl Iterator<Item = &'s Case<'p>> {
    let key = subject.kind == PolicyKind::KmsKey;
    subject.allows().filter(move |_| key)
}

/// Whether a principal is a whole account.
fn is_account_root(who: &Who) -> bool {
    let text = who.value.text.as_str();
    who.sort == WhoSort::Aws && (is_account(text) || text.starts_with("arn:") && text.ends_with(":root"))
}

fn lock_out(subject: &Subject<'_>, out: &mut Out) {
    let changes = |case: &Case<'_>| {
        case.covers("kms:PutKeyPolicy") && case.statement.principal.iter().any(|e| !e.items.is_empty())
    };
    if subject.kind == PolicyKind::KmsKey && !key_policy(subject).any(changes) {
        let message = "nobody may call `kms:PutKeyPolicy`, so the policy can never be changed".to_owned();
        let help =
            "allow `kms:*` to the account, `arn:aws:iam::ACCOUNT:root`; otherwise only AWS Support can help";
        out.say_whole(subject.head(), message, help);
    }
}

fn no_delegation(subject: &Subject<'_>, out: &mut Out) {
    let delegates = |case: &Case<'_>| {
        case.statement.principal.iter().filter(|e| !e.negated).flat_map(|e| &e.items).any(is_account_root)
    };
    if subject.kind == PolicyKind::KmsKey && !key_policy(subject).any(delegates) {
        let message =
            "no statement is for the account, so policies of identities do not count for this key".to_owned();
        out.say_whole(
            subject.head(),
            message,
            "allow `kms:*` to `arn:aws:iam::ACCOUNT:root`, or name here everybody who needs the key",
        );
    }
}

fn create_grant(subject: &Subject<'_>, out: &mut Out) {
    let limits = [
        "kms:grantisforawsresource",
        "kms:granteeprincipal",
        "kms:grantoperations",
        "kms:grantconstrainttype",
        "kms:viaservice",
    ];
    let limit_kinds = matches!(
        subject.kind,
        PolicyKind::Scp | PolicyKind::Rcp | PolicyKind::Boundary | PolicyKind::Endpoint
    );
    for case in subject.allows().filter(|case| !limit_kinds && !case.has_key(&limits)) {
        let whole = case
            .listed_actions()
            .iter()
            .any(|item| item.text == "*" || item.text.eq_ignore_ascii_case("kms:*"));
        if !whole && case.covers("kms:CreateGrant") {
            let message = "who may make grants may give the key to anybody, past every policy".to_owned();
            let help =
                "add `\"Bool\": {\"kms:GrantIsForAWSResource\": \"true\"}`, or limit `kms:GrantOperations`";
            out.say(case, case.span_of("kms:CreateGrant"), message, help);
        }
    }
}

fn decrypt_all(subject: &Subject<'_>, out: &mut Out) {
    if subject.kind != PolicyKind::Identity {
        return;
    }
    let limits = ["kms:viaservice", "kms:calleraccount", "kms:resourcealiases", "kms:requestalias"];
    for case in subject.allows().filter(|case| case.is_open() && !case.has_key(&limits)) {
        let tagged =
            case.has_key_beginning("kms:encryptioncontext:") || case.has_key_beginning("aws:resourcetag/");
        let named = case.listed_actions().iter().any(|item| item.text.to_lowercase().starts_with("kms:"));
        if named && !tagged && case.covers("kms:Decrypt") {
            let message = "every key that trusts the account's policies can be used to decrypt".to_owned();
            out.say(
                case,
                case.span_of("kms:Decrypt"),
                message,
                "name the keys, or add a condition on `kms:ViaService`",
            );
        }
    }
}

/// Administering a key and using it are two tasks for two people.
fn both(subject: &Subject<'_>, out: &mut Out) {
    for case in
        key_policy(subject).filter(|case| case.covers("kms:PutKeyPolicy") && case.covers("kms:Decrypt"))
    {
        let named = case.statement.principal.iter().filter(|e| !e.negated).flat_map(|e| &e.items);
        for who in named.filter(|who| who.sort == WhoSort::Aws && !is_account_root(who) && !who.is_everyone())
        {
            let message =
                format!("`{}` may change the policy of the key and decrypt with it", who.value.text);
            out.say(case, who.value.span, message, "make two statements for two roles");
        }
    }
}
