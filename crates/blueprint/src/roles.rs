//! Roles of IAM: one for each role of the charter that does something on AWS, each with what the charter says and no
//! more, and a boundary over all that touch data.

use crate::keys::{ADMINISTER, DERIVE, ENCRYPT, SIGN};
use crate::site::{Role, Site, artefacts, capture, data_bucket, key_id, model_key, role_id, signs};
use crate::template::{Area, Resource, arn, policy, sub, to};
use facts::RoleId;
use serde_json::{Value, json};

/// What a job or an endpoint in a network of ours needs beside data and keys.
pub(crate) fn runtime_statements(site: &Site<'_>) -> Vec<Value> {
    vec![
        json!({
            "Sid": "PullImages",
            "Effect": "Allow",
            "Action": ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
            "Resource": sub(format!(
                "arn:${{AWS::Partition}}:ecr:${{AWS::Region}}:${{AWS::AccountId}}:repository/{}",
                site.org()
            )),
        }),
        json!({
            "#": "These three actions have no resources.",
            "Sid": "SignInToTheRegistryAndMeasure",
            "Effect": "Allow",
            "Action": ["cloudwatch:PutMetricData", "ecr:GetAuthorizationToken", "ec2:DescribeNetworkInterfaces"],
            "Resource": "*",
        }),
        json!({
            "Sid": "WriteLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": sub("arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/sagemaker/*"),
        }),
        json!({
            "Sid": "JoinTheNetwork",
            "Effect": "Allow",
            "Action": [
                "ec2:CreateNetworkInterface",
                "ec2:CreateNetworkInterfacePermission",
                "ec2:DeleteNetworkInterface",
                "ec2:DeleteNetworkInterfacePermission",
            ],
            "Resource": [
                sub("arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:network-interface/*"),
                sub("arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:security-group/${WorkloadGroup}"),
                sub("arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:subnet/${SubnetA}"),
                sub("arn:${AWS::Partition}:ec2:${AWS::Region}:${AWS::AccountId}:subnet/${SubnetB}"),
            ],
        }),
        json!({
            "Sid": "SeeTheNetwork",
            "Effect": "Allow",
            "Action": [
                "ec2:DescribeDhcpOptions",
                "ec2:DescribeSecurityGroups",
                "ec2:DescribeSubnets",
                "ec2:DescribeVpcs",
            ],
            "Resource": "*",
        }),
    ]
}

pub(crate) fn area(site: &Site<'_>) -> Area {
    let mut resources = vec![boundary(site)];
    for (id, role) in &site.roles {
        resources.extend(of_role(site, id, role));
    }
    Area {
        title: "Roles",
        why: "Each role of the charter is a role of IAM with the tag `role`, which policies see as \
              `aws:PrincipalTag/role`. Nobody may bring another value in a session: no trust policy allows \
              `sts:TagSession`. People come from the identity provider of the organisation, programs as tasks of ECS \
              or jobs of SageMaker.",
        resources,
    }
}

