/** Who needs the rights on a file, for messages about one that is refused to us: containers often run as another user. */
export function processUser(): string {
  const uid = process.getuid?.();
  return uid === undefined ? 'this user' : `uid ${uid}`;
}
