//! An identity provider on loopback: its configuration and its keys, over real HTTP.

#[path = "../../../guard/tests/support/issuer.rs"]
pub(crate) mod issuer;

use issuer::{Key, set};

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

/// An issuer; without keys it is as if it were down.
pub(crate) struct Provider {
    address: SocketAddr,
    shown: Arc<Mutex<Option<Vec<u8>>>>,
}

impl Provider {
    pub(crate) fn with(keys: &[&Key]) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let shown = Arc::new(Mutex::new(Some(set(keys))));
        let inside = Arc::clone(&shown);
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut first = String::new();
                let mut lines = BufReader::new(stream.try_clone().unwrap());
                lines.read_line(&mut first).unwrap_or_default();
                let mut line = String::new();
                while lines.read_line(&mut line).is_ok_and(|read| read > 2) {
                    line.clear();
                }
                let Some(keys) = inside.lock().unwrap().clone() else { continue };
                let body = match first.split(' ').nth(1) {
                    Some("/bank/.well-known/openid-configuration") => {
                        let at = format!("http://{address}");
                        json!({ "issuer": format!("{at}/bank"), "jwks_uri": format!("{at}/keys") })
                            .to_string()
                            .into_bytes()
                    }
                    Some("/keys") => keys,
                    _ => continue,
                };
                let head =
                    format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n", body.len());
                drop(stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)));
            }
        });
        Self { address, shown }
    }

    /// From now on nobody answers.
    pub(crate) fn goes_down(&self) {
        *self.shown.lock().unwrap() = None;
    }

    pub(crate) fn issuer(&self) -> String {
        format!("http://{}/bank", self.address)
    }

    /// The claims of somebody's token, with some of them otherwise.
    pub(crate) fn claims(&self, subject: &str, more: &Value) -> Value {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        let mut all =
            json!({ "iss": self.issuer(), "aud": "wardmote", "sub": subject, "iat": now, "exp": now + 600 });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    }

    /// What `house.json` says of it.
    pub(crate) fn settings(&self, more: &Value) -> Value {
        let mut all = json!({
            "issuer": self.issuer(), "audience": ["wardmote"], "claim": "sub",
            "people": { "u-ada": "ada", "u-app": "credit-app", "u-carla": "carla", "u-gone": "nobody-any-more" },
        });
        all.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        all
    }
}
