CREATE TABLE meta (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    seq INTEGER NOT NULL,      -- versions and fencing tokens: grows with each write
    purged INTEGER NOT NULL    -- the highest version whose tombstone is gone: older watchers must list again
);
INSERT INTO meta VALUES (1, 0, 0);
CREATE TABLE entry (
    key TEXT PRIMARY KEY,
    value BLOB,                -- NULL: a tombstone, kept for a while for the watchers
    version INTEGER NOT NULL,
    expires INTEGER            -- milliseconds since 1970; of a tombstone: when it may be purged
);
CREATE UNIQUE INDEX entry_version ON entry (version);
CREATE INDEX entry_expires ON entry (expires) WHERE expires IS NOT NULL;
CREATE TABLE lease (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    token INTEGER NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
