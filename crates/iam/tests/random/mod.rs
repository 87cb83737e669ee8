//! Random policies and requests from small vocabularies, so that they meet.

pub(crate) mod conditions;
mod dice;
pub(crate) mod requests;

pub(crate) use dice::Dice;
use serde_json::{Map, Value, json};

impl Dice {
    /// True once in `n` times.
    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    /// One word, or a short list of them.
    pub(crate) fn some(&mut self, words: &[&str]) -> Value {
        if self.one_in(3) {
            let many = if self.one_in(20) { 0 } else { 1 + self.below(3) };
            (0..many).map(|_| Value::from(self.pick(words))).collect()
        } else {
            self.pick(words).into()
        }
    }
}

/// What a set of cases is about.
pub(crate) struct Theme {
    pub(crate) actions: &'static [&'static str],
    pub(crate) patterns: &'static [&'static str],
    pub(crate) resources: &'static [&'static str],
    pub(crate) resource_patterns: &'static [&'static str],
}

pub(crate) const THEMES: [Theme; 5] = [
    Theme {
        actions: &["s3:GetObject", "s3:PutObject", "s3:ListBucket", "S3:getobject"],
        patterns: &[
            "*",
            "s3:*",
            "s3:Get*",
            "s3:GetObject",
            "S3:GETOBJECT",
            "s3:?utObject",
            "s*:*Object",
            "sqs:*",
        ],
        resources: &[
            "arn:aws:s3:::b",
            "arn:aws:s3:::b/k",
            "arn:aws:s3:::b/a/k",
            "arn:aws:s3:::b/*",
            "arn:aws:s3:::b/a:b",
            "arn:aws:s3:::B/k",
            "arn:aws:s3:::bob/k",
        ],
        resource_patterns: &[
            "*",
            "arn:aws:s3:::b",
            "arn:aws:s3:::b/*",
            "arn:aws:s3:::b*",
            "arn:aws:s3:::*/k",
            "arn:aws:s3:::b/?",
            "arn:*:s3:::b/k",
            "arn:aws:*:::b/k",
            "arn:aws:s3:*:*:b/k",
            "arn:aws:s3:::${aws:username}/k",
            "arn:aws:s3:::b/${aws:PrincipalTag/t}",
            "arn:aws:s3:::b/${aws:PrincipalTag/t}/k",
            "arn:aws:s3:::b/${aws:none, 'k'}",
            "arn:aws:s3:::b/${aws:none}",
            "arn:aws:s3:::b/${*}",
            "arn:aws:s3:::b/${AWS:PrincipalTag/T, 'a:b'}",
            "arn:aws:s3:${aws:username}::b/k",
            "arn:aws:s3:::b/*:*",
            "arn:aws:s3:*",
            "arn:aws:s3",
            "arn:aws:s3:::b/${aws:TagKeys}",
            "arn:aws:s?:::b/k",
            "arn:aws:s3:::",
        ],
    },
    Theme {
        actions: &["kms:Decrypt", "kms:Encrypt", "kms:DescribeKey", "kms:RetireGrant", "kms:CreateGrant"],
        patterns: &["*", "kms:*", "kms:Decrypt", "kms:?ecrypt", "kms:Describe*", "k*:*t"],
        resources: &[
            "arn:aws:kms:eu-west-1:111111111111:key/1",
            "arn:aws:kms:eu-west-1:222222222222:key/1",
            "arn:aws:kms:eu-west-1:111111111111:alias/a",
        ],
        resource_patterns: &[
            "*",
            "arn:aws:kms:*:*:key/*",
            "arn:aws:kms:eu-west-1:111111111111:key/1",
            "arn:aws:kms:*:1111*:*",
            "arn:aws:kms:eu-west-1:222222222222:key/?",
            "arn:aws:kms:*:*:alias/*",
            "arn:aws:kms:*:*:key/${aws:PrincipalTag/t}",
            "arn:aws:kms:*",
        ],
    },
    Theme {
        actions: &[
            "sts:AssumeRole",
            "sts:TagSession",
            "sts:GetCallerIdentity",
            "sts:AssumeRoleWithWebIdentity",
        ],
        patterns: &["*", "sts:*", "sts:Assume*", "sts:AssumeRole", "sts:?agSession"],
        resources: &["arn:aws:iam::111111111111:role/App", "arn:aws:iam::222222222222:role/path/App"],
        resource_patterns: &[
            "*",
            "arn:aws:iam::*:role/*",
            "arn:aws:iam::111111111111:role/App",
            "arn:aws:iam::*:role/path/App",
            "arn:aws:iam::111111111111:role/${aws:PrincipalTag/t}",
        ],
    },
    Theme {
        actions: &["sqs:SendMessage", "sqs:ReceiveMessage"],
        patterns: &["*", "sqs:*", "sqs:SendMessage", "sqs:*Message", "s3:*"],
        resources: &["arn:aws:sqs:eu-west-1:111111111111:q", "arn:aws:sqs:eu-west-1:222222222222:q", "*"],
        resource_patterns: &[
            "*",
            "arn:aws:sqs:*:*:q",
            "arn:aws:sqs:eu-west-1:111111111111:q",
            "arn:aws:sqs:*:${aws:none}:q",
            "arn:aws:sqs:eu-*:222222222222:*",
            "arn:aws:sqs:*",
            "arn:aws:sqs",
            "arn:aws:sqs:eu-west-1",
        ],
    },
    Theme {
        actions: &["iam:GetRole", "iam:PassRole", "iam:ListRoles"],
        patterns: &["*", "iam:*", "iam:GetRole", "iam:*Role*"],
        resources: &["arn:aws:iam::111111111111:role/App", "arn:aws:iam::222222222222:role/App", "*"],
        resource_patterns: &[
            "*",
            "arn:aws:iam::*:role/*",
            "arn:aws:iam::111111111111:role/A?p",
            "arn:aws:iam::*:*",
            "arn:aws:iam::*:role/${aws:PrincipalTag/t, 'App'}",
        ],
    },
];

