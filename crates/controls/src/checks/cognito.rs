//! Who signs in: pools of users, their clients, and pools of identities of Cognito.

use crate::answer::{Answer, Found, all, find};
use crate::resource::{State, cause};
use crate::unit::{Case, Unit, part, unit};

const USERS: &str = "AWS::Cognito::UserPool";
const CLIENT: &str = "AWS::Cognito::UserPoolClient";
const IDENTITIES: &str = "AWS::Cognito::IdentityPool";
const LEAST_LENGTH: u64 = 8;
/// An access token lives at most this long.
const MOST_MINUTES: f64 = 60.0;

pub(crate) const UNITS: &[Unit] = &[
    unit!(
        "COG-01",
        Medium,
        Single,
        "people sign in with a second factor and a strong password",
        [USERS],
        [],
        |case| { all([second_factor(case), strong_password(case)]) }
    ),
    part!(
        "COG-01",
        "mfa",
        Medium,
        "people sign in with a second factor",
        [USERS],
        ["cognito_user_pool_mfa_enabled", "Cognito.5"],
        second_factor
    ),
    part!("COG-01", "offered", Medium, "people can have a second factor", [USERS], ["F78"], |case| find(
        case.resource,
        "MfaConfiguration"
    )
    .word(&["ON", "OPTIONAL"], Some("OFF"))),
    part!(
        "COG-01",
        "password",
        Medium,
        "passwords are strong",
        [USERS],
        ["Cognito.3", "COGNITO_USER_POOL_PASSWORD_POLICY_CHECK"],
        strong_password
    ),
    unit!(
        "COG-02",
        Medium,
        Single,
        "nobody signs himself up, threats are stopped, and a pool is not deleted by mistake",
        [USERS],
        [],
        |case| all([no_sign_up(case), threats(case), kept(case)])
    ),
    part!(
        "COG-02",
        "sign-up",
        Medium,
        "nobody signs himself up",
        [USERS],
        ["cognito_user_pool_self_registration_disabled"],
        no_sign_up
    ),
    part!(
        "COG-02",
        "threats",
        Medium,
        "threats at sign-in are stopped",
        [USERS],
        ["Cognito.1", "COGNITO_USER_POOL_ADVANCED_SECURITY_ENABLED"],
        threats
    ),
    part!(
        "COG-02",
        "deletion",
        Medium,
        "a pool is not deleted by mistake",
        [USERS],
        [
            "Cognito.6",
            "COGNITO_USERPOOL_DELETION_PROTECTION_ENABLED",
            "cognito_user_pool_deletion_protection_enabled"
        ],
        kept
    ),
    unit!(
        "COG-03",
        Medium,
        Single,
        "nobody gets in as a guest",
        [IDENTITIES],
        [
            "Cognito.2",
            "COGNITO_IDENTITY_POOL_UNAUTH_ACCESS_CHECK",
            "CKV_AWS_366",
            "W57",
            "cognito_identity_pool_guest_access_disabled"
        ],
        |case| find(case.resource, "AllowUnauthenticatedIdentities").flag(false, false)
    ),
    unit!(
        "COG-04",
        Medium,
        Single,
        "a client revokes tokens, does not tell who exists, and has short tokens",
        [CLIENT],
        [],
        |case| all([revokes(case), tells_nobody(case), short_tokens(case)])
    ),
    part!(
        "COG-04",
        "revocation",
        Medium,
        "a client revokes tokens",
        [CLIENT],
        ["cognito_user_pool_client_token_revocation_enabled"],
        revokes
    ),
    part!(
        "COG-04",
        "existence",
        Medium,
        "a client does not tell who exists",
        [CLIENT],
        ["cognito_user_pool_client_prevent_user_existence_errors"],
        tells_nobody
    ),
];

fn second_factor(case: &Case<'_>) -> Answer {
    find(case.resource, "MfaConfiguration").word(&["ON"], Some("OFF"))
}

fn strong_password(case: &Case<'_>) -> Answer {
    let rule = |name: &str| find(case.resource, &format!("Policies.PasswordPolicy.{name}"));
    let kinds = ["RequireLowercase", "RequireUppercase", "RequireNumbers", "RequireSymbols"];
    all(kinds.map(|name| rule(name).flag(true, false)).into_iter().chain([at_least(rule("MinimumLength"))]))
}

fn at_least(found: Found<'_>) -> Answer {
    let path = found.spot.path.clone();
    match &found.state {
        State::Absent => found.spot.broken(format!("`{path}` is absent; at least {LEAST_LENGTH} is wanted")),
        State::Unknown(missing) => found.spot.clone().unknown(missing.clone()),
        State::Known(node) => match node.text().and_then(|text| text.parse::<u64>().ok()) {
            Some(length) if length >= LEAST_LENGTH => {
                found.spot.clone().holds(format!("`{path}` is {length}"))
            }
            Some(length) => {
                found.spot.clone().broken(format!("`{path}` is {length}; at least {LEAST_LENGTH} is wanted"))
            }
            None => found.spot.clone().unknown(cause(node)),
        },
    }
}

fn no_sign_up(case: &Case<'_>) -> Answer {
    find(case.resource, "AdminCreateUserConfig.AllowAdminCreateUserOnly").flag(true, false)
}

fn threats(case: &Case<'_>) -> Answer {
    find(case.resource, "UserPoolAddOns.AdvancedSecurityMode").word(&["ENFORCED"], Some("OFF"))
}

fn kept(case: &Case<'_>) -> Answer {
    find(case.resource, "DeletionProtection").word(&["ACTIVE"], Some("INACTIVE"))
}

fn revokes(case: &Case<'_>) -> Answer {
    find(case.resource, "EnableTokenRevocation").flag(true, true)
}

fn tells_nobody(case: &Case<'_>) -> Answer {
    find(case.resource, "PreventUserExistenceErrors").word(&["ENABLED"], Some("LEGACY"))
}

fn short_tokens(case: &Case<'_>) -> Answer {
    let validity = find(case.resource, "AccessTokenValidity");
    let units = find(case.resource, "TokenValidityUnits.AccessToken");
    let minutes = match &units.state {
        State::Unknown(missing) => return units.spot.clone().unknown(missing.clone()),
        State::Known(node) => match node.text() {
            Some("seconds") => 1.0 / 60.0,
            Some("minutes") => 1.0,
            Some("days") => 1_440.0,
            Some("hours") => 60.0,
            _ => return units.spot.clone().unknown(cause(node)),
        },
        State::Absent => 60.0,
    };
    match &validity.state {
        State::Absent => validity.spot.holds("an access token lives for an hour by default"),
        State::Unknown(missing) => validity.spot.clone().unknown(missing.clone()),
        State::Known(node) => match node.text().and_then(|text| text.parse::<f64>().ok()) {
            Some(value) if value * minutes <= MOST_MINUTES => {
                validity.spot.clone().holds(format!("an access token lives for {} minutes", value * minutes))
            }
            Some(value) => validity.spot.clone().broken(format!(
                "an access token lives for {} minutes; at most {MOST_MINUTES} are wanted",
                value * minutes
            )),
            None => validity.spot.clone().unknown(cause(node)),
        },
    }
}
