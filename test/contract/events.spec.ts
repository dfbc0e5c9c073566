import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { feedEventSchema } from '../../src/events/event-schemas.js';

const text = readFileSync('docs/events.md', 'utf8');
const types = feedEventSchema.options.map(({ shape }) => shape.type.value);

it('docs/events.md describes every type of event with its fields', () => {
  for (const { shape } of feedEventSchema.options) {
    const type = shape.type.value;
    const row = text.split('\n').find((line) => line.startsWith(`| \`${type}\``))!;
    expect([type, row]).toEqual([type, expect.any(String)]);
    if (type === 'sync') continue;
    const named = [
      ...row
        .split('|')
        .at(-2)!
        .matchAll(/`(\w+)`/g),
    ].map(([, name]) => name);
    expect([type, named]).toEqual([type, Object.keys(shape).filter((key) => key !== 'type' && key !== 'atMs')]);
  }
});

it('docs/events.md shows an event of each type that is valid', () => {
  const examples = text.split('\n').filter((line) => line.startsWith('{"type":'));
  const events = examples.map((line) => {
    const event = JSON.parse(line) as object;
    expect(feedEventSchema.parse(event)).toEqual(event);
    return (event as { type: string }).type;
  });
  expect(events).toEqual(types);
});
