//! Who appends, and when. Callers queue up; whoever finds nobody at work commits all that has queued up, for itself and the
//! others, who wait for their answers meanwhile. So with many callers one sync serves them all, and with one caller no other
//! thread has to be woken.
//!
//! What need not be done before the answer is done by a thread beside them, a moment later for many commits at once: giving
//! out the checkpoint, and writing back a long WAL.

use super::sequencer::{Job, Sequencing};
use ledger::Draft;
use std::collections::VecDeque;
use std::sync::mpsc::{TryRecvError, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;
use world::{Kind, PortError, Receipt};

/// The most jobs in one commit.
const MAX_BATCH: usize = 1024;
/// How long a checkpoint may wait for later ones before it is given out.
const LINGER: Duration = Duration::from_millis(10);

/// The way into the log.
pub(super) struct Writer {
    shared: Arc<Shared>,
    keeper: Option<JoinHandle<()>>,
}

struct Shared {
    queue: Mutex<Queue>,
    /// Somebody has finished: answers are there, and the next may commit.
    finished: Condvar,
    /// There is something for the keeper.
    wanted: Condvar,
    /// None once it is closed.
    sequencing: Mutex<Option<Sequencing>>,
}

#[derive(Default)]
struct Queue {
    jobs: VecDeque<Job>,
    /// Somebody commits.
    busy: bool,
    /// Something was committed that is not given out.
    due: bool,
    closing: bool,
}

impl Writer {
    pub(super) fn new(sequencing: Sequencing) -> Result<Self, PortError> {
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            finished: Condvar::new(),
            wanted: Condvar::new(),
            sequencing: Mutex::new(Some(sequencing)),
        });
        let its = Arc::clone(&shared);
        let keeper = std::thread::Builder::new()
            .name("ledger".to_owned())
            .spawn(move || drop(its.keep()))
            .map_err(|error| PortError::io("start the thread of the ledger", error))?;
        Ok(Self { shared, keeper: Some(keeper) })
    }

    /// Appends, and waits until it is on the disk.
    pub(super) fn append(&self, drafts: Vec<Draft>) -> Result<Vec<Receipt>, PortError> {
        let (reply, answer) = channel();
        let mut queue = locked(&self.shared.queue)?;
        queue.jobs.push_back(Job { drafts, reply });
        loop {
            match answer.try_recv() {
                Ok(answer) => return answer,
                Err(TryRecvError::Disconnected) => return Err(gone()),
                Err(TryRecvError::Empty) if queue.busy => {
                    queue = self.shared.finished.wait(queue).map_err(|_| gone())?;
                }
                Err(TryRecvError::Empty) => {
                    let batch = queue.jobs.len().min(MAX_BATCH);
                    let batch = queue.jobs.drain(..batch).collect();
                    queue.busy = true;
                    drop(queue);
                    self.shared.commit(batch)?;
                    queue = locked(&self.shared.queue)?;
                }
            }
        }
    }
}

impl Shared {
    fn commit(&self, batch: Vec<Job>) -> Result<(), PortError> {
        // Whatever happens: whoever waits goes on.
        let _turn = Turn(self);
        locked(&self.sequencing)?.as_mut().ok_or_else(gone)?.commit(batch);
        Ok(())
    }

    /// Keeps up with what is committed until the end.
    fn keep(&self) -> Result<(), PortError> {
        loop {
            let idle = |queue: &mut Queue| !queue.due && !queue.closing;
            let queue = self.wanted.wait_while(locked(&self.queue)?, idle).map_err(|_| gone())?;
            let more = |queue: &mut Queue| !queue.closing;
            let (mut queue, _) = self.wanted.wait_timeout_while(queue, LINGER, more).map_err(|_| gone())?;
            queue.due = false;
            let closing = queue.closing;
            drop(queue);
            let mut sequencing = locked(&self.sequencing)?;
            if closing {
                if let Some(sequencing) = sequencing.take() {
                    sequencing.close();
                }
                return Ok(());
            }
            if let Some(sequencing) = sequencing.as_mut() {
                sequencing.keep_up();
            }
        }
    }
}

/// The turn to commit, until it is dropped.
struct Turn<'a>(&'a Shared);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Ok(mut queue) = self.0.queue.lock() {
            queue.busy = false;
            if !queue.due {
                queue.due = true;
                self.0.wanted.notify_one();
            }
        }
        self.0.finished.notify_all();
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Ok(mut queue) = self.shared.queue.lock() {
            queue.closing = true;
        }
        self.shared.wanted.notify_one();
        if let Some(keeper) = self.keeper.take() {
            // The thread has nobody left to tell; what it could not do at the end, the next opening does.
            drop(keeper.join());
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> Result<MutexGuard<'_, T>, PortError> {
    mutex.lock().map_err(|_| gone())
}

fn gone() -> PortError {
    PortError::new(Kind::Failed, "the ledger has stopped after an earlier failure")
}
