//! Terraform plans: the same controls on the same shape.

use controls::{Selection, State, plan, scan};
use serde_json::{Value, json};

fn change(address: &str, after: &Value, unknown: &Value) -> Value {
    let kind = address.split('.').rev().nth(1).unwrap_or_default();
    json!({"address": address, "mode": "managed", "type": kind,
        "change": {"actions": ["create"], "after": after, "after_unknown": unknown}})
}

fn configured(address: &str, expressions: &Value) -> Value {
    json!({"address": address, "mode": "managed", "expressions": expressions})
}

fn bucket_plan(algorithm: &Value, later: &Value) -> String {
    let refers = |attribute: &str, to: &str| json!({"references": [format!("{to}.{attribute}"), to]});
    json!({"format_version": "1.2", "resource_changes": [
        change("aws_s3_bucket.data", &json!({"bucket": null, "tags": null}), &json!({"bucket": true, "id": true, "server_side_encryption_configuration": true, "versioning": true})),
        change("aws_s3_bucket_server_side_encryption_configuration.data",
            &json!({"rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": algorithm}]}]}),
            &json!({"bucket": true, "rule": [{"apply_server_side_encryption_by_default": [{"kms_master_key_id": true, "sse_algorithm": later}]}]})),
        change("aws_s3_bucket_public_access_block.data",
            &json!({"block_public_acls": true, "block_public_policy": true, "ignore_public_acls": true, "restrict_public_buckets": true}),
            &json!({"bucket": true})),
        change("aws_s3_bucket_policy.data", &json!({"policy": "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Deny\",\"Principal\":\"*\",\"Action\":\"s3:*\",\"Resource\":[\"arn:aws:s3:::data\",\"arn:aws:s3:::data/*\"],\"Condition\":{\"Bool\":{\"aws:SecureTransport\":\"false\"}}}]}"}), &json!({"bucket": true})),
        change("aws_kms_key.key", &json!({"enable_key_rotation": true}), &json!({"arn": true, "policy": true})),
    ], "configuration": {"root_module": {"resources": [
        configured("aws_s3_bucket.data", &json!({})),
        configured("aws_s3_bucket_server_side_encryption_configuration.data", &json!({"bucket": refers("id", "aws_s3_bucket.data"),
            "rule": [{"apply_server_side_encryption_by_default": [{"kms_master_key_id": refers("arn", "aws_kms_key.key"), "sse_algorithm": {"references": ["var.algorithm"]}}]}]})),
        configured("aws_s3_bucket_public_access_block.data", &json!({"bucket": refers("id", "aws_s3_bucket.data")})),
        configured("aws_s3_bucket_policy.data", &json!({"bucket": refers("id", "aws_s3_bucket.data")})),
        configured("aws_kms_key.key", &json!({})),
    ]}}}).to_string()
}

fn verdict(text: &str, control: &str) -> String {
    let (Ok(estate), Ok(selection)) = (plan("plan.json", text), Selection::default().control(control)) else {
        return "not read".to_owned();
    };
    let said = |f: &controls::Finding| format!("{} {} {}", f.subject.id, f.word(), f.reason());
    scan(&estate, &selection).findings().iter().map(said).collect::<Vec<_>>().join("; ")
}

#[test]
fn parts_of_a_bucket_come_together() {
    let text = bucket_plan(&json!("aws:kms"), &json!(false));
    for control in ["S3-02", "S3-03", "S3-04", "S3-05", "S3-06"] {
        assert_eq!(verdict(&text, control).trim(), "aws_s3_bucket.data holds", "{control}");
    }
    assert_eq!(verdict(&text, "KMS-01").trim(), "aws_kms_key.key holds");
    assert!(verdict(&text, "S3-12").contains("broken"), "{}", verdict(&text, "S3-12"));
}

#[test]
fn what_is_known_after_apply_is_unknown() {
    let text = bucket_plan(&json!(null), &json!(true));
    assert_eq!(verdict(&text, "S3-05"), "aws_s3_bucket.data unknown it is known only after apply");
    let text = bucket_plan(&json!("AES256"), &json!(false));
    assert!(verdict(&text, "S3-05").contains("broken"));
}

#[test]
fn sagemaker_resources_have_the_shape_of_templates() {
    let text = json!({"resource_changes": [
        change("module.ml.aws_sagemaker_notebook_instance.n", &json!({"direct_internet_access": "Disabled", "root_access": "Enabled", "subnet_id": null}), &json!({"subnet_id": true})),
        change("aws_sagemaker_model.m", &json!({"enable_network_isolation": true, "vpc_config": [{"subnets": ["subnet-1"], "security_group_ids": ["sg-1"]}], "primary_container": [{"image": "python:3"}]}), &json!({})),
        change("aws_sagemaker_endpoint_configuration.c", &json!({"kms_key_arn": null, "production_variants": [{"initial_instance_count": 1, "serverless_config": []}]}), &json!({})),
    ]}).to_string();
    for (control, word) in [
        ("SM-01", "holds"),
        ("SM-02", "unknown"),
        ("SM-03", "broken"),
        ("SM-07", "holds"),
        ("SM-08", "holds"),
        ("SM-09", "broken"),
        ("SM-10", "broken"),
        ("SM-12", "broken"),
    ] {
        assert!(verdict(&text, control).contains(word), "{control}: {}", verdict(&text, control));
    }
    let estate = plan("plan.json", &text).unwrap();
    let subnets = estate.named("aws_sagemaker_model.m").unwrap().property(&["VpcConfig", "Subnets"]);
    assert!(matches!(subnets, State::Known(node) if node.items().len() == 1));
}