/// What no workload gets beyond, whatever policies are attached to it later.
fn boundary(site: &Site<'_>) -> Resource {
    let own_account = json!({"StringEquals": {"aws:ResourceAccount": to("AWS::AccountId")}});
    let allow = |sid: &str, actions: &[&str], resource: Value, condition: &Value| json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource, "Condition": condition});
    let objects = [
        "s3:AbortMultipartUpload",
        "s3:DeleteObject",
        "s3:DeleteObjectTagging",
        "s3:GetBucketLocation",
        "s3:GetObject",
        "s3:GetObjectRetention",
        "s3:GetObjectTagging",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:ListBucketVersions",
        "s3:PutObject",
        "s3:PutObjectRetention",
        "s3:PutObjectTagging",
    ];
    let mut keys: Vec<&str> =
        [&ENCRYPT[..], &DERIVE, &SIGN, &["kms:CreateGrant", "kms:ListKeyRotations"]].concat();
    keys.sort_unstable();
    keys.dedup();
    let runtime: Vec<Value> = runtime_statements(site);
    let signals = allow(
        "Signals",
        &[
            "events:PutEvents",
            "execute-api:Invoke",
            "sagemaker:InvokeEndpoint",
            "sagemaker:StartPipelineExecution",
            "sns:Publish",
        ],
        json!([
            sub("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"),
            sub("arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:*"),
            sub("arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:endpoint/*"),
            sub("arn:${AWS::Partition}:sagemaker:${AWS::Region}:${AWS::AccountId}:pipeline/*"),
            sub("arn:${AWS::Partition}:sns:${AWS::Region}:${AWS::AccountId}:*"),
        ]),
        &own_account,
    );
    let statements = vec![
        allow("ObjectsOfThisAccount", &objects, json!([sub("arn:${AWS::Partition}:s3:::*")]), &own_account),
        allow(
            "KeysOfThisAccount",
            &keys,
            json!([sub("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*")]),
            &own_account,
        ),
        signals,
    ];
    let properties = json!({
        "Description": "the most that a program which touches data of the house can be allowed",
        "PolicyDocument": policy(statements.into_iter().chain(runtime).collect()),
    });
    Resource::new("WorkloadBoundary", "AWS::IAM::ManagedPolicy", properties).why(format!(
        "The most that a workload of {} can be allowed: objects and keys of this account, nothing of IAM.",
        site.charter.organisation.name
    ))
}

fn of_role(site: &Site<'_>, id: &RoleId, role: &Role<'_>) -> Vec<Resource> {
    let name = role_id(id);
    let mut properties = json!({
        "AssumeRolePolicyDocument": policy(vec![trust(role)]),
        "Description": format!("{id} of {}", site.charter.organisation.name),
        "MaxSessionDuration": 3600,
    });
    // Administrators of keys touch no data, and what they do is beyond the boundary.
    if role.administers.is_empty() {
        properties["PermissionsBoundary"] = to("WorkloadBoundary");
    }
    properties["Tags"] = site.tags_and("role", id.as_str());
    let mut all = vec![Resource::new(&name, "AWS::IAM::Role", properties).why(format!("{}.", what(role)))];
    let statements = statements(site, id, role);
    if !statements.is_empty() {
        let properties = json!({
            "PolicyName": id.as_str(),
            "Roles": [to(&name)],
            "PolicyDocument": policy(statements),
        });
        all.push(Resource::new(format!("{name}Policy"), "AWS::IAM::Policy", properties));
    }
    all
}

fn what(role: &Role<'_>) -> String {
    fn names(what: &str, names: impl Iterator<Item = String>) -> Option<String> {
        let names: Vec<String> = names.collect();
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    }
    let parts = [
        names("administers", role.administers.iter().map(|key| key.id.to_string())),
        names("uses", role.uses.iter().map(|key| key.id.to_string())),
        names("reads", role.reads.iter().map(|dataset| dataset.id.to_string())),
        names("writes", role.writes.iter().map(|dataset| dataset.id.to_string())),
        names("trains", role.trains.iter().map(|model| model.name.to_string())),
        names("asks", role.consumes.iter().map(|model| model.name.to_string())),
        role.audits.then(|| "reads records".to_owned()),
    ];
    let said = parts.into_iter().flatten().collect::<Vec<_>>().join("; ");
    let mut letters = said.chars();
    letters.next().map(|first| first.to_ascii_uppercase().to_string() + letters.as_str()).unwrap_or_default()
}

fn trust(role: &Role<'_>) -> Value {
    let by_service = |service: &str| {
        json!({
            "Effect": "Allow",
            "Principal": {"Service": service},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"aws:SourceAccount": to("AWS::AccountId")}},
        })
    };
    match role {
        _ if role.held_by_people => json!({
            "Effect": "Allow",
            "Principal": {"Federated":
                sub("arn:${AWS::Partition}:iam::${AWS::AccountId}:saml-provider/${IdentityProvider}")},
            "Action": "sts:AssumeRoleWithSAML",
            "Condition": {"StringEquals": {"SAML:aud": "https://signin.aws.amazon.com/saml"}},
        }),
        _ if !role.trains.is_empty() => by_service("sagemaker.amazonaws.com"),
        _ => by_service("ecs-tasks.amazonaws.com"),
    }
}

