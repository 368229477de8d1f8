// Bundles each root into dist/. Packages that carry binaries or data files stay outside and load at run time.
import { build } from 'esbuild';
import { writeNotices } from './scripts/notices.mjs';

const external = ['node-llama-cpp', 'pyodide'];
const result = await build({
  entryPoints: {
    cli: 'src/cli.ts',
    engine: 'src/engine.ts',
    bench: 'bench/main.ts',
    'python-child': 'src/app/sandbox/python-child.ts',
  },
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node22.16',
  format: 'esm',
  sourcemap: true,
  metafile: true,
  external,
  logLevel: 'warning',
  // CommonJS packages inside an ES module bundle still ask for `require`.
  banner: {
    js: "import { createRequire as turnwiseRequire } from 'node:module'; const require = turnwiseRequire(import.meta.url);",
  },
});
await writeNotices(Object.keys(result.metafile.inputs), external);
