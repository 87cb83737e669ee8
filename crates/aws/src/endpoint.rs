//! Where a service is: what was configured, else the host of its region and partition.
//!
//! Source: AWS General Reference, "Service endpoints"; AWS SDKs and Tools Reference Guide, "Dual-stack and FIPS
//! endpoints" and "Service-specific endpoints".

use crate::error::{AwsError, Trouble};
use crate::operation::Service;
use crate::settings::{Addressing, Settings};

/// The partition of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Partition {
    /// As in ARNs.
    pub(crate) name: &'static str,
    pub(crate) domain: &'static str,
    dual_stack_domain: &'static str,
    fips: bool,
}

const AWS: Partition =
    Partition { name: "aws", domain: "amazonaws.com", dual_stack_domain: "api.aws", fips: true };
const CHINA: Partition = Partition {
    name: "aws-cn",
    domain: "amazonaws.com.cn",
    dual_stack_domain: "api.amazonwebservices.com.cn",
    fips: false,
};
const GOVERNMENT: Partition = Partition { name: "aws-us-gov", ..AWS };

/// The partition that has `region`.
pub(crate) fn partition(region: &str) -> Result<Partition, AwsError> {
    if region.starts_with("cn-") {
        Ok(CHINA)
    } else if region.starts_with("us-gov-") {
        Ok(GOVERNMENT)
    } else if ["us-iso", "eu-iso", "eusc-"].iter().any(|other| region.starts_with(other)) {
        let message = format!(
            "the partition of the region `{region}` is not known: expected one of aws, aws-cn, aws-us-gov"
        );
        Err(AwsError::new(Trouble::Unconfigured, message)
            .with_help("set AWS_ENDPOINT_URL_<SERVICE> for each service"))
    } else {
        Ok(AWS)
    }
}

/// The region in whose name calls are signed: of services that are one for a whole partition, not the one set.
pub(crate) fn signing_region<'r>(service: &Service, region: &'r str) -> &'r str {
    match (service.id, region) {
        ("IAM", region) if region.starts_with("cn-") => "cn-north-1",
        ("ORGANIZATIONS", region) if region.starts_with("cn-") => "cn-northwest-1",
        ("IAM" | "ORGANIZATIONS", region) if region.starts_with("us-gov-") => "us-gov-west-1",
        ("IAM" | "ORGANIZATIONS", _) => "us-east-1",
        (_, region) => region,
    }
}

/// The host of a service that is one for a whole partition; the names of its dual-stack hosts follow no rule, so those
/// are not used.
fn of_partition(service: &Service, partition: Partition, settings: &Settings) -> Option<String> {
    let fips = if settings.fips && partition == AWS { "-fips" } else { "" };
    let host = match (service.id, partition.name) {
        ("IAM", "aws") => format!("iam{fips}.amazonaws.com"),
        ("IAM", "aws-cn") => "iam.cn-north-1.amazonaws.com.cn".to_owned(),
        ("IAM", _) => "iam.us-gov.amazonaws.com".to_owned(),
        ("ORGANIZATIONS", "aws") => format!("organizations{fips}.us-east-1.amazonaws.com"),
        ("ORGANIZATIONS", "aws-cn") => "organizations.cn-northwest-1.amazonaws.com.cn".to_owned(),
        ("ORGANIZATIONS", _) => "organizations.us-gov-west-1.amazonaws.com".to_owned(),
        _ => return None,
    };
    Some(host)
}

/// Services whose host does not begin with their name in signatures: the id, the beginning, that of FIPS hosts. AWS
/// General Reference, service endpoints.
const BEGINNINGS: [(&str, &str, &str); 5] = [
    ("ECR", "api.ecr", "ecr-fips"),
    ("SAGEMAKER", "api.sagemaker", "api-fips.sagemaker"),
    ("BEDROCK_AGENT", "bedrock-agent", "bedrock-agent-fips"),
    ("BEDROCK_AGENTCORE_CONTROL", "bedrock-agentcore-control", "bedrock-agentcore-control-fips"),
    ("EKS", "eks", "fips.eks"),
];

/// Scheme and authority, and the path before all paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) scheme: String,
    /// Host, and port if one was given.
    pub(crate) authority: String,
    /// Without a slash at its end.
    pub(crate) path: String,
}

