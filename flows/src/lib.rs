//! What a flow document says: read, validate, expand, diff, review. Pure, no I/O.
