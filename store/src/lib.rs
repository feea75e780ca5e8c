//! State that outlives a replica: key-value, compare-and-swap, counters, fenced leases, watches.
