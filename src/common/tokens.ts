/** Injection tokens of what a node is given from outside (see node.ts); the rest is injected by class. */
export const CLOCK = Symbol('Clock');
export const RANDOM = Symbol('Random');
export const LOGGER = Symbol('Logger');
export const LOG_OUTPUT = Symbol('LogOutput');
export const REGISTRY = Symbol('Registry');
export const NODE_CONFIG = Symbol('NodeConfig');
export const CONSENSUS_PARAMS = Symbol('ConsensusParams');