impl Endpoint {
    /// Where `service` is in `region`.
    pub(crate) fn of(service: &Service, region: &str, settings: &Settings) -> Result<Self, AwsError> {
        if let Some(url) = settings.endpoint(service.id) {
            return Self::parse(url);
        }
        let partition = partition(region)?;
        if settings.fips && !partition.fips {
            let message =
                format!("there are no FIPS endpoints in the partition `{}` of `{region}`", partition.name);
            return Err(
                AwsError::new(Trouble::Unconfigured, message).with_help("set AWS_USE_FIPS_ENDPOINT to false")
            );
        }
        if let Some(authority) = of_partition(service, partition, settings) {
            return Ok(Self { scheme: "https".to_owned(), authority, path: String::new() });
        }
        let name = service.name;
        // STS of the government partition has FIPS endpoints only, under the plain name.
        let plain = !settings.fips || (name == "sts" && partition == GOVERNMENT && !settings.dual_stack);
        let label = match (BEGINNINGS.iter().find(|(known, ..)| *known == service.id), plain) {
            (Some((_, label, _)), true) | (Some((_, _, label)), false) => (*label).to_owned(),
            (None, true) => name.to_owned(),
            (None, false) => format!("{name}-fips"),
        };
        let authority = match (settings.dual_stack, name) {
            // Cognito has no hosts of both kinds.
            (true, "cognito-idp" | "cognito-identity") => format!("{label}.{region}.{}", partition.domain),
            (true, "s3" | "s3-control") => format!("{label}.dualstack.{region}.{}", partition.domain),
            (true, _) => {
                // What begins otherwise does so in its own way where both kinds of addresses are.
                let label = match &*label {
                    "api.ecr" => "ecr",
                    "api-fips.sagemaker" => "api.sagemaker-fips",
                    "fips.eks" => "eks-fips",
                    other => other,
                };
                format!("{label}.{region}.{}", partition.dual_stack_domain)
            }
            (false, _) => format!("{label}.{region}.{}", partition.domain),
        };
        Ok(Self { scheme: "https".to_owned(), authority, path: String::new() })
    }

