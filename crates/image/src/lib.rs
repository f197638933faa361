//! The pure domain: trees, filters, triggers, tags, packages, differences, verification
