//! Typed calls and flows of the image services
