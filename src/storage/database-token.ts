/** Injection token of the node's Database. */
export const DATABASE = Symbol('Database');
