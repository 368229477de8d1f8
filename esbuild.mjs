// Bundles each root into dist/. Packages that carry binaries or data files stay outside and load at run time.
import { rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { build } from 'esbuild';
import { writeNotices } from './scripts/notices.mjs';
import { buildSplit } from './scripts/split-cjs.mjs';

const external = ['node-llama-cpp', 'pyodide'];

/** zod carries its messages in some fifty languages; ours are in English. */
const onlyEnglish = {
  name: 'only-english',
  setup({ onLoad }) {
    onLoad({ filter: /node_modules[\\/]zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, ({ path }) => ({
      contents: "export { default as en } from './en.js';",
      resolveDir: dirname(path),
    }));
  },
};
/** `import { z }` hides from esbuild which parts of zod are used, and brings in all of it; a namespace shows them. */
const partsOfZod = {
  name: 'parts-of-zod',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8');
      return { contents: text.replace("import { z } from 'zod';", "import * as z from 'zod';"), loader: 'ts' };
    });
  },
};

const common = { bundle: true, sourcemap: true, metafile: true, logLevel: 'warning', plugins: [onlyEnglish] };
const node = { ...common, platform: 'node', target: 'node22.16' };
// Its files are named after what is in them: those of an earlier build would stay.
for (const folder of ['highlight', 'parts']) rmSync(`dist/${folder}`, { recursive: true, force: true });
const results = await Promise.all([
  build({
    ...node,
    entryPoints: {
      cli: 'src/launch.ts',
      turnwise: 'src/cli.ts',
      engine: 'src/engine.ts',
      bench: 'bench/main.ts',
      'python-child': 'src/app/sandbox/python-child.ts',
    },
    outdir: 'dist',
    format: 'esm',
    external,
    // CommonJS packages inside an ES module bundle still ask for `require`.
    banner: {
      js: "import { createRequire as turnwiseRequire } from 'node:module'; const require = turnwiseRequire(import.meta.url);",
    },
  }),
  // Parsing is most of what a start costs: what is asked for with `import()` is a file of its own, read when it is first used.
  buildSplit(
    {
      ...node,
      entryPoints: ['src/extension.ts'],
      outdir: 'dist',
      chunkNames: 'parts/[name]-[hash]',
      minify: true,
      external: ['vscode', ...external],
      plugins: [onlyEnglish, partsOfZod],
    },
    {
      platform: 'node',
      target: node.target,
      // The editor complains about extensions that look at `navigator`; in Node nobody needs to.
      define: { navigator: 'undefined', 'import.meta.dirname': '__dirname', 'import.meta.url': '__turnwiseUrl' },
      banner: "const __turnwiseUrl = require('node:url').pathToFileURL(__filename).href;",
    },
  ),
  // A grammar and a theme are files of their own, read when they are first needed.
  build({
    ...node,
    entryPoints: ['src/highlight.ts'],
    outdir: 'dist/highlight',
    format: 'esm',
    splitting: true,
    minify: true,
    sourcemap: false,
    outExtension: { '.js': '.mjs' },
    chunkNames: '[name]-[hash]',
  }),
  build({
    ...common,
    entryPoints: [
      { in: 'src/webview/chat.ts', out: 'chat' },
      { in: 'src/webview/chat.css', out: 'chat' },
      { in: 'src/webview/review/review.ts', out: 'review' },
      { in: 'src/webview/review.css', out: 'review' },
    ],
    outdir: 'dist/webview',
    platform: 'browser',
    target: 'chrome128',
    format: 'iife',
    minify: true,
    loader: { '.ttf': 'file' },
    assetNames: '[name]',
  }),
]);
await writeNotices(
  results.flatMap(({ metafile }) => Object.keys(metafile.inputs)),
  external,
);