const AWS: [&str; 14] = [
    "*",
    "111111111111",
    "222222222222",
    "arn:aws:iam::111111111111:root",
    "arn:aws:iam::222222222222:root",
    "arn:aws:iam::111111111111:user/bob",
    "arn:aws:iam::111111111111:user/div/bob",
    "arn:aws:iam::222222222222:user/eve",
    "arn:aws:iam::111111111111:role/App",
    "arn:aws:iam::111111111111:role/path/app",
    "arn:aws:iam::222222222222:role/App",
    "arn:aws:sts::111111111111:assumed-role/App/s1",
    "arn:aws:sts::111111111111:federated-user/bob",
    "AROAEXAMPLEEXAMPLE123",
];

fn principal(dice: &mut Dice) -> Value {
    if dice.one_in(4) {
        return "*".into();
    }
    let mut kinds = Map::new();
    if !dice.one_in(6) {
        kinds.insert("AWS".to_owned(), dice.some(&AWS));
    }
    if dice.one_in(4) {
        kinds.insert("Service".to_owned(), dice.some(&["lambda.amazonaws.com", "ec2.amazonaws.com"]));
    }
    if dice.one_in(8) {
        kinds.insert("CanonicalUser".to_owned(), dice.some(&["cafe01", "cafe02"]));
    }
    if dice.one_in(8) {
        kinds.insert("Federated".to_owned(), dice.some(&["cognito-identity.amazon.com", "cafe01"]));
    }
    Value::Object(kinds)
}

/// Which elements about principals a statement gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Names {
    Never,
    Mostly,
    Sometimes,
}

