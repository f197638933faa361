//! Go's gob format, sans I/O.
