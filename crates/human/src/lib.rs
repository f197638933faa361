//! Sizes, durations and version order as people read them
