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
