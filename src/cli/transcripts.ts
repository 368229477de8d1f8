import { inputError, TurnwiseError } from '../core/error.ts';
import { transcriptSchema, type Transcript } from '../core/transcript.ts';
import { readJsonl } from './files.ts';

/** Reads conversations from JSONL; a duplicate id, a bad row or an empty file is an error that names file and line. */
export async function readTranscripts(file: string): Promise<Transcript[]> {
  const rows = await readJsonl(file, transcriptSchema);
  if (rows.length === 0) {
    throw new TurnwiseError('input', 'empty_file', `${file} holds no conversation; give one JSON object a line.`);
  }
  const seen = new Map<string, number>();
  for (const { line, value } of rows) {
    const first = seen.get(value.episode_id);
    if (first !== undefined) {
      throw inputError(
        'duplicate_episode',
        file,
        line,
        `episode_id ${value.episode_id} was used on line ${first} already; ids must be unique.`,
      );
    }
    seen.set(value.episode_id, line);
  }
  return rows.map(({ value }) => value);
}
