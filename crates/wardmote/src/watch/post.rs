//! Waiting: for messages, for the next sweep, for a signal that ends it.

use crate::failure::Failure;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use world::{Letter, PortError, Queue};

const LOOK: Duration = Duration::from_millis(100);

/// Whether somebody wants it to end.
pub(super) struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Listens for SIGINT and SIGTERM. A second one ends the program at once: what is on record is whole at every moment.
    pub(super) fn listen() -> Result<Self, Failure> {
        let asked = Arc::new(AtomicBool::new(false));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::io("listen for signals", error))?;
        let given = Arc::clone(&asked);
        let (ready, is_ready) = channel();
        std::thread::spawn(move || {
            runtime.block_on(async {
                use tokio::signal::unix::{SignalKind, signal};
                let both = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()));
                let (Ok(mut terminate), Ok(mut interrupt)) = both else { return };
                ready.send(()).unwrap_or_default();
                for turn in 0..2 {
                    tokio::select! {
                        _ = terminate.recv() => {}
                        _ = interrupt.recv() => {}
                    }
                    given.store(true, Ordering::SeqCst);
                    if turn == 1 {
                        std::process::exit(1);
                    }
                }
            });
        });
        let failed = |_| Failure::io("listen for signals", std::io::Error::other("no signal can be heard"));
        is_ready.recv().map_err(failed)?;
        Ok(Self(asked))
    }

    pub(super) fn is_asked(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    /// Waits, but not longer than until somebody wants it to end.
    pub(super) fn wait(&self, time: Duration) {
        let end = Instant::now() + time;
        while !self.is_asked() && Instant::now() < end {
            std::thread::sleep(LOOK.min(end.saturating_duration_since(Instant::now())));
        }
    }
}

type Answer = Result<Vec<Letter>, PortError>;

/// Asks a queue beside everything else, so that a signal does not wait for the queue.
pub(super) struct Post {
    questions: Sender<u32>,
    answers: Receiver<Answer>,
    /// A question was not answered yet.
    waits: Mutex<bool>,
}

impl Post {
    pub(super) fn start(queue: Arc<dyn Queue>) -> Self {
        let (questions, wanted) = channel::<u32>();
        let (given, answers) = channel();
        std::thread::spawn(move || {
            for seconds in wanted {
                if given.send(engine::receive(&*queue, seconds)).is_err() {
                    break;
                }
            }
        });
        Self { questions, answers, waits: Mutex::new(false) }
    }

    /// Messages, when there are some; nothing if it is to end. What comes later is given out again by the queue.
    pub(super) fn ask(&self, seconds: u32, stop: &Stop) -> Option<Answer> {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner);
        if !*waits {
            self.questions.send(seconds).ok()?;
            *waits = true;
        }
        loop {
            match self.answers.recv_timeout(LOOK) {
                Ok(answer) => {
                    *waits = false;
                    return Some(answer);
                }
                Err(RecvTimeoutError::Timeout) if !stop.is_asked() => {}
                Err(_) => return None,
            }
        }
    }
}
