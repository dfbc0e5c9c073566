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

/** "4 ms", "1.2 s", "3 min" */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${Math.round(ms / 3_600_000)} h`;
}

/** "12:04:07.132": local time of day, to the millisecond. */
export function clockTime(ms: number): string {
  const at = new Date(ms);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, '0')}`;
}

/** "740 H/s", "3.1 kH/s" */
export function hashRate(perSecond: number): string {
  if (perSecond < 1_000) return `${Math.round(perSecond)} H/s`;
  if (perSecond < 1e6) return `${(perSecond / 1_000).toFixed(1)} kH/s`;
  return `${(perSecond / 1e6).toFixed(1)} MH/s`;
}
