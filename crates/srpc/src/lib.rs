//! The SRPC transport: client and server, gob and JSON, TLS inside CONNECT
