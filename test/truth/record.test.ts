import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundledModel, packageRoot } from '../../src/app/engine-process.ts';

const record = readFileSync(join(packageRoot(), 'truth', 'README.md'), 'utf8');

test.each([bundledModel(), join(packageRoot(), 'truth', 'models', 'turnwise-toy-without-placeholder.gguf')])(
  'the figures on record are those of %s: measure a new model with npm run truth, and write them down',
  (path) => {
    const sha256 = createHash('sha256').update(readFileSync(path)).digest('hex');
    expect(record).toContain(`SHA-256 \`${sha256}\``);
  },
);

test('the record says of both models which goals are met', () => {
  expect(record).toMatch(/^\d+ of \d+ goals met/m);
  const goals = record.split('\n').filter((line) => /\| (?:met|MISSED): at (?:least|most) [\d.]+\s*\|$/.test(line));
  expect(new Set(goals.map((line) => /\| \((\d)\) /.exec(line)?.[1]))).toEqual(new Set(['1', '2', '3', '4', '5']));
});
