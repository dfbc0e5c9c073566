import { z } from 'zod';
import { bodyError, expected } from '../common/http-input.js';
import { PROCESS_VERBS } from './cluster-port.js';

/** A fault that nobody ends is over after so long. */
export const DEFAULT_SECONDS = 600;
const MAX_SECONDS = 86_400;
/** Far below the 15 s of silence after which a peer counts as lost, both ways together. */
export const MAX_DELAY_MS = 5_000;
const MAX_HASH_RATE = 1_000_000_000_000;
const MAX_NODES = 1_000;
const MAX_ID_CHARS = 200;

export const MINING_MODES = ['off', 'entries', 'always'] as const;
export type MiningMode = (typeof MINING_MODES)[number];

const seconds = wholeNumber(1, MAX_SECONDS)
  .default(DEFAULT_SECONDS)
  .meta({ description: 'It ends by itself after so long.' });

function wholeNumber(min: number, max: number) {
  const error = expected(`a whole number from ${min} to ${max}`);
  return z.int({ error }).min(min, { error }).max(max, { error });
}

const nodeId = z.string({ error: expected('a node id') }).max(MAX_ID_CHARS, { error: expected('a node id') });

export const nodeIdSchema = z
  .string()
  .meta({ openapi: { type: 'string', description: 'A node id.', example: 'node-2' } });

const verbs = PROCESS_VERBS.join(', ');
export const verbSchema = z.enum(PROCESS_VERBS, { error: expected(`one of ${verbs}`) });

const groupsError = expected('a list of groups, each a list of node ids, such as [["node-1"], ["node-2", "node-3"]]');

export const partitionRequestSchema = z.strictObject(
  {
    groups: z
      .array(z.array(nodeId, { error: groupsError }).max(MAX_NODES, { error: groupsError }), { error: groupsError })
      .max(MAX_NODES, { error: groupsError })
      .meta({ description: 'Nodes that no group names form one more.' }),
    seconds,
  },
  { error: bodyError(['groups', 'seconds'], 'a JSON object such as {"groups": [["node-1"], ["node-2", "node-3"]]}') },
);

const DELAY = wholeNumber(0, MAX_DELAY_MS);

export const linkRequestSchema = z
  .strictObject(
    {
      cut: z.literal(true, { error: expected('true, or DELETE to end it') }).optional(),
      delayMs: DELAY.optional().meta({ description: 'Each message comes so much later, in both directions.' }),
      jitterMs: DELAY.optional().meta({ description: 'Up to so much more, another amount for each message.' }),
      seconds,
    },
    {
      error: bodyError(['cut', 'delayMs', 'jitterMs', 'seconds'], 'a JSON object such as {"cut": true}'),
    },
  )
  .refine(({ cut, delayMs, jitterMs }) => (cut === undefined) !== (delayMs === undefined && jitterMs === undefined), {
    message: 'expected either {"cut": true} or {"delayMs": 800, "jitterMs": 0}',
  });

export const miningRequestSchema = z
  .strictObject(
    {
      mode: z
        .enum(MINING_MODES, { error: expected(`one of ${MINING_MODES.join(', ')}`) })
        .optional()
        .meta({
          description: '`off`: only on POST /mine; `entries`: what is in the mempool; `always`: empty blocks too.',
        }),
      hashRate: wholeNumber(0, MAX_HASH_RATE).optional().meta({ description: 'Most hashes per second; 0 = no limit.' }),
    },
    { error: bodyError(['mode', 'hashRate'], 'a JSON object such as {"mode": "always", "hashRate": 4400}') },
  )
  .refine(({ mode, hashRate }) => mode !== undefined || hashRate !== undefined, {
    message: 'expected "mode", "hashRate" or both',
  });

export const processRequestSchema = z
  .strictObject(
    { seconds: seconds.meta({ description: 'Of `pause`: it resumes by itself after so long.' }) },
    { error: bodyError(['seconds'], 'no body, or a JSON object such as {"seconds": 60}') },
  )
  .default({ seconds: DEFAULT_SECONDS });

export const labSchema = z
  .object({
    nodeId: z.string().meta({ description: 'This node.' }),
    mining: z.object({
      mode: z.enum(MINING_MODES),
      hashRate: z.int().meta({ description: 'Most hashes per second; 0 = no limit.' }),
    }),
    links: z
      .array(
        z.object({
          nodeId: z.string(),
          cut: z.boolean(),
          delayMs: z.int(),
          jitterMs: z.int(),
          endsInSeconds: z.int(),
        }),
      )
      .meta({ description: 'What was done to single links of this node.' }),
    groups: z
      .array(z.array(z.string()))
      .nullable()
      .meta({ description: 'The partition in force; null if the network is whole.' }),
    groupsEndInSeconds: z.int().nullable(),
    nodes: z.array(z.string()).meta({ description: '`lab.nodes`: REST addresses of the nodes of one network.' }),
    cluster: z
      .object({
        nodes: z.array(
          z.object({
            nodeId: z.string(),
            url: z.string(),
            state: z.enum(['running', 'paused', 'stopping', 'ended']),
          }),
        ),
      })
      .nullable()
      .meta({ description: 'The processes that `minichain cluster` runs; null if this node was started alone.' }),
  })
  .meta({ id: 'Lab', description: 'Faults that were caused on purpose, and what else can be done.' });

export type LabView = z.infer<typeof labSchema>;
export type LinkRequest = z.infer<typeof linkRequestSchema>;
/** As clients send it. */
export type LinkInput = z.input<typeof linkRequestSchema>;
export type PartitionInput = z.input<typeof partitionRequestSchema>;
export type ProcessInput = z.input<typeof processRequestSchema>;
export type MiningRequest = z.infer<typeof miningRequestSchema>;
