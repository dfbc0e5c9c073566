import { describe, expect, it } from 'vitest';
import { EventHub } from './event-hub.js';

interface Events {
  readonly number: number;
  readonly text: string;
}

function setUp(): { hub: EventHub<Events>; faults: string[]; heard: unknown[] } {
  const faults: string[] = [];
  return { hub: new EventHub<Events>(({ message }) => faults.push(message)), faults, heard: [] };
}

describe('EventHub', () => {
  it('calls the listeners of an event in the order in which they subscribed', () => {
    const { hub, heard } = setUp();
    hub.on('number', (value) => heard.push(['first', value]));
    hub.on('number', (value) => heard.push(['second', value]));
    hub.on('text', (value) => heard.push(value));
    hub.emit('number', 1);
    expect(heard).toEqual([
      ['first', 1],
      ['second', 1],
    ]);
  });

  it('ends one subscription and no other, also of the same listener', () => {
    const { hub, heard } = setUp();
    const listener = (value: number): void => void heard.push(value);
    const off = hub.on('number', listener);
    hub.on('number', listener);
    hub.emit('number', 1);
    off();
    off();
    hub.emit('number', 2);
    expect(heard).toEqual([1, 1, 2]);
  });

  it('calls a `once` listener once, also when it emits the event itself', () => {
    const { hub, heard } = setUp();
    hub.once('number', (value) => {
      heard.push(value);
      hub.emit('number', 2);
    });
    hub.once('number', (value) => heard.push(['cancelled', value]))();
    hub.emit('number', 1);
    expect(heard).toEqual([1]);
  });

  it('reports a listener that throws, and goes on with the others', () => {
    const { hub, heard, faults } = setUp();
    hub.on('number', () => {
      throw new Error('broken');
    });
    hub.on('number', () => {
      // oxlint-disable-next-line typescript/only-throw-error -- what a careless listener may do
      throw 'a string';
    });
    hub.on('number', (value) => heard.push(value));
    hub.emit('number', 1);
    expect(heard).toEqual([1]);
    expect(faults).toEqual(['broken', 'a string']);
  });

  it('hands the error to the caller of emitOrThrow, and stops there', () => {
    const { hub, heard, faults } = setUp();
    hub.on('number', () => {
      throw new Error('broken');
    });
    hub.on('number', (value) => heard.push(value));
    expect(() => hub.emitOrThrow('number', 1)).toThrow('broken');
    expect(heard).toEqual([]);
    expect(faults).toEqual([]);
  });

  it('does not call a listener that subscribes during the event', () => {
    const { hub, heard } = setUp();
    hub.once('number', () => void hub.on('number', (value) => heard.push(value)));
    hub.emit('number', 1);
    expect(heard).toEqual([]);
    hub.emit('number', 2);
    expect(heard).toEqual([2]);
  });
});
