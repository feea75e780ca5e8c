//! Whole-system tests, from outside.

mod main_job;
mod outside;
mod timers;
