//! Lists that come in pages, read to their end in one way for all services, as their operations declare it ([`Paginator`]).
//!
//! A list that ends early must not look like a whole one: what says that more follows, and not where, is no answer.

use crate::client::Client;
use crate::error::{AwsError, Trouble};
use crate::operation::{Call, Operation, Paginator, Protocol};
use crate::posture::{items, tree};
use crate::transport::Answer;
use crate::wire::{Wire, from_json, from_xml, unreadable};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// A list longer than this is not read to its end.
const MAX_PAGES: usize = 10_000;

/// What is asked for the first page, to which the marks of others are put.
pub(crate) enum Question<'a> {
    /// Members of an object, for a JSON service.
    Json(Value),
    /// The same, for a service that may have paths.
    Call(&'static Call, Value),
    /// Parameters, for a query service.
    Form(&'a [(&'a str, &'a str)]),
    /// A request with a mark in its query, for a service with paths that speaks XML.
    Url(Wire),
}

impl Question<'_> {
    fn wire(&self, operation: &'static Operation, mark: Option<(&str, &str)>) -> Result<Wire, AwsError> {
        let marked = |input: &Value| {
            let mut input = input.clone();
            if let Some((token, mark)) = mark {
                input[token] = mark.into();
            }
            input
        };
        match self {
            Self::Json(input) => Wire::json(operation, &marked(input)),
            Self::Call(call, input) => Wire::of(call, &marked(input)),
            Self::Form(parameters) => {
                let parameters: Vec<_> = parameters.iter().copied().chain(mark).collect();
                Ok(Wire::form(operation, &parameters))
            }
            Self::Url(wire) => Ok(match mark {
                None => wire.clone(),
                Some((token, mark)) => wire.clone().parameter(token, mark),
            }),
        }
    }
}

impl Client {
    /// The pages of a list. Each is asked for when it is wanted; an error is the last of them.
    pub(crate) fn pages<'a, T: DeserializeOwned>(
        &'a self,
        operation: &'static Operation,
        question: Question<'a>,
    ) -> impl Iterator<Item = Result<T, AwsError>> + 'a {
        Pages::of(self, operation, question).map(|page| page?.read())
    }

    /// The same, as they come; XML as [`tree`] has it.
    pub(crate) fn raw_pages<'a>(
        &'a self,
        operation: &'static Operation,
        question: Question<'a>,
    ) -> impl Iterator<Item = Result<Value, AwsError>> + 'a {
        Pages::of(self, operation, question).map(|page| Ok(page?.told))
    }

    /// All items of a list, as they come.
    pub(crate) fn all(
        &self,
        operation: &'static Operation,
        question: Question<'_>,
    ) -> Result<Vec<Value>, AwsError> {
        let mut all = Vec::new();
        for page in Pages::of(self, operation, question) {
            all.extend(page?.items());
        }
        Ok(all)
    }
}

struct Pages<'a> {
    client: &'a Client,
    operation: &'static Operation,
    question: Question<'a>,
    /// The mark of the next page, empty for the first; none at the end.
    next: Option<String>,
    asked: usize,
}

impl<'a> Pages<'a> {
    fn of(client: &'a Client, operation: &'static Operation, question: Question<'a>) -> Self {
        Self { client, operation, question, next: Some(String::new()), asked: 0 }
    }

    fn page(&mut self, mark: &str) -> Result<Page, AwsError> {
        let operation = self.operation;
        let Some(pages) = operation.pages else {
            let text = "the request cannot be written: how the list goes on is not declared";
            return Err(AwsError::new(Trouble::Refused, text).of(operation));
        };
        let marked = (!mark.is_empty()).then_some((pages.token, mark));
        let answer = self.client.call(operation, &self.question.wire(operation, marked)?)?;
        let page = Page::of(operation, pages, answer)?;
        let next = page.next()?;
        self.asked += 1;
        if next.as_deref() == Some(mark) || next.is_some() && self.asked == MAX_PAGES {
            return Err(AwsError::new(Trouble::Unreadable, "the list does not end").of(operation));
        }
        self.next = next;
        Ok(page)
    }
}

impl Iterator for Pages<'_> {
    type Item = Result<Page, AwsError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mark = self.next.take()?;
        Some(self.page(&mark))
    }
}

