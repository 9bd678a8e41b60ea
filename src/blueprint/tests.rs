//! Importing, end to end, on a journal in memory.
