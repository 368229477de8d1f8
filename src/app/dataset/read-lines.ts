import { createReadStream } from 'node:fs';

/**
 * Lines of a UTF-8 file, ended by a line feed alone: JSON texts may hold the other line ends that `node:readline` cuts at.
 * One line is in memory at a time; a last line without an end counts.
 */
export async function* readLines(path: string): AsyncGenerator<string, void, void> {
  let rest = '';
  for await (const chunk of createReadStream(path, 'utf8') as AsyncIterable<string>) {
    const pieces = (rest + chunk).split('\n');
    rest = pieces.pop() ?? '';
    yield* pieces;
  }
  if (rest !== '') yield rest;
}
