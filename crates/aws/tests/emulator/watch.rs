//! What a watch stands on: a queue that keeps its contract, and rereading that comes to the same as reading everything.

use crate::support::proxy::xml_error;
use crate::support::{Emulator, client, proxied, script};
use aws::watch::SqsQueue;
use facts::inventory::{Difference, Inventory, Touched};

fn account(what: &str, names: &str) -> String {
    script("watch.py", what, Emulator::get().address, names).trim().to_owned()
}

/// Without what other tests do meanwhile in the same account.
fn own(mut inventory: Inventory) -> Inventory {
    inventory.resources.retain(|item| item.id.contains("reread-"));
    inventory
}

#[test]
fn a_queue_keeps_its_contract() {
    let url = account("queue", "contract|30");
    let queue = SqsQueue::new(client(Emulator::get().address), &url).unwrap();
    world::contract::queue::check(&queue, &mut |text| drop(account("say", &format!("contract|{text}"))));
    let wrong = ["", "queue", "https://sqs.eu-central-1.amazonaws.com/", "s3://a/b/c"];
    let said: Vec<String> = wrong
        .iter()
        .map(|url| SqsQueue::new(client(Emulator::get().address), url).err().unwrap().to_string())
        .collect();
    insta::assert_snapshot!(said.join("\n"), @r"
    `` is not the address of a queue
    `queue` is not the address of a queue
    `https://sqs.eu-central-1.amazonaws.com/` is not the address of a queue
    `s3://a/b/c` is not the address of a queue
    ");
}

#[test]
fn rereading_comes_to_the_same_as_reading_everything() {
    let client = client(Emulator::get().address);
    ["reread-a", "reread-b"].iter().for_each(|name| drop(account("bucket", name)));
    let mut inventory = aws::posture::collect(&client).unwrap();
    let kinds: Vec<Touched> = inventory.read.iter().map(|kind| Touched::all(kind)).collect();
    account("open", "reread-a");
    account("delete", "reread-b");
    account("bucket", "reread-c");
    let names = ["reread-a", "reread-b", "reread-c", "reread-never"];
    let touched = names.map(|name| Touched::one("AWS::S3::Bucket", name));
    aws::posture::reread(&client, &mut inventory, &touched).unwrap();
    let fresh = aws::posture::collect(&client).unwrap();
    assert_eq!(own(inventory.clone()).difference(&own(fresh.clone())), Difference::default());
    assert_eq!(inventory.read, fresh.read);
    aws::posture::reread(&client, &mut inventory, &kinds).unwrap();
    assert_eq!(own(inventory.clone()).difference(&own(fresh)), Difference::default());
    assert!(inventory.resources.is_sorted_by(|a, b| (&a.kind, &a.id) <= (&b.kind, &b.id)));
}

#[test]
fn what_cannot_be_listed_again_is_not_gone() {
    account("bucket", "reread-kept");
    let (proxy, client) = proxied();
    let before = aws::posture::collect(&client).unwrap();
    let mut inventory = before.clone();
    proxy.always("GET / ", xml_error(403, "AccessDenied"));
    proxy.always("GET /?", xml_error(403, "AccessDenied"));
    aws::posture::reread(&client, &mut inventory, &[Touched::one("AWS::S3::Bucket", "reread-kept")]).unwrap();
    assert!(!inventory.read.contains("AWS::S3::Bucket") && inventory.unread.contains_key("AWS::S3::Bucket"));
    let unknown = aws::posture::reread(&client, &mut inventory, &[Touched::all("AWS::Nothing::Known")]);
    insta::assert_snapshot!(unknown.unwrap_err().to_string(), @"`AWS::Nothing::Known` is no type that is read");
}