    /// A URL that somebody wrote.
    pub(crate) fn parse(url: &str) -> Result<Self, AwsError> {
        let wrong = || {
            // A URL may hold a password, so it is not repeated.
            AwsError::new(Trouble::Unconfigured, "an endpoint is not a URL: expected `https://HOST[:PORT]`")
                .with_help(
                    "look at AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_<SERVICE> and `endpoint_url` in the profile",
                )
        };
        let uri: ureq::http::Uri = url.parse().map_err(|_| wrong())?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(wrong());
        };
        if !matches!(scheme, "http" | "https") || uri.query().is_some() || authority.as_str().contains('@') {
            return Err(wrong());
        }
        Ok(Self {
            scheme: scheme.to_owned(),
            authority: authority.as_str().to_owned(),
            path: uri.path().trim_end_matches('/').to_owned(),
        })
    }

    /// The host without the port.
    pub(crate) fn host(&self) -> &str {
        match self.authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => &self.authority,
        }
    }

    /// Whether the host is an address and not a name, so that nothing can be put before it.
    pub(crate) fn is_address(&self) -> bool {
        self.host().trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
    }

    /// Whether a bucket, or an account, stands in the path and not before the host. As AWS's own SDKs have it, hosts that
    /// are not of AWS are taken to have no names below them, unless the profile says otherwise.
    pub(crate) fn in_path(&self, label: &str, settings: &Settings) -> bool {
        let of_aws = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws", ".api.amazonwebservices.com.cn"];
        match settings.addressing {
            _ if self.is_address() => true,
            Addressing::Path => true,
            Addressing::Virtual => false,
            // With dots in it a bucket's host has no certificate.
            Addressing::Auto if self.scheme == "https" && label.contains('.') => true,
            Addressing::Auto => !of_aws.iter().any(|end| self.host().ends_with(end)),
        }
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}://{}{}", self.scheme, self.authority, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{IAM, KMS, ORGANIZATIONS, S3, SAGEMAKER, STS};
    use crate::settings::Sources;

    fn settings(variables: &[&str]) -> Settings {
        let variables = variables.iter().map(|name| ((*name).to_owned(), "true".to_owned())).collect();
        Settings::load(Sources::only(variables, None), None).unwrap()
    }

    #[test]
    fn hosts_of_all_partitions() {
        let mut lines = String::new();
        let (fips, dual) = ("AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT");
        for variables in [&[] as &[&str], &[fips], &[dual], &[fips, dual]] {
            for region in ["eu-central-1", "us-gov-west-1", "cn-north-1"] {
                for service in [&KMS, &S3, &STS, &SAGEMAKER] {
                    let host = match Endpoint::of(service, region, &settings(variables)) {
                        Ok(endpoint) => endpoint.authority,
                        Err(error) => error.to_string(),
                    };
                    lines.push_str(&format!("{host}\n"));
                }
            }
        }
        insta::assert_snapshot!(lines);
    }

    #[test]
    fn services_whose_hosts_have_names_of_their_own() {
        use crate::operation::{Protocol, Service};
        let named = |(id, name)| Service { id, name, protocol: Protocol::RestJson };
        let mut hosts = Vec::new();
        for variables in [&[] as &[&str], &["AWS_USE_FIPS_ENDPOINT"], &["AWS_USE_DUALSTACK_ENDPOINT"]] {
            for service in [
                ("SAGEMAKER", "sagemaker"),
                ("ECR", "ecr"),
                ("S3_CONTROL", "s3-control"),
                ("BEDROCK_AGENT", "bedrock"),
                ("BEDROCK_AGENTCORE_CONTROL", "bedrock-agentcore"),
                ("EKS", "eks"),
                ("COGNITO_IDENTITY", "cognito-identity"),
            ] {
                let endpoint = Endpoint::of(&named(service), "us-east-1", &settings(variables)).unwrap();
                hosts.push(endpoint.authority);
            }
        }
        insta::assert_snapshot!(hosts.join("\n"), @r"
        api.sagemaker.us-east-1.amazonaws.com
        api.ecr.us-east-1.amazonaws.com
        s3-control.us-east-1.amazonaws.com
        bedrock-agent.us-east-1.amazonaws.com
        bedrock-agentcore-control.us-east-1.amazonaws.com
        eks.us-east-1.amazonaws.com
        cognito-identity.us-east-1.amazonaws.com
        api-fips.sagemaker.us-east-1.amazonaws.com
        ecr-fips.us-east-1.amazonaws.com
        s3-control-fips.us-east-1.amazonaws.com
        bedrock-agent-fips.us-east-1.amazonaws.com
        bedrock-agentcore-control-fips.us-east-1.amazonaws.com
        fips.eks.us-east-1.amazonaws.com
        cognito-identity-fips.us-east-1.amazonaws.com
        api.sagemaker.us-east-1.api.aws
        ecr.us-east-1.api.aws
        s3-control.dualstack.us-east-1.amazonaws.com
        bedrock-agent.us-east-1.api.aws
        bedrock-agentcore-control.us-east-1.api.aws
        eks.us-east-1.api.aws
        cognito-identity.us-east-1.amazonaws.com
        ");
    }

    #[test]
    fn services_of_a_whole_partition() {
        let mut lines = String::new();
        for variables in [&[] as &[&str], &["AWS_USE_FIPS_ENDPOINT"]] {
            for region in ["eu-central-1", "us-gov-east-1", "cn-north-1"] {
                for service in [&IAM, &ORGANIZATIONS] {
                    let host = match Endpoint::of(service, region, &settings(variables)) {
                        Ok(endpoint) => endpoint.authority,
                        Err(error) => error.to_string(),
                    };
                    lines.push_str(&format!("{host} in {}\n", signing_region(service, region)));
                }
            }
        }
        insta::assert_snapshot!(lines);
    }

    #[test]
    fn a_url_is_taken_apart() {
        let endpoint = Endpoint::parse("http://127.0.0.1:5000/base/").unwrap();
        assert_eq!((endpoint.authority.as_str(), endpoint.path.as_str()), ("127.0.0.1:5000", "/base"));
        assert!(endpoint.is_address() && endpoint.host() == "127.0.0.1");
        assert!(Endpoint::parse("http://[::1]:5000").unwrap().is_address());
        assert!(!Endpoint::parse("https://vpce-1.s3.eu-central-1.vpce.amazonaws.com").unwrap().is_address());
        for bad in ["", "host", "ftp://a", "https://", "https://a?b=c", "https://user:secret@a"] {
            let error = Endpoint::parse(bad).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{bad}");
        }
    }
}
