//! Running commands as a user would, showing them, and keeping what they answered.

use super::PROGRESS;
use crate::answer::Answers;
use crate::failure::{Exit, Failure};
use crate::house::write_private;
use serde_json::{Value, json};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// How a step should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// Well.
    Done,
    /// Refused: that is what the step shows.
    Refused,
    /// Damage is found: that is what the step shows.
    Damaged,
}

/// Where the story plays.
pub(super) struct Stage<'a> {
    program: PathBuf,
    dir: PathBuf,
    answers: &'a Answers,
    chapter: u32,
    step: u32,
}

impl<'a> Stage<'a> {
    pub(super) fn open(dir: &Path, answers: &'a Answers) -> Result<Self, Failure> {
        let program = std::env::current_exe().map_err(|error| Failure::io("find this program", error))?;
        let stage = Self { program, dir: dir.to_owned(), answers, chapter: 0, step: 0 };
        stage.remember(false)?;
        Ok(stage)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Begins a chapter.
    pub(super) fn chapter(&mut self, title: &str) -> Result<(), Failure> {
        self.chapter += 1;
        if self.answers.json() { Ok(()) } else { self.answers.line(&format!("\n{}. {title}", self.chapter)) }
    }

    /// Runs a command that must end as said; gives its JSON answer.
    pub(super) fn run(&mut self, what: &str, command: &[&str], ends: Ends) -> Result<Value, Failure> {
        self.run_in(&self.dir.clone(), what, command, ends)
    }

    /// The same, in another folder.
    pub(super) fn run_in(
        &mut self,
        dir: &Path,
        what: &str,
        command: &[&str],
        ends: Ends,
    ) -> Result<Value, Failure> {
        let output = Command::new(&self.program)
            .arg("--json")
            .arg("--dir")
            .arg(dir)
            .args(command)
            .env_remove("WARDMOTE_ACCESS_KEY")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| Failure::io("start this program again", error))?;
        let text = String::from_utf8_lossy(&output.stdout);
        let answer: Value =
            text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or(Value::Null);
        let expected = match ends {
            Ends::Done => 0,
            Ends::Refused => Exit::Refused as i32,
            Ends::Damaged => Exit::Damaged as i32,
        };
        let exit = output.status.code().unwrap_or(-1);
        if exit != expected {
            let said =
                answer["error"]["message"].as_str().map_or_else(|| text.trim().to_owned(), str::to_owned);
            let said = if said.is_empty() {
                String::from_utf8_lossy(&output.stderr).trim().to_owned()
            } else {
                said
            };
            let shown = typed(dir, command);
            return Err(Failure::new(
                Exit::Failed,
                format!("the step `{shown}` ended with {exit}, not with {expected}: {said}"),
            )
            .with_help("run the command by hand to see all of it"));
        }
        self.show(what, Some(&typed(dir, command)), &answer)?;
        Ok(answer)
    }

    /// Shows something that is not a command, such as an HTTP call.
    pub(super) fn show(&mut self, what: &str, command: Option<&str>, answer: &Value) -> Result<(), Failure> {
        self.step += 1;
        self.remember(false)?;
        let evidence = evidence_of(answer);
        if self.answers.json() {
            let line = json!({
                "chapter": self.chapter, "step": self.step, "what": what, "command": command,
                "evidence": evidence, "answer": answer,
            });
            return self.answers.line(&line.to_string());
        }
        self.answers.line(&format!("   {what}"))?;
        if let Some(command) = command {
            self.answers.line(&format!("     $ {command}"))?;
        }
        if let Some(message) = answer["error"]["message"].as_str() {
            self.answers.line(&format!("     refused: {message}"))?;
            if let Some(help) = answer["error"]["help"].as_str() {
                self.answers.line(&format!("       help: {help}"))?;
            }
        }
        let last =
            evidence.as_array().and_then(|list| list.last()).and_then(Value::as_str).map(str::to_owned);
        last.map_or(Ok(()), |last| self.answers.line(&format!("       evidence {last}")))
    }

    /// A line of result under the last step.
    pub(super) fn say(&self, text: &str) -> Result<(), Failure> {
        if self.answers.json() { Ok(()) } else { self.answers.line(&format!("     {text}")) }
    }

    /// The end: what was shown, and where to look.
    pub(super) fn end(&mut self, lines: &[String]) -> Result<(), Failure> {
        self.remember(true)?;
        if self.answers.json() {
            return self.answers.line(
                &json!({ "finished": true, "steps": self.step, "dir": self.dir, "summary": lines })
                    .to_string(),
            );
        }
        self.answers.line("")?;
        lines.iter().try_for_each(|line| self.answers.line(line))
    }

    /// Starts the gateway as a child that ends when this program does, however it does.
    pub(super) fn serve(&mut self) -> Result<Gateway, Failure> {
        let command = ["serve", "--listen", "127.0.0.1:0", "--capture-seconds", "1"];
        let mut child = Command::new(&self.program)
            .arg("--json")
            .arg("--dir")
            .arg(&self.dir)
            .args(command)
            .arg("--until-stdin-closes")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Failure::io("start the gateway", error))?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(|error| Failure::io("read from the gateway", error))?;
        }
        let answer: Value = serde_json::from_str(&line).unwrap_or(Value::Null);
        let address =
            answer["listening"].as_str().and_then(|url| url.strip_prefix("http://")).map(str::to_owned);
        let Some(address) = address else {
            drop(child.kill());
            return Err(Failure::new(Exit::Failed, format!("the gateway did not start: {}", line.trim())));
        };
        self.show("The gateway serves what is deployed", Some(&typed(&self.dir, &command)), &answer)?;
        Ok(Gateway { child, address })
    }

    fn remember(&self, finished: bool) -> Result<(), Failure> {
        let progress = json!({ "step": self.step, "finished": finished });
        Ok(write_private(&self.dir.join(PROGRESS), progress.to_string().as_bytes())?)
    }
}

/// The gateway, running.
pub(super) struct Gateway {
    child: Child,
    /// Where it listens.
    pub(super) address: String,
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Its standard input closes, and it hands over what it has captured before it ends.
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

/// The entries that an answer names: its own, a refusal's, those of a list, or that of what served.
fn evidence_of(answer: &Value) -> Value {
    if answer["error"].is_object() {
        return json!([answer["error"]["evidence"]]);
    }
    if let Some(list) = answer.as_array() {
        return list.iter().map(|entry| entry["evidence"].clone()).filter(|id| !id.is_null()).collect();
    }
    match &answer["serving"]["evidence"] {
        Value::Null => answer["evidence"].clone(),
        id => json!([id]),
    }
}

/// A command as a user would type it.
fn typed(dir: &Path, command: &[&str]) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let quote = |word: &str| {
        let short = word.strip_prefix(&format!("{}/", here.display())).unwrap_or(word);
        if short.contains([' ', '{', '*', '(']) { format!("'{short}'") } else { short.to_owned() }
    };
    let words: Vec<String> = command.iter().map(|word| quote(word)).collect();
    format!("wardmote --dir {} {}", quote(&dir.display().to_string()), words.join(" "))
}
