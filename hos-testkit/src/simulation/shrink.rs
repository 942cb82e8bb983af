//! A day that fails, made small: what can be left out is left out, and what can be simpler is made simpler, as long as it fails.
//!
//! Steps go first, in halves, quarters and so on (delta debugging: Zeller and Hildebrandt, 2002), then acts of steps, calls of
//! acts, faults, turns, processes; then all of it again, until nothing can go. Each try is a day of its own, from a new world.

use super::step::{Act, Day, Deed, Sealing, Step, Transaction};

/// The smallest day found that still fails, and how many were tried. `fails` is asked at most `tries` times.
pub fn shrink(day: &Day, tries: usize, fails: &mut dyn FnMut(&Day) -> bool) -> (Day, usize) {
    let mut search = Search { best: day.clone(), left: tries, fails };
    loop {
        let before = search.best.clone();
        search.drop_steps();
        search.one_by_one();
        if search.best == before || search.left == 0 {
            return (search.best, tries - search.left);
        }
    }
}

struct Search<'f> {
    best: Day,
    left: usize,
    fails: &'f mut dyn FnMut(&Day) -> bool,
}

impl Search<'_> {
    /// Keeps a day if it fails too.
    fn keep(&mut self, day: Day) -> bool {
        if day == self.best || self.left == 0 {
            return false;
        }
        self.left -= 1;
        let fails = (self.fails)(&day);
        if fails {
            self.best = day;
        }
        fails
    }

    /// Leaves out runs of steps, the long ones first, from the end: what failed failed there.
    fn drop_steps(&mut self) {
        let mut size = self.best.steps.len().div_ceil(2);
        while size > 0 {
            let mut end = self.best.steps.len();
            while end > 0 {
                let begin = end.saturating_sub(size);
                let mut day = self.best.clone();
                day.steps.drain(begin..end.min(day.steps.len()));
                self.keep(day);
                end = begin.min(self.best.steps.len());
            }
            size = if size == 1 { 0 } else { size.div_ceil(2) };
        }
    }

    /// Makes each step simpler, and the processes fewer.
    fn one_by_one(&mut self) {
        let mut at = 0;
        while at < self.best.steps.len() {
            if let Step::Together { acts, .. } = &self.best.steps[at] {
                let mut day = self.best.clone();
                day.steps.splice(at..=at, acts.iter().cloned().map(Step::Alone));
                self.keep(day);
            }
            // A simpler one may be made simpler again.
            while simpler(&self.best.steps[at]).into_iter().any(|step| {
                let mut day = self.best.clone();
                day.steps[at] = step;
                self.keep(day)
            }) {}
            at += 1;
        }
        for process in (0..self.best.processes.len()).rev() {
            let day = without(&self.best, process);
            if day.processes.is_empty() || self.keep(day) {
                continue;
            }
            let mut day = self.best.clone();
            day.processes[process] = Sealing::Inline;
            self.keep(day);
        }
    }
}

/// The day with one process fewer: the first does what it did, and of acts at the same time the first remains.
fn without(day: &Day, process: usize) -> Day {
    let mut day = day.clone();
    day.processes.remove(process);
    let moved = |p: &mut usize| {
        *p = match (*p).cmp(&process) {
            std::cmp::Ordering::Less => *p,
            std::cmp::Ordering::Equal => 0,
            std::cmp::Ordering::Greater => *p - 1,
        }
    };
    for step in &mut day.steps {
        match step {
            Step::Alone(act) => moved(&mut act.process),
            Step::Skew { process, .. } | Step::Restart { process, .. } => moved(process),
            Step::Together { acts, .. } => {
                let mut seen = Vec::new();
                acts.iter_mut().for_each(|act| moved(&mut act.process));
                acts.retain(|act| {
                    !seen.contains(&act.process) && {
                        seen.push(act.process);
                        true
                    }
                });
            }
            Step::Wait(_) | Step::Keep | Step::Restore | Step::Inspect => {}
        }
    }
    day
}

