//! CloudFormation templates, JSON or YAML: parameters with defaults, mappings, conditions and functions are worked out
//! as far as the template itself goes.

use crate::intrinsic::Scope;
use crate::node::{Node, Value};
use crate::read::{Unreadable, either};
use crate::resource::{Estate, Resource};

/// Reads a template.
///
/// # Errors
/// If the text is neither JSON nor YAML, or not a template.
pub fn template(file: &str, text: &str) -> Result<Estate, Unreadable> {
    template_of(file, &either(file, text)?)
}

/// The same of a text that was read.
pub(crate) fn template_of(file: &str, root: &Node) -> Result<Estate, Unreadable> {
    let Some(resources) = root.get("Resources").filter(|node| matches!(node.value, Value::Map(_))) else {
        let message = "expected a template with `Resources`, an object of resources";
        let help =
            "a template has `Resources:` with logical ids below it; a Terraform plan is read with `--plan`";
        return Err(Unreadable::new(root.at, message, help).in_file(file));
    };
    let scope = Scope::new(root, resources);
    let mut all = Vec::new();
    let mut unread = Vec::new();
    for member in resources.members() {
        let Some(kind) = member.node.get("Type").and_then(Node::text) else {
            if member.key.starts_with("Fn::") {
                unread.push(format!("line {}: what `{}` makes is not read", member.at.line, member.key));
                continue;
            }
            let message = format!("the resource `{}` has no `Type`", member.key);
            return Err(Unreadable::new(
                member.at,
                message,
                "write its type, such as `Type: AWS::S3::Bucket`",
            )
            .in_file(file));
        };
        let condition = member.node.get("Condition").and_then(Node::text);
        let exists = condition.map_or(Some(true), |name| scope.condition(name));
        if exists == Some(false) {
            continue;
        }
        let properties = member
            .node
            .get("Properties")
            .map_or_else(|| Node::new(member.at, Value::Map(Vec::new())), |node| scope.resolve(node));
        all.push(Resource {
            id: member.key.clone(),
            own_id: None,
            kind: kind.to_owned(),
            account: None,
            region: None,
            at: member.at,
            properties: object(properties),
            parts: Vec::new(),
            condition: condition.filter(|_| exists.is_none()).map(ToOwned::to_owned),
            asked: None,
        });
    }
    if root.get("Transform").is_some() {
        unread.push("what the template's `Transform` adds or changes is not read".to_owned());
    }
    Ok(Estate::new(file, all, unread))
}

fn object(node: Node) -> Node {
    match node.value {
        Value::Null => Node::new(node.at, Value::Map(Vec::new())),
        _ => node,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resource::State;

    const TEXT: &str = r#"
Parameters:
  Env: {Type: String, Default: prod}
  Key: {Type: String}
  Subnet: {Type: "AWS::EC2::Subnet::Id"}
  Names: {Type: CommaDelimitedList, Default: "a, b"}
Mappings:
  Sizes: {prod: {count: 2}, test: {count: 1}}
Conditions:
  IsProd: !Equals [!Ref Env, prod]
  NoKey: !Equals [!Ref Key, ""]
  Both: !And [!Condition IsProd, !Not [!Condition NoKey]]
  Never: !Not [!Condition IsProd]
Resources:
  B: {Type: "AWS::S3::Bucket", Properties: {BucketName: !Sub "${Env}-data"}}
  Gone: {Type: "AWS::S3::Bucket", Condition: Never}
  Perhaps: {Type: "AWS::S3::Bucket", Condition: NoKey}
  T:
    Type: A::B::C
    Properties:
      Count: !FindInMap [Sizes, !Ref Env, count]
      Key: !Ref Key
      Arn: !GetAtt B.Arn
      Objects: !Sub "${B.Arn}/*"
      Joined: !Join ["-", [x, !Ref Env]]
      Second: !Select [1, !Ref Names]
      Split: !Select [0, !Split ["/", "p/q"]]
      If: !If [IsProd, yes-prod, !Ref "AWS::NoValue"]
      Nothing: !If [Never, x, !Ref "AWS::NoValue"]
      Open: !If [NoKey, x, y]
      Subnet: !Ref Subnet
      Imported: !ImportValue other
      Account: !Sub "arn:aws:iam::${AWS::AccountId}:root"
      Nested: {List: [!Ref "AWS::NoValue", 1]}
"#;

    #[test]
    fn functions_are_worked_out_as_far_as_the_template_goes() {
        let estate = template("t.yaml", TEXT).unwrap();
        assert!(estate.named("Gone").is_none());
        assert_eq!(estate.named("Perhaps").unwrap().condition.as_deref(), Some("NoKey"));
        assert_eq!(estate.named("B").unwrap().name(), Some("prod-data"));
        let t = estate.named("T").unwrap();
        let known = |key: &str| match t.property(&[key]) {
            State::Known(node) => node.shown(),
            State::Unknown(cause) => format!("unknown: {cause}"),
            State::Absent => "absent".to_owned(),
        };
        let expected = [
            ("Count", "2"),
            ("Key", "unknown: parameter `Key` has no default"),
            ("Arn", "${B.Arn}"),
            ("Objects", "${B.Arn}/*"),
            ("Joined", "x-prod"),
            ("Second", "b"),
            ("Split", "p"),
            ("If", "yes-prod"),
            ("Nothing", "absent"),
            ("Open", "unknown: condition `NoKey` cannot be worked out"),
            ("Subnet", "unknown: parameter `Subnet` has no default"),
            ("Imported", "unknown: `Fn::ImportValue` is the export of another stack"),
            ("Account", "arn:aws:iam::${AWS::AccountId}:root"),
            ("Nested", r#"{"List":[1]}"#),
        ];
        for (key, value) in expected {
            assert_eq!(known(key), value, "{key}");
        }
        assert!(t.properties.get("Subnet").unwrap().hole().unwrap().present);
        assert!(estate.refers(t.properties.get("Arn").unwrap(), estate.named("B").unwrap()));
        assert_eq!(estate.referring(estate.named("B").unwrap(), "A::B::C").count(), 1);
    }

    #[test]
    fn what_is_no_template_is_said() {
        let wrong = template("t.yaml", "a: 1").unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "t.yaml:1:1: expected a template with `Resources`, an object of resources"
        );
        let wrong = template("t.yaml", "Resources:\n  B: {}").unwrap_err();
        assert_eq!(wrong.to_string(), "t.yaml:2:3: the resource `B` has no `Type`");
    }

    #[test]
    fn conditions_in_a_circle_and_deep_ones_end() {
        let text = "Conditions: {A: !Not [!Condition B], B: !Not [!Condition A]}\nResources: {X: {Type: T, Condition: A}}";
        assert_eq!(template("t", text).unwrap().resources()[0].condition.as_deref(), Some("A"));
        let mut text = "Resources: {X: {Type: T, Condition: C0}}\nConditions:\n".to_owned();
        for at in 0..400 {
            let next = at + 1;
            text += &format!("  C{at}: !And [!Condition C{next}, !Condition C{next}]\n");
        }
        assert_eq!(template("t", &text).unwrap().resources().len(), 1);
    }
}
