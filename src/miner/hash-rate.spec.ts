import { describe, expect, it } from 'vitest';
import { HashRateMeter } from './hash-rate.js';

describe('HashRateMeter', () => {
  it('is 0 before the first search', () => {
    expect(new HashRateMeter().hashesPerSecond).toBe(0);
  });

  it('counts the time of searches alone', () => {
    const meter = new HashRateMeter();
    meter.begin(0, 0);
    meter.end(500, 1000);
    meter.begin(100_000, 1000);
    meter.end(100_500, 2000);
    expect(meter.hashesPerSecond).toBe(2000);
  });

  it('follows a long search when it is looked at', () => {
    const meter = new HashRateMeter();
    meter.begin(0, 0);
    meter.sample(2000, 4000);
    expect(meter.hashesPerSecond).toBe(2000);
    meter.sample(2000, 4000);
    expect(meter.hashesPerSecond).toBe(2000);
  });

  it('forgets what lies more than about 10 s back', () => {
    const meter = new HashRateMeter();
    let [atMs, hashes] = [0, 0];
    const searchFor = (seconds: number, rate: number): void => {
      for (let tenth = 0; tenth < seconds * 10; tenth++) {
        meter.begin(atMs, hashes);
        atMs += 100;
        hashes += rate / 10;
        meter.end(atMs, hashes);
      }
    };
    searchFor(30, 1000);
    searchFor(5, 3000);
    expect(meter.hashesPerSecond).toBeGreaterThan(1500);
    expect(meter.hashesPerSecond).toBeLessThan(2500);
    searchFor(11, 3000);
    expect(meter.hashesPerSecond).toBe(3000);
  });

  it('adds up searches shorter than the clock can tell', () => {
    const meter = new HashRateMeter();
    for (let search = 0; search < 3000; search++) {
      meter.begin(Math.floor(search * 0.4), search * 100);
      meter.end(Math.floor((search + 1) * 0.4), (search + 1) * 100);
    }
    expect(meter.hashesPerSecond).toBeCloseTo(250_000, -3);
  });
});
