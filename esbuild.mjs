// Bundles each root into dist/. Packages that carry binaries or data files stay outside and load at run time.
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
/** The model client is large and only needed once somebody chats: it stands in a file of its own, loaded then. */
const chatApart = {
  name: 'chat-apart',
  setup({ onResolve }) {
    const chat = resolve('src/backends/chat.ts');
    onResolve({ filter: /\/chat\.ts$/ }, ({ path, resolveDir }) =>
      resolve(resolveDir, path) === chat ? { path: './chat-backend.cjs', external: true } : undefined,
    );
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
    plugins: [onlyEnglish, chatApart],
  }),
  build({ ...editor, entryPoints: ['src/backends/chat.ts'], outfile: 'dist/chat-backend.cjs' }),
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
