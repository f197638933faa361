//! What all daemons share: listener, page frame, metrics, health, logs, SRPC dispatch
