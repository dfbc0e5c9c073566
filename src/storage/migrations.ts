/**
 * The schema, step by step. Append only: a step that was released is never edited, since databases out there have
 * taken it already. Hashes are BLOBs of 32 bytes in internal order. Big rows have an integer key and a unique hash
 * beside it (a WITHOUT ROWID table keyed by hash is 3 times slower with them); small ones are keyed by hash directly.
 */
export const migrations: readonly string[] = [
  `
  -- Every stored block, of the active chain or not; id is the order of arrival. The body stands last, so that what
  -- comes before it is read without it.
  CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    height INTEGER NOT NULL,
    chain_work BLOB NOT NULL, -- 32 bytes, big endian
    header BLOB NOT NULL, -- 80 bytes
    body BLOB NOT NULL -- transaction count and transactions
  ) STRICT;

  CREATE TABLE active_chain (
    height INTEGER PRIMARY KEY,
    block_id INTEGER NOT NULL REFERENCES blocks (id)
  ) STRICT;

  -- Where a transaction stands in the active chain; the key makes a second place impossible.
  CREATE TABLE transactions (
    id BLOB PRIMARY KEY,
    height INTEGER NOT NULL,
    position INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE invalid_blocks (
    hash BLOB PRIMARY KEY,
    code TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- sequence is the order in which blocks take them up.
  CREATE TABLE mempool (
    sequence INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    acknowledged INTEGER NOT NULL,
    bytes BLOB NOT NULL
  ) STRICT;

  CREATE TABLE peers (
    address TEXT PRIMARY KEY,
    node_id TEXT,
    source TEXT NOT NULL,
    last_seen_ms INTEGER,
    last_tried_ms INTEGER,
    failures INTEGER NOT NULL DEFAULT 0
  ) STRICT;

  CREATE TABLE bans (
    subject TEXT PRIMARY KEY,
    until_ms INTEGER NOT NULL,
    code TEXT NOT NULL
  ) STRICT;

  CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value ANY
  ) STRICT;
  `,
];
