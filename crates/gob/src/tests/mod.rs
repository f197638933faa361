//! Tests of the whole.

mod examples;