struct Page {
    operation: &'static Operation,
    pages: Paginator,
    answer: Answer,
    /// What the answer tells, without what query services put around it.
    told: Value,
}

impl Page {
    fn of(operation: &'static Operation, pages: Paginator, answer: Answer) -> Result<Self, AwsError> {
        let mut told = match operation.service.protocol {
            Protocol::Json { .. } | Protocol::RestJson => from_json(operation, &answer)?,
            Protocol::Query { .. } | Protocol::RestXml => tree(operation, &answer)?,
        };
        if let Some(inner) = told.get_mut(format!("{}Result", operation.name)) {
            told = inner.take();
        }
        Ok(Self { operation, pages, answer, told })
    }

    /// The mark of the page after this one; none if this is the last.
    fn next(&self) -> Result<Option<String>, AwsError> {
        let mark = match &self.told[self.pages.mark] {
            Value::Null => Some(""),
            mark => mark.as_str(),
        };
        let more = match self.pages.more {
            "" => mark.map(|mark| !mark.is_empty()),
            member => match &self.told[member] {
                Value::Bool(more) => Some(*more),
                // XML has no other sort of value.
                more => more.as_str().and_then(|more| more.parse().ok()),
            },
        };
        match (more, mark) {
            (Some(false), _) => Ok(None),
            (Some(true), Some(mark)) if !mark.is_empty() => Ok(Some(mark.to_owned())),
            _ => Err(unreadable(self.operation, &self.answer)),
        }
    }

    fn items(mut self) -> Vec<Value> {
        let path = match self.pages.items {
            "" => String::new(),
            items => format!("/{items}"),
        };
        match self.told.pointer_mut(&path).map(Value::take) {
            Some(Value::Array(list)) => list,
            list => items(&list.unwrap_or_default()),
        }
    }

