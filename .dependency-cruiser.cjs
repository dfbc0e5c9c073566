/* Imports point one way (docs/architecture.md): each module may use what stands before it, never what stands after. */
const ORDER = [
  ['consensus', 'common'],
  ['config'],
  ['storage'],
  ['chain'],
  ['mempool'],
  ['miner', 'peers'],
  ['proofs', 'events'],
  ['lab'],
  ['rpc'],
  ['ops'],
];

const folder = (names) => `^src/(${names.join('|')})/`;
const TEST_FILES = '[.]spec[.]ts$';

const oneWay = ORDER.map((names, level) => ({
  name: `${names.join('-and-')}-import-nothing-above`,
  severity: 'error',
  from: { path: folder(names), pathNot: TEST_FILES },
  to: {
    path: `^src/`,
    pathNot: [...ORDER.slice(0, level).flat(), ...names].map((name) => `^src/${name}/`),
  },
}));

module.exports = {
  forbidden: [
    ...oneWay,
    {
      name: 'miner-and-peers-are-strangers',
      severity: 'error',
      from: { path: '^src/(miner|peers)/' },
      to: { path: '^src/(miner|peers)/', pathNot: '^src/$1/' },
    },
    {
      name: 'consensus-is-pure',
      comment: 'No framework, no I/O, no clock, no randomness: of Node only hashing and signatures.',
      severity: 'error',
      from: { path: '^src/consensus/', pathNot: [TEST_FILES, '^src/consensus/browser/'] },
      to: { pathNot: ['^src/consensus/(?!browser/)', '^(node:)?crypto$'] },
    },
    {
      name: 'offline-proofs-are-pure',
      comment: 'Whoever checks a proof has the rules and no node: the command line, a page in a browser.',
      severity: 'error',
      from: { path: '^src/proofs/offline/', pathNot: TEST_FILES },
      to: { pathNot: ['^src/proofs/offline/', '^src/consensus/'] },
    },
    {
      name: 'client-runs-anywhere',
      comment: 'In Node and in a browser, with the rules and the check of proofs alone. REST is known by its types.',
      severity: 'error',
      from: { path: '^src/client/', pathNot: [TEST_FILES, 'vite[.]config[.]ts$'] },
      to: { pathNot: ['^src/(client|consensus|proofs/offline)/'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nodes-do-not-use-the-client',
      severity: 'error',
      from: { path: '^src/(?!client/|cli/|explorer/)', pathNot: TEST_FILES },
      to: { path: '^src/client/' },
    },
    {
      name: 'commands-ask-through-the-client',
      comment:
        'Requests and events of the command line go through the client library, which is given this one way to connect.',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: [TEST_FILES, '^src/cli/node-fetch[.]ts$'] },
      to: { path: '^(node:)?https?$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'generated-types-stay-in-peers',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/peers/' },
      to: { path: '^src/peers/generated/' },
    },
    {
      name: 'sql-stays-in-stores',
      severity: 'error',
      from: { path: '^src/', pathNot: ['[.]store[.]ts$', '^src/storage/', TEST_FILES] },
      to: { path: 'node_modules/better-sqlite3/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'cli-knows-rest-by-its-types',
      comment: 'A command that asks a node starts without any part of a node.',
      severity: 'error',
      from: { path: '^src/cli/', pathNot: TEST_FILES },
      to: {
        path: '^src/(chain|mempool|miner|peers|proofs|events|lab|rpc|ops)/',
        pathNot: '^src/proofs/offline/',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'explorer-knows-the-node-by-its-types',
      comment:
        'The page runs in a browser: of the node it has the rules, the check of proofs, what REST answers look like, and the words.',
      severity: 'error',
      from: { path: '^src/explorer/', pathNot: TEST_FILES },
      to: {
        path: '^src/',
        pathNot: ['^src/(explorer|consensus|proofs/offline)/', '^src/common/(words|network-sentence)[.]ts$'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'explorer-has-no-followers',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/explorer/' },
      to: { path: '^src/explorer/' },
    },
    {
      name: 'sources-do-not-use-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: TEST_FILES },
      to: { path: `^test/|${TEST_FILES}` },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    {
      name: 'no-dead-files',
      comment: 'Every source file is reached from the command line, the worker or a test.',
      severity: 'error',
      from: {
        orphan: true,
        path: '^src/',
        pathNot: ['^src/miner/hash-worker[.]ts$', '^src/consensus/browser/crypto[.]ts$', '[.]d[.]ts$'],
      },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'src/miner/kernel/assembly' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
  },
};
