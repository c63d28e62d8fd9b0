//! Printed output, in the format of the model's Python version.

use crate::ids::{Id, ProcId, ThreadId};
use crate::kernel::Kernel;
use crate::kernel::log::Cause;
use crate::kernel::policy::Policy;
use crate::trace::{Observer, What};

/// Thread idents count down from here in steps of one stack, as addresses of a real process do.
const FIRST_IDENT: u64 = 140_000_000_000_000;
const IDENT_STEP: u64 = 8_392_704;

impl<P: Policy, O: Observer> Kernel<'_, P, O> {
    /// `print(text)`; `{__name__}` and `{pid}` are replaced.
    pub(super) fn print(&mut self, thread: ThreadId, text: &str) {
        self.threads[thread].cursor.advance();
        if !O::WATCHES {
            return;
        }
        let process = self.scenario.threads()[thread].process;
        let pid = self.scenario.processes()[process].pid.to_string();
        let text = text.replace("{__name__}", self.module_name(process)).replace("{pid}", &pid);
        for line in text.split('\n') {
            self.put(thread, line.to_string());
        }
    }

    /// Process id, thread count and `threading.enumerate()`.
    pub(super) fn show(&mut self, thread: ThreadId) {
        self.threads[thread].cursor.advance();
        if !O::WATCHES {
            return;
        }
        let process = self.scenario.threads()[thread].process;
        let lines = self.enumerate(process);
        self.put(thread, format!("  Process ID:  {}", self.scenario.processes()[process].pid));
        self.put(thread, format!("Thread Count:  {}", lines.len()));
        lines.into_iter().for_each(|line| self.put(thread, line));
    }

    /// The living threads of a process, as `threading.enumerate()` shows them: `MainThread` first.
    fn enumerate(&self, process: ProcId) -> Vec<String> {
        let main = format!("<_MainThread(MainThread, started {FIRST_IDENT})>");
        let others = self.processes[process].alive.values().filter_map(|thread| {
            let declared = &self.scenario.threads()[*thread];
            let place = thread.index() as u64 - u64::from(self.scenario.processes()[process].threads.start) + 1;
            let ident = FIRST_IDENT - place * IDENT_STEP;
            let daemon = if declared.daemon { "daemon " } else { "" };
            let shown = declared.python_name != "MainThread";
            shown.then(|| format!("<Thread({}, started {daemon}{ident})>", declared.python_name))
        });
        std::iter::once(main).chain(others).collect()
    }

    /// `__name__` of the main module: a child that imported it again knows it by another name.
    fn module_name(&self, process: ProcId) -> &'static str {
        let imported = self.is_imported(process);
        if imported { "__mp_main__" } else { "__main__" }
    }

    pub(super) fn put(&mut self, thread: ThreadId, text: String) {
        self.write(Cause::Thread(thread), What::Output { thread, text });
    }
}
