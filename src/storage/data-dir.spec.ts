import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { temporaryDirectory } from '../../test/support/temp-dir.js';
import { DataDirUnusableError, prepareDataDir } from './data-dir.js';

/** What happens before a look at whether a path exists. */
const before = vi.hoisted(() => ({ look: (_path: fs.PathLike): void => undefined }));

vi.mock('node:fs', async (importOriginal) => {
  const real = await importOriginal<typeof fs>();
  return {
    ...real,
    existsSync: (path: fs.PathLike): boolean => {
      before.look(path);
      return real.existsSync(path);
    },
  };
});

describe('prepareDataDir', () => {
  it('makes directories that several nodes need while another node makes them', () => {
    const parent = join(temporaryDirectory(), 'a', 'b');
    before.look = (path) => {
      if (path === parent) fs.mkdirSync(parent, { recursive: true });
    };
    prepareDataDir(join(parent, 'node-1'), []);
    expect(fs.statSync(join(parent, 'node-1')).isDirectory()).toBe(true);
  });

  it('gives up where the system makes nothing', () => {
    before.look = () => undefined;
    expect(() => prepareDataDir('/proc/nope/node-1', [])).toThrow(DataDirUnusableError);
  });
});
