import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { findSecrets, lintedSecrets } from '../../src/app/secret-scan.ts';
import { findSecretsIn } from '../../src/core/secrets/find.ts';

const root = resolve(import.meta.dirname, '../..');

/** Ordinary source, none of it ours alone: read where npm put it, of a dozen authors, in two languages and declarations. */
const FILES = [
  'node_modules/commander/lib/command.js',
  'node_modules/commander/lib/help.js',
  'node_modules/picomatch/lib/parse.js',
  'node_modules/fuzzysort/fuzzysort.js',
  'node_modules/lit-html/development/lit-html.js',
  'node_modules/mocha/lib/suite.js',
  'node_modules/diff/libesm/diff/base.js',
  'node_modules/zod/v4/core/schemas.js',
  'node_modules/zod/v4/core/util.js',
  'node_modules/hyparquet/src/read.js',
  'node_modules/hyparquet/src/thrift.js',
  'node_modules/@types/node/fs.d.ts',
  'node_modules/@types/node/crypto.d.ts',
  'node_modules/cli-progress/lib/generic-bar.js',
  'node_modules/mocha/lib/runner.js',
  'node_modules/fast-check/lib/fast-check.js',
  'node_modules/esbuild/install.js',
  'training/tasks.py',
  'training/train.py',
  'sample/shop.py',
];

test('twenty ordinary files hold at most two finds in a thousand lines', async () => {
  const found: string[] = [];
  let lines = 0;
  for (const file of FILES) {
    const text = readFileSync(join(root, file), 'utf8');
    lines += text.split('\n').length;
    const finds = [...findSecretsIn(text), ...(await lintedSecrets([text])).flat()];
    found.push(...finds.map(({ rule }) => `${file}: ${rule}`));
  }
  console.log(`${found.length} finds in ${lines} lines of ${FILES.length} files\n${found.join('\n')}`);
  expect(FILES).toHaveLength(20);
  expect(lines).toBeGreaterThan(10_000);
  expect((1000 * found.length) / lines).toBeLessThanOrEqual(2);
});

test('the rules know nothing of the kinds that are held out', () => {
  const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  const importing = [
    ...sources.map((file) => join('src', file)),
    ...readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => join('test', file)),
  ].filter((file) => /from '[^']*(?:held-out-kinds|earlier-kinds)/.test(readFileSync(join(root, file), 'utf8')));
  expect(importing).toEqual(['test/secrets/suite.test.ts']);
  const rules = sources.filter((file) => file.startsWith('core/secrets/'));
  expect(rules.length).toBeGreaterThan(4);
  const text = rules.map((file) => readFileSync(join(root, 'src', file), 'utf8')).join('\n');
  const kinds = readFileSync(join(import.meta.dirname, 'held-out-kinds.ts'), 'utf8');
  const beginnings = [...kinds.matchAll(/prefixed\('[^']+', '([^']{3,})'/g)].map((match) => match[1] ?? '');
  expect(beginnings.length).toBeGreaterThan(3);
  expect(beginnings.filter((beginning) => text.includes(beginning))).toEqual([]);
});

test('text that is made to be slow is read in time that grows with its length', async () => {
  const hostile = [
    'a',
    'password',
    '%41',
    '\\u0041',
    'A1',
    'key=',
    '-----BEGIN PRIVATE KEY-----',
    '/home/',
    'eyJ',
    '://a:',
    'a.b@',
    '"',
    'AAAA/',
  ];
  for (const piece of hostile) {
    const text = piece.repeat(Math.ceil(200_000 / piece.length));
    // A rule that backtracks over so much would not end within the test's time.
    expect(findSecretsIn(text)).toBeInstanceOf(Array);
  }
  expect(await findSecrets('nothing')).toEqual([]);
});
