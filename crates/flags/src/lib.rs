//! Go-style flags on clap: two spellings, flag files, usage text
