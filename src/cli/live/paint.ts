import { colour } from '../terminal.js';

/** Colours say nothing that words or letters do not say too. */
const STYLES = {
  plain: undefined,
  strong: 'bold',
  faint: 'dim',
  good: 'green',
  warning: 'yellow',
  bad: 'red',
  'node-0': 'cyan',
  'node-1': 'magenta',
  'node-2': 'blue',
  'node-3': 'yellow',
  'node-4': 'green',
} as const;

export const NODE_STYLES = ['node-0', 'node-1', 'node-2', 'node-3', 'node-4'] as const;

export type Style = keyof typeof STYLES;

export type Paint = (style: Style, text: string) => string;

export const noPaint: Paint = (_style, text) => text;

export const paintWithColours: Paint = (style, text) => {
  const name = STYLES[style];
  return name === undefined || text === '' ? text : colour(name, text);
};
