import fuzzysort from 'fuzzysort';

/** The files that fit what was typed behind an `@`, the best first: letters in their order, the name before its folders. */
export function rankFiles(paths: readonly string[], query: string, limit: number): string[] {
  const wanted = query.trim();
  if (wanted === '') return paths.slice(0, limit);
  const found = paths.map((path) => ({ path, name: path.split('/').at(-1) ?? path }));
  return fuzzysort.go(wanted, found, { keys: ['name', 'path'], limit, threshold: 0.2 }).map(({ obj }) => obj.path);
}
