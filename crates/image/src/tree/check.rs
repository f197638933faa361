//! Validation of trees from peers.
