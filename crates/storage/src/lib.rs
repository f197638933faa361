//! Object and blob back ends: a local directory, durable