fn statements(site: &Site<'_>, id: &RoleId, role: &Role<'_>) -> Vec<Value> {
    let mut all = data(id, role);
    all.extend(keys(site, id, role));
    all.extend(models(site, id));
    if role.works() || role.audits {
        all.push(allow(
            "HouseObjects",
            &["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
            vec![sub("${HouseObjects.Arn}/*")],
        ));
    }
    let archives = role.works() && !role.held_by_people && role.trains.is_empty();
    if archives {
        let actions = ["s3:GetObject", "s3:PutObject", "s3:PutObjectRetention"];
        all.push(allow("ArchiveTheLedger", &actions, vec![sub("${Evidence.Arn}/*")]));
        all.extend(signals(site));
    }
    if role.audits {
        let buckets = ["Records", "Evidence"];
        let objects: Vec<Value> = buckets.iter().map(|id| sub(format!("${{{id}.Arn}}/*"))).collect();
        all.push(allow(
            "ReadRecords",
            &["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectRetention"],
            objects,
        ));
        all.push(allow("OpenRecords", &["kms:Decrypt", "kms:DescribeKey"], vec![arn("RecordsKey")]));
    }
    let listed = listed(site, id, role);
    if !listed.is_empty() {
        all.push(allow("ListObjects", &["s3:ListBucket", "s3:ListBucketVersions"], listed));
    }
    if !role.trains.is_empty() {
        all.extend(runtime_statements(site));
    }
    if !role.consumes.is_empty() && !site.by_cognito() {
        let paths = role.consumes.iter().map(|model| crate::api::path_arn(model)).collect();
        all.push(allow("AskModels", &["execute-api:Invoke"], paths));
    }
    all
}

fn allow(sid: &str, actions: &[&str], resources: Vec<Value>) -> Value {
    let mut statement = json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": null});
    statement["Resource"] = Value::Array(resources);
    statement
}

/// Data sets: only with the tag of the role, so that a policy that is attached elsewhere gives nothing.
fn data(id: &RoleId, role: &Role<'_>) -> Vec<Value> {
    let tagged = json!({"StringEquals": {"aws:PrincipalTag/role": id}});
    let objects = |datasets: &[&charter::model::Dataset]| -> Vec<Value> {
        datasets.iter().map(|one| sub(format!("${{{}.Arn}}/*", data_bucket(one)))).collect()
    };
    let mut all = Vec::new();
    if !role.reads.is_empty() {
        let mut read = allow("ReadData", &["s3:GetObject", "s3:GetObjectVersion"], objects(&role.reads));
        read["Condition"] = tagged.clone();
        all.push(read);
    }
    if !role.writes.is_empty() {
        let mut write =
            allow("WriteData", &["s3:PutObject", "s3:AbortMultipartUpload"], objects(&role.writes));
        write["Condition"] = tagged;
        all.push(write);
    }
    all
}

fn keys(site: &Site<'_>, id: &RoleId, role: &Role<'_>) -> Vec<Value> {
    let mut all = Vec::new();
    let (signing, encrypting): (Vec<_>, Vec<_>) = role.uses.iter().copied().partition(|key| signs(key));
    let mut opened: Vec<Value> = encrypting.iter().map(|key| arn(&key_id(key))).collect();
    let made = site.charter.models.iter().filter(|model| site.makers(model).contains(id));
    opened.extend(made.map(|model| arn(&model_key(model))));
    if role.works() || role.audits {
        opened.push(arn("HouseKey"));
    }
    if !opened.is_empty() {
        all.push(allow("UseKeys", &ENCRYPT, opened));
    }
    if !encrypting.is_empty() {
        let derivation = encrypting.iter().map(|key| arn(&format!("{}Derivation", key_id(key)))).collect();
        all.push(allow("DerivePseudonyms", &DERIVE, derivation));
    }
    if !signing.is_empty() {
        all.push(allow("Sign", &SIGN, signing.iter().map(|key| arn(&key_id(key))).collect()));
    }
    if !role.administers.is_empty() {
        let keys = sub("arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:key/*");
        let aliases = sub(format!(
            "arn:${{AWS::Partition}}:kms:${{AWS::Region}}:${{AWS::AccountId}}:alias/{}/*",
            site.org()
        ));
        let mut administer = allow("AdministerKeys", &ADMINISTER, vec![keys]);
        administer["Condition"] =
            json!({"StringEquals": {"aws:ResourceTag/wardmote": format!("{}/", site.org())}});
        all.push(administer);
        let naming = ["kms:CreateAlias", "kms:DeleteAlias", "kms:UpdateAlias"];
        all.push(allow("NameKeys", &naming, vec![aliases]));
        all.push(allow("SeeKeys", &["kms:ListAliases", "kms:ListKeys"], vec![json!("*")]));
    }
    all
}

/// What is made of models: whoever makes them writes artefacts and reads what was captured.
fn models(site: &Site<'_>, id: &RoleId) -> Vec<Value> {
    let made: Vec<_> = site.charter.models.iter().filter(|model| site.makers(model).contains(id)).collect();
    if made.is_empty() {
        return Vec::new();
    }
    let objects = |bucket: fn(&charter::model::Model) -> String| -> Vec<Value> {
        made.iter().map(|model| sub(format!("${{{}.Arn}}/*", bucket(model)))).collect()
    };
    let mut all = vec![allow("KeepArtefacts", &["s3:GetObject", "s3:PutObject"], objects(artefacts))];
    if site.roles.get(id).is_some_and(|role| role.trains.is_empty()) {
        let mark = ["s3:DeleteObjectTagging", "s3:GetObjectTagging", "s3:PutObjectTagging"];
        all.push(allow("MarkQuarantine", &mark, objects(artefacts)));
        all.push(allow("ReadCapture", &["s3:GetObject"], objects(capture)));
    }
    all
}

/// The buckets whose names of objects a role may see.
fn listed(site: &Site<'_>, id: &RoleId, role: &Role<'_>) -> Vec<Value> {
    let data = role.reads.iter().chain(&role.writes).map(|dataset| data_bucket(dataset));
    let mut all: Vec<String> = data.collect();
    for model in site.charter.models.iter().filter(|model| site.makers(model).contains(id)) {
        all.push(artefacts(model));
        if role.trains.is_empty() {
            all.push(capture(model));
        }
    }
    if role.works() || role.audits {
        all.push("HouseObjects".to_owned());
    }
    if role.audits {
        all.extend(["Evidence".to_owned(), "Records".to_owned()]);
    }
    all.sort();
    all.dedup();
    all.iter().map(|id| arn(id)).collect()
}

/// What the monitor of the house tells.
fn signals(site: &Site<'_>) -> Vec<Value> {
    let pipelines = format!(
        "arn:${{AWS::Partition}}:sagemaker:${{AWS::Region}}:${{AWS::AccountId}}:pipeline/{}-*",
        site.org()
    );
    let mut measure = allow("Measure", &["cloudwatch:PutMetricData"], vec![json!("*")]);
    measure["Condition"] = json!({"StringEquals": {"cloudwatch:namespace": namespace(site)}});
    vec![
        measure,
        allow(
            "Alert",
            &["events:PutEvents", "sns:Publish"],
            vec![
                to("Alerts"),
                sub("arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"),
            ],
        ),
        allow("Retrain", &["sagemaker:StartPipelineExecution"], vec![sub(pipelines)]),
    ]
}

/// The namespace of the house's metrics.
pub(crate) fn namespace(site: &Site<'_>) -> String {
    format!("Wardmote/{}", site.org())
}
