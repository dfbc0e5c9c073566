export { count, list, plural } from '../../common/words.js';

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
