//! The HTTP front door: balancer for flow traffic, admin API, console.
