//! What an operation of a service is, as data: declared once, read by the client, by retries and by permissions.

/// How a service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// AWS JSON 1.0 or 1.1: everything is a POST, the operation is in a header after `target`.
    Json {
        /// `1.0` or `1.1`.
        version: &'static str,
        /// The beginning of `X-Amz-Target`.
        target: &'static str,
    },
    /// Form parameters in, XML out.
    Query {
        /// The version of the API, a date.
        version: &'static str,
    },
    /// Paths and methods, JSON bodies.
    RestJson,
    /// Paths and methods, XML bodies.
    RestXml,
}

/// A service.
#[derive(Debug, PartialEq, Eq)]
pub struct Service {
    /// As in `AWS_ENDPOINT_URL_<ID>`, in capitals: `KMS`.
    pub id: &'static str,
    /// The first label of its host and the name in signatures: `kms`.
    pub name: &'static str,
    /// How it speaks.
    pub protocol: Protocol,
}

/// Whether a call that may have been carried out can be made again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// Carried out twice is the same as once.
    Safe,
    /// Carried out twice would be two things; only what surely did not happen is tried again.
    Unsafe,
}

/// What a permission is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum On {
    /// The bucket itself.
    Bucket,
    /// The objects under the adapter's prefix.
    Objects,
    /// The key that encrypts the bucket's objects.
    BucketKey,
    /// The adapter's keys, by the aliases under its prefix.
    KeysByAlias,
    /// The adapter's keys, by the tag that it gives them when it makes them.
    KeysByTag,
    /// A key that is being made, with the adapter's tag.
    NewKeys,
    /// The adapter's aliases.
    Aliases,
    /// The metrics of a namespace.
    Namespace,
    /// The alarms that are ours by name.
    Alarms,
    /// The group of logs.
    LogGroup,
    /// The topic of alerts.
    Topic,
    /// The event bus of alerts.
    Bus,
    /// The retraining pipeline.
    Pipeline,
    /// Model package groups.
    PackageGroups,
    /// The packages in them.
    Packages,
    /// A stack.
    Stack,
    /// An endpoint, or a service, at which a model serves.
    Endpoint,
    /// What it serves: models and configurations, or task definitions.
    Releases,
    /// The role that it takes.
    ServingRole,
    /// The key that encrypts what is its own.
    ServingKey,
    /// The cluster that it is in.
    Cluster,
    /// Everything in the account.
    Account,
}

/// An IAM action that a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Permission {
    /// `kms:Decrypt`.
    pub action: &'static str,
    /// What it is about.
    pub on: On,
}

/// One operation of a service.
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    /// Whose.
    pub service: &'static Service,
    /// Its name in the service's API: `Decrypt`.
    pub name: &'static str,
    /// Whether it may be tried again.
    pub retry: Retry,
    /// What the caller must be allowed.
    pub needs: &'static [Permission],
}

/// An operation, and where it is.
pub(crate) struct Call {
    pub(crate) operation: Operation,
    /// Of a service with paths: `GET /apis/{apiId}/stages`. Members of the question that stand in braces go into the path,
    /// and those that stand alone after the `?` into the query; the others into the query of a GET, or else into the body.
    /// Empty if the service has no paths.
    pub(crate) at: &'static str,
}

/// A call that only reads, of something in the account.
macro_rules! call {
    ($service:path, $name:literal, $action:literal, $at:literal) => {
        &$crate::operation::Call {
            operation: $crate::operation::Operation {
                service: &$service,
                name: $name,
                retry: $crate::operation::Retry::Safe,
                needs: &[$crate::operation::Permission {
                    action: $action,
                    on: $crate::operation::On::Account,
                }],
            },
            at: $at,
        }
    };
    ($service:path, $name:literal, $action:literal) => {
        $crate::operation::call!($service, $name, $action, "")
    };
}
pub(crate) use call;

/// AWS Key Management Service.
pub(crate) const KMS: Service =
    Service { id: "KMS", name: "kms", protocol: Protocol::Json { version: "1.1", target: "TrentService" } };

/// AWS CloudFormation.
pub(crate) const CLOUDFORMATION: Service = Service {
    id: "CLOUDFORMATION",
    name: "cloudformation",
    protocol: Protocol::Query { version: "2010-05-15" },
};

/// AWS CloudTrail.
pub(crate) const CLOUDTRAIL: Service = Service {
    id: "CLOUDTRAIL",
    name: "cloudtrail",
    protocol: Protocol::Json {
        version: "1.1",
        target: "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101",
    },
};

/// AWS Step Functions.
pub(crate) const STEP_FUNCTIONS: Service = Service {
    id: "SFN",
    name: "states",
    protocol: Protocol::Json { version: "1.0", target: "AWSStepFunctions" },
};

/// Amazon CloudWatch. Permissions call it `cloudwatch`, hosts and signatures `monitoring`.
pub(crate) const CLOUDWATCH: Service =
    Service { id: "CLOUDWATCH", name: "monitoring", protocol: Protocol::Query { version: "2010-08-01" } };

/// Amazon EventBridge.
pub(crate) const EVENTBRIDGE: Service = Service {
    id: "EVENTBRIDGE",
    name: "events",
    protocol: Protocol::Json { version: "1.1", target: "AWSEvents" },
};

/// Amazon SageMaker, as that which makes and keeps things; its hosts begin otherwise (see `endpoint`).
pub(crate) const SAGEMAKER: Service = Service {
    id: "SAGEMAKER",
    name: "sagemaker",
    protocol: Protocol::Json { version: "1.1", target: "SageMaker" },
};

/// Amazon Simple Notification Service.
pub(crate) const SNS: Service =
    Service { id: "SNS", name: "sns", protocol: Protocol::Query { version: "2010-03-31" } };

/// AWS Identity and Access Management; one for all regions of a partition.
pub(crate) const IAM: Service =
    Service { id: "IAM", name: "iam", protocol: Protocol::Query { version: "2010-05-08" } };

/// AWS Organizations; one for all regions of a partition.
pub(crate) const ORGANIZATIONS: Service = Service {
    id: "ORGANIZATIONS",
    name: "organizations",
    protocol: Protocol::Json { version: "1.1", target: "AWSOrganizationsV20161128" },
};

/// Amazon Simple Storage Service.
pub(crate) const S3: Service = Service { id: "S3", name: "s3", protocol: Protocol::RestXml };

/// AWS Security Token Service.
pub(crate) const STS: Service =
    Service { id: "STS", name: "sts", protocol: Protocol::Query { version: "2011-06-15" } };

/// Amazon Elastic Container Service.
pub(crate) const ECS: Service = Service {
    id: "ECS",
    name: "ecs",
    protocol: Protocol::Json { version: "1.1", target: "AmazonEC2ContainerServiceV20141113" },
};

/// Amazon Elastic Kubernetes Service.
pub(crate) const EKS: Service = Service { id: "EKS", name: "eks", protocol: Protocol::RestJson };