    fn read<T: DeserializeOwned>(self) -> Result<T, AwsError> {
        match self.operation.service.protocol {
            Protocol::Query { .. } | Protocol::RestXml => from_xml(self.operation, &self.answer),
            _ => serde_json::from_value(self.told).map_err(|_| unreadable(self.operation, &self.answer)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calls::Tape;
    use crate::operation::{
        CLOUDWATCH, EC2_TOKEN, KMS, NEXT_MARKER, NEXT_TOKEN, OBJECTS, Retry, S3, SAGEMAKER, SMALL_TOKEN,
        Service,
    };
    use crate::posture::EC2;
    use crate::settings::{Settings, Sources};
    use serde_json::json;
    use std::sync::Arc;

    const REST: Service = Service { id: "BATCH", name: "batch", protocol: Protocol::RestJson };
    const OF_KMS: Operation =
        Operation { service: &KMS, name: "ListKeys", retry: Retry::Safe, needs: &[], pages: None }
            .paged(NEXT_MARKER.of("Keys"));
    const MODELS: Operation =
        Operation { service: &SAGEMAKER, name: "ListModels", ..OF_KMS }.paged(NEXT_TOKEN.of("Models"));
    const ALARMS: Operation = Operation { service: &CLOUDWATCH, name: "DescribeAlarms", ..OF_KMS }
        .paged(NEXT_TOKEN.of("MetricAlarms/member"));
    const VPCS: Operation =
        Operation { service: &EC2, name: "DescribeVpcs", ..OF_KMS }.paged(EC2_TOKEN.of("vpcSet/item"));
    const FILES: Operation =
        Operation { service: &S3, name: "ListObjectsV2", ..OF_KMS }.paged(OBJECTS.of("Contents"));
    const JOBS: Operation =
        Operation { service: &REST, name: "List", ..OF_KMS }.paged(SMALL_TOKEN.of("jobs"));
    const BY_QUERY: &Call = &Call { operation: JOBS, at: "GET /jobs/{group}" };
    const BY_BODY: &Call = &Call { operation: JOBS, at: "POST /jobs" };
    const BY_BOTH: &Call = &Call { operation: JOBS, at: "POST /jobs?nextToken" };

    /// A client that is answered so, and only if it asks so: method and path, body, answer.
    fn told(target: &str, calls: &[[&str; 3]]) -> Client {
        let line = |[at, body, answer]: &[&str; 3]| {
            let (method, path) = at.split_once(' ').unwrap();
            let target = (!target.is_empty()).then_some(target);
            json!({
                "asked": {"method": method, "host": "aws.test", "path": path, "target": target, "body": {"text": body}},
                "answer": {"status": 200, "headers": [], "body": {"text": answer}},
            })
            .to_string()
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), calls.iter().map(line).collect::<Vec<_>>().join("\n")).unwrap();
        let variables = [
            ("AWS_REGION", "eu-central-1"),
            ("AWS_ENDPOINT_URL", "http://aws.test"),
            ("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let settings = Settings::load(Sources::only(variables, None), None).unwrap();
        Client::new(settings.on_tape(&Arc::new(Tape::play(file.path()).unwrap()))).unwrap()
    }

    fn said(result: Result<Vec<Value>, AwsError>) -> String {
        result.map_or_else(|error| error.to_string(), |all| Value::from(all).to_string())
    }

    #[test]
    fn the_mark_goes_where_the_service_reads_it() {
        let rest = |call: &'static Call, [first, next]: [[&str; 2]; 2]| {
            let calls = [
                [first[0], first[1], r#"{"jobs": ["a"], "nextToken": "m/"}"#],
                [next[0], next[1], r#"{"jobs": ["b"]}"#],
            ];
            said(told("", &calls).all(&JOBS, Question::Call(call, json!({"group": "q"}))))
        };
        let both = r#"["a","b"]"#;
        assert_eq!(rest(BY_QUERY, [["GET /jobs/q", ""], ["GET /jobs/q?nextToken=m%2F", ""]]), both);
        let asked = r#"{"group":"q"}"#;
        let marked = r#"{"group":"q","nextToken":"m/"}"#;
        assert_eq!(rest(BY_BODY, [["POST /jobs", asked], ["POST /jobs", marked]]), both);
        assert_eq!(rest(BY_BOTH, [["POST /jobs", asked], ["POST /jobs?nextToken=m%2F", asked]]), both);
        let models = [
            ["POST /", "{}", r#"{"Models": ["a"], "NextToken": "m"}"#],
            ["POST /", r#"{"NextToken":"m"}"#, r#"{"Models": ["b"], "NextToken": null}"#],
        ];
        assert_eq!(said(told("SageMaker.ListModels", &models).all(&MODELS, Question::Json(json!({})))), both);
        let alarms = [
            [
                "POST /",
                "Action=DescribeAlarms&Version=2010-08-01&MaxRecords=1",
                "<DescribeAlarmsResponse><DescribeAlarmsResult><MetricAlarms><member>a</member></MetricAlarms><NextToken>m/</NextToken></DescribeAlarmsResult></DescribeAlarmsResponse>",
            ],
            [
                "POST /",
                "Action=DescribeAlarms&Version=2010-08-01&MaxRecords=1&NextToken=m%2F",
                "<DescribeAlarmsResponse><DescribeAlarmsResult><MetricAlarms><member>b</member></MetricAlarms></DescribeAlarmsResult></DescribeAlarmsResponse>",
            ],
        ];
        assert_eq!(said(told("", &alarms).all(&ALARMS, Question::Form(&[("MaxRecords", "1")]))), both);
        let vpcs = [
            [
                "POST /",
                "Action=DescribeVpcs&Version=2016-11-15",
                "<DescribeVpcsResponse><vpcSet><item>a</item></vpcSet><nextToken>m</nextToken></DescribeVpcsResponse>",
            ],
            [
                "POST /",
                "Action=DescribeVpcs&Version=2016-11-15&NextToken=m",
                "<DescribeVpcsResponse><vpcSet><item>b</item></vpcSet><nextToken/></DescribeVpcsResponse>",
            ],
        ];
        assert_eq!(said(told("", &vpcs).all(&VPCS, Question::Form(&[]))), both);
    }

    #[test]
    fn pages_are_read_as_types() {
        #[derive(Debug, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct Files {
            contents: Vec<File>,
        }
        #[derive(Debug, PartialEq, serde::Deserialize)]
        #[serde(rename_all = "PascalCase")]
        struct File {
            key: String,
        }
        let files = [
            [
                "GET /bucket/?list-type=2",
                "",
                "<R><IsTruncated>true</IsTruncated><Contents><Key>a</Key></Contents><NextContinuationToken>m=</NextContinuationToken></R>",
            ],
            [
                "GET /bucket/?list-type=2&continuation-token=m%3D",
                "",
                "<R><IsTruncated>false</IsTruncated><Contents><Key>b</Key></Contents></R>",
            ],
        ];
        let wire = Wire::new("GET", "/bucket/").parameter("list-type", "2");
        let client = told("", &files);
        let pages: Vec<Files> = client.pages(&FILES, Question::Url(wire)).collect::<Result<_, _>>().unwrap();
        let keys: Vec<&str> = pages.iter().flat_map(|page| &page.contents).map(|file| &*file.key).collect();
        assert_eq!(keys, ["a", "b"]);
        let other = told("TrentService.ListKeys", &[["POST /", "{}", r#"{"Truncated": false, "Keys": 1}"#]]);
        let mut pages = other.pages::<Files>(&OF_KMS, Question::Json(json!({})));
        insta::assert_snapshot!(pages.next().unwrap().unwrap_err(), @"`kms:ListKeys` failed: the answer (status 200) is not one that `kms` gives");
        assert!(pages.next().is_none());
    }

    #[test]
    fn a_list_is_whole_or_an_error() {
        let keys = |last: &str| {
            let first = ["POST /", "{}", r#"{"Keys": [1], "Truncated": true, "NextMarker": "m"}"#];
            let calls = [first, ["POST /", r#"{"Marker":"m"}"#, last]];
            said(told("TrentService.ListKeys", &calls).all(&OF_KMS, Question::Json(json!({}))))
        };
        let models = |last: &str| {
            let first = ["POST /", "{}", r#"{"Models": [1], "NextToken": "m"}"#];
            let calls = [first, ["POST /", r#"{"NextToken":"m"}"#, last]];
            said(told("SageMaker.ListModels", &calls).all(&MODELS, Question::Json(json!({}))))
        };
        let lines = [
            keys(r#"{"Keys": [2], "Truncated": false}"#),
            keys(r#"{"Keys": [2], "Truncated": false, "NextMarker": "n"}"#),
            keys(r#"{"Keys": [2], "Truncated": true}"#),
            keys(r#"{"Keys": [2], "Truncated": true, "NextMarker": ""}"#),
            keys(r#"{"Keys": [2], "Truncated": true, "NextMarker": "m"}"#),
            keys(r#"{"Keys": [2]}"#),
            models(r#"{"Models": [2], "NextToken": ""}"#),
            models("{}"),
            models(r#"{"Models": [2], "NextToken": 3}"#),
            models(r#"{"Models": [2], "NextToken": "m"}"#),
            models("<html>"),
        ];
        insta::assert_snapshot!(lines.join("\n"), @"
        [1,2]
        [1,2]
        `kms:ListKeys` failed: the answer (status 200) is not one that `kms` gives
        `kms:ListKeys` failed: the answer (status 200) is not one that `kms` gives
        `kms:ListKeys` failed: the list does not end
        `kms:ListKeys` failed: the answer (status 200) is not one that `kms` gives
        [1,2]
        [1]
        `sagemaker:ListModels` failed: the answer (status 200) is not one that `sagemaker` gives
        `sagemaker:ListModels` failed: the list does not end
        `sagemaker:ListModels` failed: the answer (status 200) is not one that `sagemaker` gives
        ");
    }

    #[test]
    fn a_list_without_an_end_or_a_declaration() {
        let page = |mark: &str| format!(r#"{{"Models": [1], "NextToken": "{mark}"}}"#);
        let (first, second) = (page("m"), page("n"));
        let calls = [["POST /", "{}", &first], ["POST /", r#"{"NextToken":"m"}"#, &second]];
        let client = told("SageMaker.ListModels", &calls);
        let mut pages = Pages::of(&client, &MODELS, Question::Json(json!({})));
        assert!(pages.next().unwrap().is_ok());
        pages.asked = MAX_PAGES - 1;
        insta::assert_snapshot!(pages.next().unwrap().err().unwrap(), @"`sagemaker:ListModels` failed: the list does not end");
        assert!(pages.next().is_none());
        const NONE: Operation = Operation { pages: None, ..OF_KMS };
        insta::assert_snapshot!(said(client.all(&NONE, Question::Json(json!({})))), @"`kms:ListKeys` failed: the request cannot be written: how the list goes on is not declared");
    }
}
