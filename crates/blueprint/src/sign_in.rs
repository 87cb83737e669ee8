//! Where callers of the API sign in with Cognito: a pool of users whom somebody invites, with a second factor.

use crate::site::Site;
use crate::template::{Resource, arn, to};
use serde_json::json;

pub(crate) fn resources(site: &Site<'_>) -> Vec<Resource> {
    if !site.by_cognito() {
        return Vec::new();
    }
    let users = json!({
        "UserPoolName": format!("{}-models", site.org()),
        "UserPoolTier": "PLUS",
        "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": true},
        "DeletionProtection": "ACTIVE",
        "EnabledMfas": ["SOFTWARE_TOKEN_MFA"],
        "MfaConfiguration": "ON",
        "Policies": {"PasswordPolicy": {
            "MinimumLength": 14,
            "RequireLowercase": true,
            "RequireNumbers": true,
            "RequireSymbols": true,
            "RequireUppercase": true,
            "TemporaryPasswordValidityDays": 3,
        }},
        "UserPoolAddOns": {"AdvancedSecurityMode": "ENFORCED"},
        "UserPoolTags": site.tag_map(),
    });
    let client = json!({
        "UserPoolId": to("Users"),
        "ClientName": format!("{}-models", site.org()),
        "AccessTokenValidity": 60,
        "IdTokenValidity": 60,
        "RefreshTokenValidity": 1,
        "TokenValidityUnits": {"AccessToken": "minutes", "IdToken": "minutes", "RefreshToken": "days"},
        "EnableTokenRevocation": true,
        "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"],
        "GenerateSecret": false,
        "PreventUserExistenceErrors": "ENABLED",
    });
    let authoriser = json!({
        "RestApiId": to("Api"),
        "Name": "cognito",
        "Type": "COGNITO_USER_POOLS",
        "IdentitySource": "method.request.header.Authorization",
        "ProviderARNs": [arn("Users")],
    });
    vec![
        Resource::new("Users", "AWS::Cognito::UserPool", users)
            .why("Nobody signs himself up; everybody has a second factor.")
            .stays(),
        Resource::new("UsersClient", "AWS::Cognito::UserPoolClient", client),
        Resource::new("Authoriser", "AWS::ApiGateway::Authorizer", authoriser),
    ]
}