/// Simpler forms of a step, the simplest first.
fn simpler(step: &Step) -> Vec<Step> {
    match step {
        Step::Alone(act) => acts(act).into_iter().map(Step::Alone).collect(),
        Step::Together { turns, acts: all } => {
            let mut forms: Vec<Step> = all.iter().cloned().map(Step::Alone).collect();
            let with = |turns, acts| Step::Together { turns, acts };
            if *turns != 0 {
                forms.extend((0..4).filter(|simple| simple < turns).map(|simple| with(simple, all.clone())));
            }
            for (at, act) in all.iter().enumerate() {
                let mut fewer = all.clone();
                fewer.remove(at);
                forms.extend((fewer.len() > 1).then(|| with(*turns, fewer)));
                for other in acts(act) {
                    let mut changed = all.clone();
                    changed[at] = other;
                    forms.push(with(*turns, changed));
                }
            }
            forms
        }
        Step::Wait(_) | Step::Skew { .. } | Step::Restart { .. } | Step::Keep | Step::Restore | Step::Inspect => Vec::new(),
    }
}

fn acts(act: &Act) -> Vec<Act> {
    let mut forms = Vec::new();
    if act.fault.is_some() {
        forms.push(Act { fault: None, ..act.clone() });
    }
    let deed = |deed| Act { deed, ..act.clone() };
    match &act.deed {
        Deed::Batch(calls) => {
            forms.extend(calls.iter().cloned().map(|call| deed(Deed::Call(call))));
            forms.extend(fewer(calls).map(|calls| deed(Deed::Batch(calls))));
        }
        Deed::Host(of) => {
            forms.extend(of.calls.iter().cloned().map(|call| deed(Deed::Call(call))));
            forms.extend(fewer(&of.calls).map(|calls| deed(Deed::Host(Transaction { calls, ..of.clone() }))));
            if !of.immediate {
                forms.push(deed(Deed::Host(Transaction { immediate: true, ..of.clone() })));
            }
        }
        Deed::Call(call) if call.once.is_some() => {
            forms.push(deed(Deed::Call(crate::model::Call { once: None, ..call.clone() })));
        }
        Deed::Activate { by, off } => {
            forms.extend(fewer(off).map(|off| deed(Deed::Activate { by, off })));
        }
        Deed::Call(_) | Deed::Tick(_) | Deed::Work | Deed::Poll { .. } | Deed::Acknowledge { .. } => {}
    }
    forms
}

/// All lists with one less, none of them empty.
fn fewer<T: Clone>(all: &[T]) -> impl Iterator<Item = Vec<T>> + '_ {
    (0..all.len())
        .filter(|_| all.len() > 1)
        .map(|at| all.iter().enumerate().filter(|(i, _)| *i != at).map(|(_, t)| t.clone()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simulation::{End, LENGTH, day};

    #[test]
    fn what_does_not_matter_goes() {
        // It "fails" where a process is dropped and, some time later, a tick comes.
        let fails = |day: &Day| {
            let dropped = day.steps.iter().position(|s| matches!(s, Step::Restart { end: End::Dropped, .. }));
            dropped.is_some_and(|at| day.steps[at..].iter().any(|s| s.acts().iter().any(|act| matches!(act.deed, Deed::Tick(_)))))
        };
        let seed = (0..).find(|seed| fails(&day(*seed, LENGTH, 0))).unwrap();
        let (small, tried) = shrink(&day(seed, LENGTH, 0), 1_000, &mut |day| fails(day));
        assert!(fails(&small) && tried < 300, "{tried}");
        assert_eq!((small.steps.len(), small.processes.len()), (2, 1), "{small:?}");
        assert!(small.steps.iter().all(|s| s.acts().iter().all(|act| act.fault.is_none())));
    }

    #[test]
    fn a_day_that_does_not_fail_without_any_step_stays() {
        let whole = day(5, LENGTH, 0);
        let (small, _) = shrink(&whole, 10_000, &mut |day| day.steps.len() == whole.steps.len());
        assert_eq!(small.steps.len(), whole.steps.len());
    }
}
