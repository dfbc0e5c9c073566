/** A node id: 1 to 64 characters of A-Z a-z 0-9 . _ -, so that it can stand in logs, metrics, file names and certificates. */
export const NODE_ID_PATTERN = /^[A-Za-z0-9._-]{1,64}$/;

export function isNodeId(text: string): boolean {
  return NODE_ID_PATTERN.test(text);
}
