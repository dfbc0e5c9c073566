/** Of @grpc/grpc-js (resolver, ciphers, roots, traces on stderr) and of Nest (its log). */
const OF_LIBRARIES = /^(GRPC|NEST)_/;

/**
 * Takes away the variables by which others steer libraries that a node is made of. They are often set for other programs
 * on the machine. The libraries read them when they are loaded, so this must happen before.
 */
export function dropLibrarySettings(env: NodeJS.ProcessEnv): void {
  for (const name of Object.keys(env).filter((candidate) => OF_LIBRARIES.test(candidate))) delete env[name];
}
