//! What an operation of a service is, as data: declared once, read by the client, by retries, by pages and by permissions.

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

/// How a service goes on with a list that does not fit into one answer. Sources: the API reference of each service, at
/// `NextToken`, `Marker`, `position` or `continuation-token` of the operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paginator {
    /// By which name the mark goes into the next question: `NextToken`.
    pub token: &'static str,
    /// The member of the answer with the mark, which is not there or empty on the last page.
    pub mark: &'static str,
    /// The member of the answer with the items: `Keys`, `MetricAlarms/member`; empty if a page is read as a whole.
    pub items: &'static str,
    /// The member of the answer that says whether more follows; empty if the mark alone says it.
    pub more: &'static str,
}

impl Paginator {
    /// The same mark both ways.
    const fn by(token: &'static str) -> Self {
        Self { token, mark: token, items: "", more: "" }
    }

    /// The same, with the member that has the items.
    pub(crate) const fn of(self, items: &'static str) -> Self {
        Self { items, ..self }
    }
}

/// Of most services.
pub(crate) const NEXT_TOKEN: Paginator = Paginator::by("NextToken");
/// Of services that write their members with a small letter.
pub(crate) const SMALL_TOKEN: Paginator = Paginator::by("nextToken");
/// Of EC2, which asks in one way and tells in another.
pub(crate) const EC2_TOKEN: Paginator = Paginator { mark: "nextToken", ..NEXT_TOKEN };
/// Of REST APIs in API Gateway.
pub(crate) const POSITION: Paginator = Paginator::by("position");
/// Of IAM.
pub(crate) const MARKER: Paginator = Paginator { more: "IsTruncated", ..Paginator::by("Marker") };
/// Of KMS.
pub(crate) const NEXT_MARKER: Paginator =
    Paginator { mark: "NextMarker", more: "Truncated", ..Paginator::by("Marker") };
/// Of the buckets of S3.
pub(crate) const BUCKETS: Paginator =
    Paginator { mark: "ContinuationToken", ..Paginator::by("continuation-token") };
/// Of the objects of S3.
pub(crate) const OBJECTS: Paginator =
    Paginator { mark: "NextContinuationToken", more: "IsTruncated", ..BUCKETS };

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
    /// How its list goes on, if it has one that is read to its end.
    pub pages: Option<Paginator>,
}

impl Operation {
    /// The same, with how its list goes on.
    pub(crate) const fn paged(self, pages: Paginator) -> Self {
        Self { pages: Some(pages), ..self }
    }
}

/// An operation, and where it is.
pub(crate) struct Call {
    pub(crate) operation: Operation,
    /// Of a service with paths: `GET /apis/{apiId}/stages`. Members of the question that stand in braces go into the path,
    /// and those that stand alone after the `?` into the query; the others into the query of a GET, or else into the body.
    /// Empty if the service has no paths.
    pub(crate) at: &'static str,
}

/// A call that only reads, of something in the account: where it is if the service has paths, and how its list goes on.
macro_rules! call {
    ($service:path, $name:literal, $action:literal, $at:literal $(, $pages:expr)?) => {
        &$crate::operation::Call {
            operation: $crate::operation::Operation {
                service: &$service,
                name: $name,
                retry: $crate::operation::Retry::Safe,
                needs: &[$crate::operation::Permission {
                    action: $action,
                    on: $crate::operation::On::Account,
                }],
                pages: None,
            }$(.paged($pages))?,
            at: $at,
        }
    };
    ($service:path, $name:literal, $action:literal $(, $pages:expr)?) => {
        $crate::operation::call!($service, $name, $action, "" $(, $pages)?)
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
