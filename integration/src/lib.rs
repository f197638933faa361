//! Tests that start the real programs
