// Bundles each root into dist/. Packages that carry binaries or data files stay outside and load at run time.
import { rmSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
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
/**
 * The extension in three files, because parsing is most of what a start costs: what is registered; the product, loaded when a
 * view is shown or a command is run; the clients of model servers, as large again, loaded when one is first used.
 */
const LATER = {
  product: ['src/host/product.ts', 'src/host/commands.ts'],
  backends: [
    'src/backends/chat.ts',
    'src/backends/detect-server.ts',
    'src/backends/engine.ts',
    'src/backends/open.ts',
    'src/backends/fetch-tokenizer.ts',
  ],
};

/** What these parts are asked for by becomes a file of its own beside the asking one. */
const apart = {
  name: 'apart',
  setup({ onResolve }) {
    const homes = new Map(
      Object.entries(LATER).flatMap(([name, paths]) => paths.map((path) => [resolve(path), `./${name}.cjs`])),
    );
    onResolve({ filter: /\.ts$/ }, ({ path, resolveDir, kind }) => {
      const home = kind === 'dynamic-import' ? homes.get(resolve(resolveDir, path)) : undefined;
      return home === undefined ? undefined : { path: home, external: true };
    });
  },
};

const common = { bundle: true, sourcemap: true, metafile: true, logLevel: 'warning', plugins: [onlyEnglish] };
const node = { ...common, platform: 'node', target: 'node22.16' };
// The editor loads CommonJS; parsing is most of what a start costs, so it is minified.
const editor = {
  ...node,
  format: 'cjs',
  minify: true,
  external: ['vscode', ...external],
  // The editor complains about extensions that look at `navigator`; in Node nobody needs to.
  define: { navigator: 'undefined', 'import.meta.dirname': '__dirname', 'import.meta.url': '__turnwiseUrl' },
  banner: { js: "const __turnwiseUrl = require('node:url').pathToFileURL(__filename).href;" },
};

// Its files are named after what is in them: those of an earlier build would stay.
rmSync('dist/highlight', { recursive: true, force: true });
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
  build({
    ...editor,
    entryPoints: ['src/extension.ts'],
    outfile: 'dist/extension.cjs',
    plugins: [onlyEnglish, apart],
  }),
  ...Object.entries(LATER).map(([name, paths]) =>
    build({
      ...editor,
      stdin: { contents: paths.map((path) => `export * from './${path}';`).join('\n'), resolveDir: '.' },
      outfile: `dist/${name}.cjs`,
    }),
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
