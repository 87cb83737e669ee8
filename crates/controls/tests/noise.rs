//! Texts that nobody meant to write: nothing aborts, and everything ends.

use controls::{Selection, controls, plan, scan, template};

/// Cuts and flips every template a little everywhere: an error or an answer, nothing else.
#[test]
fn damaged_templates_are_answered_or_refused() {
    let mut read = 0;
    for control in controls().filter(|control| control.part_of.is_none()) {
        for text in [control.holds, control.broken, control.unknown] {
            for at in (0..text.len()).step_by(61).filter(|at| text.is_char_boundary(*at)) {
                let swapped = format!("{}{{{}", &text[..at], &text[at..]);
                let tagged = text.replacen(": ", ": !GetAtt ", at % 5 + 1);
                for damaged in [&text[..at], &text[at..], &swapped, &tagged] {
                    if let Ok(estate) = template("t", damaged) {
                        let _ = controls::table(&scan(&estate, &Selection::default()));
                        read += 1;
                    }
                    let _ = plan("p", damaged);
                }
            }
        }
    }
    assert!(read > 1_000, "{read}");
}

#[test]
fn hostile_texts_end() {
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(20_000), close.repeat(20_000));
    let texts = [
        format!("{{\"Resources\": {}}}", deep("{\"Fn::Not\": [", "]}")),
        deep("[", "]"),
        format!("Resources: {}", deep("{a: ", "}")),
        format!("Resources: {}", "!Sub ".repeat(20_000)),
        format!(
            "Resources:\n  A:\n    Type: AWS::S3::Bucket\n    Properties: !Sub '{}'",
            "${".repeat(50_000)
        ),
        "Resources: {A: {Type: AWS::S3::Bucket, Properties: !If [X]}}".to_owned(),
        "Resources: {A: {Type: AWS::S3::BucketPolicy, Properties: 5}, B: {Type: AWS::S3::Bucket}}".to_owned(),
    ];
    for text in texts {
        if let Ok(estate) = template("t", &text) {
            let _ = scan(&estate, &Selection::default());
        }
    }
}

#[test]
fn a_thousand_resources_are_all_scanned() {
    let mut text = String::from("Resources:\n");
    for at in 0..250 {
        text += &format!(
            "  B{at}:\n    Type: AWS::S3::Bucket\n    Properties: {{BucketName: b{at}, LoggingConfiguration: {{DestinationBucketName: !Ref B0}}}}\n  P{at}:\n    Type: AWS::S3::BucketPolicy\n    Properties:\n      Bucket: !Ref B{at}\n      PolicyDocument: {{Version: '2012-10-17', Statement: [{{Effect: Allow, Principal: {{AWS: 'arn:aws:iam::111122223333:role/r'}}, Action: 's3:GetObject', Resource: !Sub '${{B{at}.Arn}}/*'}}]}}\n  K{at}:\n    Type: AWS::KMS::Key\n  N{at}:\n    Type: AWS::SageMaker::NotebookInstance\n"
        );
    }
    let estate = template("t", &text).unwrap();
    let report = scan(&estate, &Selection::default());
    assert_eq!(report.summary().resources, 1_000);
}
