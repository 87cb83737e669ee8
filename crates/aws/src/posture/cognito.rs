//! Who signs in: Amazon Cognito. Properties: AWS::Cognito::* of the CloudFormation reference; calls: API references of Amazon
//! Cognito user pools and identity pools. Secrets of clients are not kept.

use super::items::{Draft, Told, item, learn};
use super::reader::Reader;
use super::types::{Tags, Type, always, describe, inside, is, no_more};
use crate::operation::{Call, NEXT_TOKEN, Protocol, Service, call};
use facts::inventory::Item;
use serde_json::{Value, json};

/// Amazon Cognito user pools.
const USERS: Service = Service {
    id: "COGNITO_IDENTITY_PROVIDER",
    name: "cognito-idp",
    protocol: Protocol::Json { version: "1.1", target: "AWSCognitoIdentityProviderService" },
};
/// Amazon Cognito identity pools.
const IDENTITIES: Service = Service {
    id: "COGNITO_IDENTITY",
    name: "cognito-identity",
    protocol: Protocol::Json { version: "1.1", target: "AWSCognitoIdentityService" },
};

const MFA: &Call = call!(USERS, "GetUserPoolMfaConfig", "cognito-idp:GetUserPoolMfaConfig");
const CLIENTS: &Call =
    call!(USERS, "ListUserPoolClients", "cognito-idp:ListUserPoolClients", NEXT_TOKEN.of("UserPoolClients"));
const CLIENT: &Call = call!(USERS, "DescribeUserPoolClient", "cognito-idp:DescribeUserPoolClient");

pub(super) const CALLS: [&Call; 3] = [MFA, CLIENTS, CLIENT];

const CLIENT_KIND: &str = "AWS::Cognito::UserPoolClient";

pub(super) static TYPES: [Type; 2] = [
    Type {
        kind: "AWS::Cognito::UserPool",
        children: &[CLIENT_KIND],
        list: call!(USERS, "ListUserPools", "cognito-idp:ListUserPools", NEXT_TOKEN.of("UserPools")),
        with: || json!({"MaxResults": 60}),
        id: "Id",
        read: call!(USERS, "DescribeUserPool", "cognito-idp:DescribeUserPool"),
        asked: "UserPoolId",
        inside: "UserPool",
        arn: "Arn",
        members: &[
            always("Name", "UserPoolName"),
            always("Policies", "Policies"),
            is("DeletionProtection", "DeletionProtection"),
            is("AdminCreateUserConfig", "AdminCreateUserConfig"),
            is("UserPoolAddOns", "UserPoolAddOns"),
            is("UserPoolTier", "UserPoolTier"),
        ],
        tags: Tags::Inside("UserPoolTags"),
        more: factors_and_clients,
    },
    Type {
        kind: "AWS::Cognito::IdentityPool",
        children: &[],
        list: call!(
            IDENTITIES,
            "ListIdentityPools",
            "cognito-identity:ListIdentityPools",
            NEXT_TOKEN.of("IdentityPools")
        ),
        with: || json!({"MaxResults": 60}),
        id: "IdentityPoolId",
        read: call!(IDENTITIES, "DescribeIdentityPool", "cognito-identity:DescribeIdentityPool"),
        asked: "IdentityPoolId",
        inside: "",
        arn: "",
        members: &[
            always("IdentityPoolName", "IdentityPoolName"),
            always("AllowUnauthenticatedIdentities", "AllowUnauthenticatedIdentities"),
            is("AllowClassicFlow", "AllowClassicFlow"),
            is("CognitoIdentityProviders", "CognitoIdentityProviders"),
        ],
        tags: Tags::Inside("IdentityPoolTags"),
        more: no_more,
    },
];

/// The second factors of a pool, and its clients.
fn factors_and_clients(reader: &Reader<'_>, _: &Value, pool: &mut Item, draft: &mut Draft) {
    let input = json!({"UserPoolId": pool.id});
    let told = reader.ask(MFA, &input);
    describe(pool, &MFA.operation, told.as_ref(), &[always("MfaConfiguration", "MfaConfiguration")]);
    let factors = told.map(|told| {
        let on = |member: &str| told.get(member).is_some_and(|factor| factor["Enabled"] != false);
        let all = [
            ("SmsMfaConfiguration", "SMS_MFA"),
            ("SoftwareTokenMfaConfiguration", "SOFTWARE_TOKEN_MFA"),
            ("EmailMfaConfiguration", "EMAIL_OTP"),
        ];
        all.into_iter().filter(|(member, _)| on(member)).map(|(_, name)| Value::from(name)).collect()
    });
    learn(pool, "EnabledMfas", &MFA.operation, Told::by(factors, &[]));
    let question = json!({"UserPoolId": pool.id, "MaxResults": 60});
    let listed = match reader.all(CLIENTS, &question) {
        Ok(listed) => listed,
        Err(error) => return draft.unread(CLIENT_KIND, &CLIENTS.operation, &error),
    };
    for id in listed.iter().filter_map(|one| one["ClientId"].as_str()) {
        let mut one = item(CLIENT_KIND, &format!("{}|{id}", pool.id));
        let told = reader.ask(CLIENT, &json!({"UserPoolId": pool.id, "ClientId": id}));
        let told = told.map(|told| inside(told, "UserPoolClient"));
        let members = [
            always("ClientName", "ClientName"),
            always("UserPoolId", "UserPoolId"),
            // A client without it is of the time before there was revocation, or was never asked.
            always("EnableTokenRevocation", "EnableTokenRevocation"),
            is("PreventUserExistenceErrors", "PreventUserExistenceErrors"),
            is("AccessTokenValidity", "AccessTokenValidity"),
            is("TokenValidityUnits", "TokenValidityUnits"),
            is("ExplicitAuthFlows", "ExplicitAuthFlows"),
        ];
        describe(&mut one, &CLIENT.operation, told.as_ref(), &members);
        draft.items.push(one);
    }
}
