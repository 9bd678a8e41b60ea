//! Processor time and memory of processes, as Linux tells them; elsewhere nothing is known. It only
//! looks.

use std::time::Duration;

/// How often Linux counts the processor time of a process, for programs.
const TICKS: u64 = 100;

/// What a process and those that it started have used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// Processor time, exact to 10 ms.
    pub processor: Duration,
    /// The memory that the process itself has, in bytes.
    pub memory: u64,
    /// The memory of those that it started, in bytes; what they share is counted for each.
    pub memory_of_children: u64,
}

/// The processor time of the thread that asks, exact to microseconds.
#[must_use]
pub fn of_thread() -> Option<Duration> {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = told.split_whitespace().next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// What a process has used, with those that it started and that still run.
#[must_use]
pub fn of_process(process: u32) -> Option<Usage> {
    let all = processes();
    let root = all.iter().find(|it| it.id == process)?;
    let mut usage = Usage {
        processor: root.processor,
        memory: memory_of(process).unwrap_or(0),
        memory_of_children: 0,
    };
    let mut family = vec![process];
    while let Some(parent) = family.pop() {
        for child in all.iter().filter(|it| it.parent == parent) {
            usage.processor += child.processor;
            usage.memory_of_children += memory_of(child.id).unwrap_or(0);
            family.push(child.id);
        }
    }
    Some(usage)
}

struct Process {
    id: u32,
    parent: u32,
    processor: Duration,
}

fn processes() -> Vec<Process> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers.filter_map(stat).collect()
}

fn stat(process: u32) -> Option<Process> {
    let text = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    parse(process, &text)
}

fn parse(process: u32, text: &str) -> Option<Process> {
    // The name in brackets may hold anything, also blanks and brackets.
    let (_, fields) = text.rsplit_once(')')?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks = |at: usize| fields.get(at)?.parse::<u64>().ok();
    Some(Process {
        id: process,
        parent: fields.get(1)?.parse().ok()?,
        processor: Duration::from_millis((ticks(11)? + ticks(12)?) * 1_000 / TICKS),
    })
}

/// The memory that a process itself has, in bytes.
#[must_use]
pub fn memory_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    let kilobytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kilobytes * 1024)
}

/// The memory that this process has, in bytes.
#[must_use]
pub fn memory() -> Option<u64> {
    memory_of(std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_read_whatever_it_is_called() {
        let text = "7 (a) b (c)) S 3 1 1 0 -1 4194304 1 1 1 1 150 50 9 9 20 0 1 0 5 6 7";
        let read = parse(7, text).expect("a process");
        assert_eq!(read.parent, 3);
        assert_eq!(read.processor, Duration::from_secs(2));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_has_memory() {
        let usage = of_process(std::process::id()).expect("it is there");
        assert!(usage.memory > 1 << 20, "{usage:?}");
        assert_eq!(of_process(u32::MAX), None);
    }
}