fn statement(dice: &mut Dice, theme: &Theme, names: Names, allows: usize) -> Value {
    let mut statement = Map::new();
    let mut put = |key: &str, value: Value| statement.insert(key.to_owned(), value);
    let allow = dice.below(10) < allows;
    put("Effect", if allow { "Allow" } else { "Deny" }.into());
    put(if dice.one_in(8) { "NotAction" } else { "Action" }, dice.some(theme.patterns));
    match dice.below(30) {
        0 => None,
        1..4 => put("NotResource", dice.some(theme.resource_patterns)),
        4..12 => put("Resource", "*".into()),
        _ => put("Resource", dice.some(theme.resource_patterns)),
    };
    let named = match names {
        Names::Never => dice.one_in(40),
        Names::Mostly => !dice.one_in(20),
        Names::Sometimes => dice.one_in(2),
    };
    if named {
        let not = dice.one_in(if allow { 30 } else { 3 }) && names != Names::Never;
        put(if not { "NotPrincipal" } else { "Principal" }, principal(dice));
    }
    if dice.one_in(2) {
        put("Condition", conditions::condition(dice));
    }
    Value::Object(statement)
}

/// A policy; of ten statements `allows` allow.
pub(crate) fn policy(dice: &mut Dice, theme: &Theme, names: Names, allows: usize) -> Value {
    if dice.one_in(25) {
        return statement(dice, theme, names, allows);
    }
    let many = 1 + dice.below(3);
    let mut policy = Map::new();
    if !dice.one_in(12) {
        let version = if dice.one_in(12) { "2008-10-17" } else { "2012-10-17" };
        policy.insert("Version".to_owned(), version.into());
    }
    let statements: Vec<Value> = (0..many).map(|_| statement(dice, theme, names, allows)).collect();
    let single = statements.len() == 1 && dice.one_in(2);
    let statements =
        if single { statements.into_iter().next().unwrap_or_default() } else { statements.into() };
    policy.insert("Statement".to_owned(), statements);
    Value::Object(policy)
}

fn everything() -> Value {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
}

fn policies(dice: &mut Dice, theme: &Theme, names: Names, most: usize) -> Value {
    let many = 1 + dice.below(most);
    (0..many).map(|_| if dice.one_in(3) { everything() } else { policy(dice, theme, names, 7) }).collect()
}

fn organization(dice: &mut Dice, theme: &Theme, names: Names) -> Value {
    let level = |dice: &mut Dice| {
        let policies = match dice.below(12) {
            0 => json!([]),
            1..7 => json!([everything(), policy(dice, theme, names, 2)]),
            _ => json!([everything()]),
        };
        json!({"orgIdentifier": "o", "policies": policies})
    };
    let many = 1 + dice.below(3);
    (0..many).map(|_| level(dice)).collect()
}

/// The policies of a case.
pub(crate) fn layers(dice: &mut Dice, theme: &Theme) -> Value {
    let mut all = Map::new();
    let mut put = |key: &str, value: Value| all.insert(key.to_owned(), value);
    if !dice.one_in(4) {
        put("identity", policies(dice, theme, Names::Never, 2));
    }
    if !dice.one_in(3) {
        put("resource", policy(dice, theme, Names::Mostly, 7));
    }
    if dice.one_in(4) {
        put("boundaries", policies(dice, theme, Names::Never, 1));
    }
    if dice.one_in(4) {
        put("session", if dice.one_in(3) { everything() } else { policy(dice, theme, Names::Never, 8) });
    }
    if dice.one_in(5) {
        put("endpoint", policies(dice, theme, Names::Sometimes, 1));
    }
    if dice.one_in(4) {
        put("scp", organization(dice, theme, Names::Never));
    }
    if dice.one_in(5) {
        put("rcp", organization(dice, theme, Names::Mostly));
    }
    if dice.one_in(3) && theme.actions.iter().any(|action| action.starts_with("kms:")) {
        put("grants", requests::grants(dice));
    }
    if dice.one_in(3) && theme.actions.iter().any(|action| action.starts_with("s3:")) {
        put("s3", requests::s3(dice));
    }
    Value::Object(all)
}
