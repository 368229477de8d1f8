// Bundles each root into dist/. Packages that carry binaries or data files stay outside and load at run time.
import { dirname } from 'node:path';
import { build } from 'esbuild';
import { writeNotices } from './scripts/notices.mjs';

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
const common = { bundle: true, sourcemap: true, metafile: true, logLevel: 'warning', plugins: [onlyEnglish] };
const node = { ...common, platform: 'node', target: 'node22.16' };

const results = await Promise.all([
  build({
    ...node,
    entryPoints: {
      cli: 'src/cli.ts',
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
  // The editor loads CommonJS; parsing is most of what a start costs, so this one is minified.
  build({
    ...node,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.cjs',
    format: 'cjs',
    minify: true,
    keepNames: true,
    external: ['vscode', ...external],
    define: { 'import.meta.dirname': '__dirname', 'import.meta.url': '__turnwise_url' },
    banner: { js: "const __turnwise_url = require('node:url').pathToFileURL(__filename).href;" },
  }),
  build({
    ...common,
    entryPoints: [
      { in: 'src/webview/chat.ts', out: 'chat' },
      { in: 'src/webview/chat.css', out: 'chat' },
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