#[test]
fn what_is_no_plan_is_said() {
    let wrong = plan("p.json", "{}").unwrap_err();
    assert_eq!(
        wrong.to_string(),
        "p.json:1:1: expected a Terraform plan with `resource_changes` or `planned_values`"
    );
    assert!(wrong.help().contains("terraform show -json"));
}

#[test]
fn a_part_whose_whole_is_elsewhere_is_checked_for_what_it_says() {
    let text = json!({"resource_changes": [
        change("aws_s3_bucket_public_access_block.only", &json!({"bucket": "elsewhere", "block_public_acls": true, "block_public_policy": false,
            "ignore_public_acls": true, "restrict_public_buckets": true}), &json!({})),
        change("aws_ecr_repository_policy.open", &json!({"repository": "images", "policy":
            "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"ecr:*\"}]}"}), &json!({})),
    ]})
    .to_string();
    assert!(verdict(&text, "CKV_AWS_53").ends_with("only holds "), "{}", verdict(&text, "CKV_AWS_53"));
    assert!(verdict(&text, "CKV_AWS_54").contains("only broken"));
    assert!(verdict(&text, "CKV_AWS_32").contains("open broken"), "{}", verdict(&text, "CKV_AWS_32"));
    let said = verdict(&text, "S3-12");
    assert!(
        said.contains("unknown the resource that `aws_s3_bucket_public_access_block.only` belongs to"),
        "{said}"
    );
    assert_eq!(plan("p", &text).unwrap().unread().len(), 2);
}

#[test]
fn values_without_changes_are_read_too() {
    let resource = json!({"address": "aws_ecs_task_definition.t", "mode": "managed", "type": "aws_ecs_task_definition", "values": {
        "pid_mode": null, "container_definitions": "[{\"name\":\"a\",\"privileged\":true,\"readonlyRootFilesystem\":true}]"}});
    let service = json!({"address": "module.m.aws_ecs_service.s", "mode": "managed", "type": "aws_ecs_service",
        "values": {"network_configuration": [{"assign_public_ip": true}]}});
    let group = json!({"address": "aws_cloudwatch_log_group.g", "mode": "managed", "type": "aws_cloudwatch_log_group",
        "values": {"retention_in_days": 0}});
    let text = json!({"planned_values": {"root_module": {"resources": [resource, group], "child_modules": [{"resources": [service]}]}},
        "configuration": {"root_module": {"resources": [configured("aws_cloudwatch_log_group.g", &json!({"kms_key_id": {"references": ["var.key"]}}))]}}})
    .to_string();
    for (control, word) in [
        ("CTR-01.privileged", "broken"),
        ("CTR-01.read-only", "holds"),
        ("CTR-01.processes", "holds"),
        ("CTR-03", "broken"),
        ("LOG-04.key", "unknown"),
        ("LOG-04.limit", "broken"),
        ("LOG-04.year", "holds"),
    ] {
        assert!(verdict(&text, control).contains(word), "{control}: {}", verdict(&text, control));
    }
}

#[test]
fn what_a_plan_lists_beside_or_within_counts() {
    let everybody = json!({"grantee": [{"uri": "http://acs.amazonaws.com/groups/global/AllUsers"}], "permission": "READ"});
    let text = json!({"resource_changes": [
        change("aws_s3_bucket.b", &json!({"bucket": "open"}), &json!({})),
        change("aws_s3_bucket_acl.b", &json!({"bucket": "open", "access_control_policy": [{"grant": [everybody]}]}), &json!({})),
        change("aws_subnet.s", &json!({"vpc_id": "vpc-1"}), &json!({})),
        change("aws_sagemaker_notebook_instance.n", &json!({}), &json!({"subnet_id": true})),
        change("aws_route_table.t", &json!({"vpc_id": "vpc-1", "route": [{"cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"}]}), &json!({})),
        change("aws_route_table_association.a", &json!({}), &json!({"subnet_id": true, "route_table_id": true})),
        change("aws_security_group.g", &json!({"name": "door", "ingress": []}), &json!({})),
        change("aws_security_group_rule.r", &json!({"type": "ingress", "cidr_blocks": ["0.0.0.0/0"], "from_port": 443, "to_port": 443}), &json!({"security_group_id": true})),
        change("aws_vpc_endpoint.e", &json!({"vpc_endpoint_type": "Interface", "service_name": "com.amazonaws.eu-west-1.kms", "private_dns_enabled": true}), &json!({"security_group_ids": [true]})),
    ], "configuration": {"root_module": {"resources": [
        configured("aws_sagemaker_notebook_instance.n", &json!({"subnet_id": {"references": ["aws_subnet.s.id", "aws_subnet.s"]}})),
        configured("aws_route_table_association.a", &json!({"subnet_id": {"references": ["aws_subnet.s.id", "aws_subnet.s"]}, "route_table_id": {"references": ["aws_route_table.t.id", "aws_route_table.t"]}})),
        configured("aws_security_group_rule.r", &json!({"security_group_id": {"references": ["aws_security_group.g.id", "aws_security_group.g"]}})),
        configured("aws_vpc_endpoint.e", &json!({"security_group_ids": {"references": ["aws_security_group.g.id", "aws_security_group.g"]}})),
    ]}}})
    .to_string();
    for (control, said) in [
        ("S3-03", "aws_s3_bucket.b broken a grant gives `READ`"),
        ("S3-04.list", "aws_s3_bucket.b holds"),
        ("NET-04", "aws_subnet.s broken every address is reached"),
        ("NET-03", "aws_vpc_endpoint.e broken it lets every address in"),
    ] {
        assert!(verdict(&text, control).starts_with(said), "{control}: {}", verdict(&text, control));
    }
}
