import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { packageClosure } from '../../scripts/package-closure.mjs';
import { engineBinaries, isAllowed, required } from '../../scripts/vsix-content.mjs';
import { zipDirectory } from '../../scripts/zip-directory.mjs';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'turnwise-package-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function write(path: string, content: string | Buffer): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}

describe('what may be inside', () => {
  test.each([
    'src/extension.ts',
    'dist/bench.js',
    'dist/extension.cjs.map',
    '.env',
    'training/train.py',
    'node_modules/zod/index.js',
    'dist/node_modules/a/index.d.ts',
    'dist/node_modules/node-llama-cpp/llama/gitRelease.bundle',
    'test/host/bridge/bridge.js',
  ])('not %s', (path) => {
    expect(isAllowed(path)).toBe(false);
  });

  test.each([
    'package.json',
    'readme.md',
    'dist/engine.js',
    'media/models/turnwise-toy.gguf',
    'dist/node_modules/a/index.js',
  ])('%s', (path) => {
    expect(isAllowed(path)).toBe(true);
  });

  test('all that is required is allowed', () => {
    expect(required.filter((path) => !isAllowed(path))).toEqual([]);
    expect(required.length).toBeGreaterThan(10);
  });

  test('one binary a platform is told from the files around it', () => {
    const paths = ['x/bins/linux-x64/llama-addon.node', 'x/bins/linux-x64/libllama.so', 'y/llama-addon.node'];
    expect(engineBinaries(paths)).toEqual([paths[0], paths[2]]);
  });
});

describe('packages that the bundles load', () => {
  const manifest = (needs: Record<string, Record<string, string>>) => JSON.stringify(needs);

  test('one that is missing is named', () => {
    write('node_modules/a/package.json', manifest({ dependencies: { b: '1' } }));
    expect(() => packageClosure(folder, ['a'])).toThrow(/^b, needed by node_modules\/a, is not installed/);
  });

  test('the nearest one wins, optional ones count where they are, and a circle ends', () => {
    write(
      'node_modules/a/package.json',
      manifest({ dependencies: { b: '1' }, optionalDependencies: { c: '1', d: '1' } }),
    );
    write('node_modules/a/node_modules/b/package.json', manifest({ dependencies: { '@x/e': '1', a: '1' } }));
    write('node_modules/b/package.json', manifest({}));
    write('node_modules/c/package.json', manifest({}));
    write('node_modules/@x/e/package.json', manifest({ dependencies: { b: '2' } }));
    expect(packageClosure(folder, ['a'])).toEqual([
      'node_modules/@x/e',
      'node_modules/a',
      'node_modules/a/node_modules/b',
      'node_modules/b',
      'node_modules/c',
    ]);
  });
});

describe('the directory of an archive', () => {
  test('what is none is refused', () => {
    expect(() => zipDirectory(Buffer.from('not a zip archive, but long enough to be one'))).toThrow(/no ZIP archive/);
    expect(() => zipDirectory(Buffer.alloc(0))).toThrow(/no ZIP archive/);
  });

  test('names and sizes are those that went in, whatever else the entries carry', () => {
    const entries = [
      { name: 'extension/package.json', size: 12, extra: 0 },
      { name: 'extension/ü.bin', size: 70_000, extra: 9 },
    ];
    expect(zipDirectory(archiveOf(entries, 'a comment'))).toEqual(entries.map(({ name, size }) => ({ name, size })));
    expect(zipDirectory(archiveOf([], ''))).toEqual([]);
  });

  test('one that breaks off is refused', () => {
    const archive = archiveOf([{ name: 'a', size: 1, extra: 0 }], '');
    archive.writeUInt32LE(0, 4);
    expect(() => zipDirectory(archive)).toThrow(/damaged/);
  });
});

/** The directory of an archive as PKWARE's APPNOTE 4.3 lays it out, behind four bytes of content. */
function archiveOf(entries: readonly { name: string; size: number; extra: number }[], comment: string): Buffer {
  const records = entries.map(({ name, size, extra }) => {
    const head = Buffer.alloc(46);
    head.writeUInt32LE(0x02014b50, 0);
    head.writeUInt32LE(size, 24);
    head.writeUInt16LE(Buffer.byteLength(name), 28);
    head.writeUInt16LE(extra, 30);
    return Buffer.concat([head, Buffer.from(name), Buffer.alloc(extra)]);
  });
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(4, 16);
  end.writeUInt16LE(comment.length, 20);
  return Buffer.concat([Buffer.alloc(4), ...records, end, Buffer.from(comment)]);
}
