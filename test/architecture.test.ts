import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');
const src = join(root, 'src');

/** What each zone may import: other zones, then packages and built-in modules by prefix. */
const zones: Record<string, { zones: string[]; packages: RegExp }> = {
  core: { zones: [], packages: /^(zod|@noble\/hashes|@huggingface\/jinja)(\/|$)/ },
  store: { zones: ['core'], packages: /^(node:(sqlite|fs|path|url)(\/promises)?|uuid|zod)$/ },
  app: {
    zones: ['store', 'core'],
    packages: /^(node:|zod|diff|ignore|fuzzysort|picomatch|@secretlint\/|hyparquet|uuid|pyodide)/,
  },
  backends: {
    zones: ['core'],
    packages: /^(node:(fs|path)(\/promises)?|eventsource-parser|zod|@huggingface\/tokenizers)(\/|$)/,
  },
  engine: { zones: ['core'], packages: /^(node:|node-llama-cpp|zod)/ },
  cli: { zones: ['app', 'store', 'core'], packages: /^(node:|commander|cli-progress|zod)/ },
  host: { zones: ['app', 'store', 'core'], packages: /^(vscode$|node:|zod)/ },
  highlight: { zones: ['core'], packages: /^@shikijs\// },
  webview: { zones: ['core'], packages: /^(lit|markdown-it|zod)(\/|$)/ },
  'extension.ts': { zones: ['host', 'backends', 'core'], packages: /^vscode$/ },
  'launch.ts': { zones: [], packages: /^node:/ },
  'cli.ts': { zones: ['cli', 'app', 'backends', 'core'], packages: /^(node:|commander)/ },
  'highlight.ts': { zones: ['highlight', 'core'], packages: /^node:worker_threads$/ },
  'engine.ts': { zones: ['engine', 'core'], packages: /^node:/ },
};

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => ({ file, text: readFileSync(join(src, file), 'utf8') }));

const IMPORT =
  /(?:^|\n)\s*(?:(?:import|export)\b[^'";]*?from\s*'([^']+)'|import\s*'([^']+)')|\bimport\(\s*'([^']+)'\s*\)/g;

const importsOf = (text: string): string[] =>
  [...text.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? match[3] ?? '');

const zoneOf = (path: string): string => relative(src, path).split('/')[0] ?? '';

test('every import follows the arrows towards core', () => {
  const wrong = files.flatMap(({ file, text }) => {
    const zone = zones[zoneOf(join(src, file))];
    if (!zone) return [`${file}: in no zone`];
    return importsOf(text).flatMap((name) => {
      if (!name.startsWith('.')) return zone.packages.test(name) ? [] : [`${file} imports ${name}`];
      const target = zoneOf(resolve(dirname(join(src, file)), name));
      const own = target === zoneOf(join(src, file));
      return own || zone.zones.includes(target) ? [] : [`${file} imports ${name}`];
    });
  });
  expect(files.length).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
});

test('files stay below 400 lines, with no barrel, no default export and no catch-all name', () => {
  const wrong = files.flatMap(({ file, text }) => [
    ...(text.split('\n').length > 400 ? [`${file} has ${text.split('\n').length} lines`] : []),
    ...(/(^|\n)export default/.test(text) ? [`${file} has a default export`] : []),
    ...(/(^|\n)export \* from/.test(text) ? [`${file} is a barrel`] : []),
    ...(/(^|\/)(utils?|helpers?|common|misc|index)\.ts$/.test(file) ? [`${file} is named after nothing`] : []),
  ]);
  expect(wrong).toEqual([]);
});

/** Where words for a person may be written, each through `loggable`; the last one runs in a Node too old for anything else. */
const LOGGERS: Readonly<Record<string, RegExp>> = {
  'host/redacting-log.ts': /createOutputChannel/,
  'cli/output.ts': /process\.stderr/,
  'engine/log.ts': /process\.stderr/,
  // Draws a bar: counts, and words of our own.
  'cli/progress.ts': /process\.stderr/,
  'launch.ts': /process\.stderr/,
};

test('there is one redacting logger for each kind of process, and no other way to write a log', () => {
  const ways = /\bconsole\s*[.[]|process\.stderr|createOutputChannel|\bdebuglog\b|process\._rawDebug|emitWarning/g;
  const wrong = files.flatMap(({ file, text }) =>
    [...text.matchAll(ways)].filter(([way]) => !LOGGERS[file]?.test(way)).map(([way]) => `${file} writes with ${way}`),
  );
  expect(wrong).toEqual([]);
  for (const file of ['host/redacting-log.ts', 'cli/output.ts', 'engine/log.ts']) {
    expect(importsOf(files.find((one) => one.file === file)?.text ?? ''), file).toContain(
      '../core/secrets/redactor.ts',
    );
  }
});

test('the import reader sees every form it must hold', () => {
  const sample =
    "import { a } from 'x';\nimport type { B } from './b.ts';\nexport { c } from 'y';\nawait import('z');\nimport './w.ts';\n";
  expect(importsOf(sample)).toEqual(['x', './b.ts', 'y', 'z', './w.ts']);
});
