// esbuild splits ES modules alone, and the editor loads CommonJS: bundled and split first, then each part turned into CommonJS.
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { build, transform } from 'esbuild';

/**
 * Builds one file per entry, and beside them a file for whatever is imported with `import()` or shared.
 * @param {import('esbuild').BuildOptions} options of the bundle
 * @param {import('esbuild').TransformOptions} commonJs of each part
 * @returns {Promise<{ metafile: import('esbuild').Metafile }>}
 */
export async function buildSplit(options, commonJs) {
  const { outputFiles, metafile } = await build({
    ...options,
    format: 'esm',
    splitting: true,
    write: false,
    metafile: true,
    sourcemap: 'inline',
    outExtension: { '.js': '.cjs' },
  });
  await Promise.all(
    outputFiles.map(async ({ path, text }) => {
      const { code, map } = await transform(text, {
        ...commonJs,
        format: 'cjs',
        minify: true,
        sourcemap: true,
        sourcefile: basename(path),
      });
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, `${code}//# sourceMappingURL=${basename(path)}.map\n`);
      writeFileSync(`${path}.map`, map);
    }),
  );
  return { metafile };
}
