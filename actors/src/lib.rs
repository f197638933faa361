//! The supervised actors and their messages
