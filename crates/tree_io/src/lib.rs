//! Trees in and out: scan and hash, unpack, tar
