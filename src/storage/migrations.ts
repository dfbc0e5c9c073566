/** The oldest schema that this program can bring up to date; earlier ones were never released. */
export const FIRST_SCHEMA = 4;

/**
 * The schema, step by step from FIRST_SCHEMA on. Append only: a step that was released is never edited, since databases
 * out there have taken it already. Hashes are BLOBs of 32 bytes in internal order.
 */
export const migrations: readonly string[] = [
  `
  -- Every stored block, of the active chain or not; id is the order of arrival. There is no index on the hash: the tree
  -- in memory has it. The body stands last, so that what comes before it is read without it.
  CREATE TABLE blocks (
    id INTEGER PRIMARY KEY,
    height INTEGER NOT NULL,
    received_ms INTEGER NOT NULL, -- since the epoch, by this node's clock
    body_crc INTEGER NOT NULL, -- CRC-32 of the body
    header BLOB NOT NULL, -- 80 bytes
    body BLOB NOT NULL -- transaction count and transactions
  ) STRICT;

  -- The active chain: this block and its ancestors.
  CREATE TABLE chain_tip (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    block_id INTEGER NOT NULL REFERENCES blocks (id),
    hash BLOB NOT NULL -- no later block vouches for this one's header
  ) STRICT;

  -- Where the entries of all stored blocks stand, side blocks included: the last 48 bits of the id as it is shown, and
  -- block id * 2^20 + byte offset in the body. Whoever looks an entry up asks the tree whether its block is active.
  CREATE TABLE entries (
    prefix INTEGER NOT NULL,
    place INTEGER NOT NULL,
    PRIMARY KEY (prefix, place)
  ) STRICT, WITHOUT ROWID;

  -- Big blocks whose entries are not all in that table yet.
  CREATE TABLE unindexed_blocks (
    block_id INTEGER PRIMARY KEY REFERENCES blocks (id)
  ) STRICT;

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

  -- Blocks that entered or left the active chain in a reorganisation, and whose entries the mempool has still to look at.
  CREATE TABLE unsettled_blocks (
    block_id INTEGER PRIMARY KEY REFERENCES blocks (id)
  ) STRICT;

  CREATE TABLE peers (
    address TEXT PRIMARY KEY,
    key TEXT, -- of the node that answered there last, 64 hex digits
    node_id TEXT, -- that node's label
    source TEXT NOT NULL,
    last_seen_ms INTEGER
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

/** The schema that this program writes. */
export const SCHEMA = FIRST_SCHEMA + migrations.length - 1;
