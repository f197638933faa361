//! Requests and replies of the services, as gob and JSON types
