const WORDS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

/** "1,204" */
export function count(value: number): string {
  return value.toLocaleString('en');
}

/** "1 block", "2 blocks", "3 entries" */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** "three", and "12" where a word would be long. */
export function inWords(value: number): string {
  return WORDS[value] ?? count(value);
}

/** "node-1", "node-1 and node-2", "node-1, node-2 and node-3" */
export function list(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

export function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}

/** What stands for a node where there is no room for its name. */
export interface NodeLetter {
  readonly letter: string;
  /** Its place in the order of the names, from 0: chooses a colour. */
  readonly place: number;
}

/** A letter for each node id: the same on the page and in the terminal, wherever the same names are known. */
export function lettersFor(nodeIds: Iterable<string>): ReadonlyMap<string, NodeLetter> {
  const sorted = [...new Set(nodeIds)].sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  return new Map(sorted.map((nodeId, place) => [nodeId, { letter: letterAt(place), place }]));
}

/** A to Z, then AA and so on. */
function letterAt(place: number): string {
  const last = String.fromCodePoint(65 + (place % 26));
  return place < 26 ? last : letterAt(Math.floor(place / 26) - 1) + last;
}
