import { Argument } from 'commander';
import { z } from 'zod';
import { taskFileSchema } from '../app/demo/tasks.ts';
import type { VerifyReport } from '../app/verify.ts';
import { ledgerSchema } from '../core/credit/ledger.ts';
import { manifestSchema } from '../core/dataset/manifest.ts';
import { datasetRowSchema, turnRowSchema } from '../core/dataset/schema.ts';
import { eventBodySchema } from '../core/event.ts';
import { scoredEpisodeSchema } from '../core/scored-episode.ts';
import { transcriptSchema } from '../core/transcript.ts';
import { creditRowSchema } from './credit-rows.ts';
import { TurnwiseError } from '../core/error.ts';
import { printJson, type Register } from './command.ts';

const verifyReportSchema: z.ZodType<VerifyReport> = z.object({
  ok: z.boolean(),
  rows: z.int().nonnegative(),
  batches: z.int().nonnegative(),
  violations: z.array(
    z.object({
      file: z.string(),
      row: z.int().nonnegative().nullable(),
      column: z.string(),
      expected: z.unknown(),
      found: z.unknown(),
      invariant: z.string(),
    }),
  ),
});

const ids = z.array(z.int().nonnegative());
const offset = z.int().nonnegative();

/** A sequence to be scored, or (the last line) the cost of all of them. */
const planLineSchema = z.union([
  z.object({
    episode_id: z.string(),
    turn: offset,
    /** `alone`: with one observation of several masked. */
    kind: z.enum(['factual', 'masked', 'alone']),
    ids,
    from: offset,
    to: offset,
    obs_start: offset,
    obs_end: offset,
    mask_ids: ids.optional(),
    observation: offset.optional(),
  }),
  z.object({ sequences: offset, tokens: offset, limit: offset }),
]);

/** Every format that a command reads or writes, by name. */
const FORMATS: Readonly<Record<string, { readonly schema: z.ZodType; readonly what: string }>> = {
  transcript: { schema: transcriptSchema, what: 'a line that score and import take' },
  plan: { schema: planLineSchema, what: 'a line that score --plan prints' },
  score: { schema: scoredEpisodeSchema, what: 'a line that score writes' },
  'credit-input': { schema: creditRowSchema, what: 'a line that credit takes: a score, or numbers only' },
  credit: { schema: ledgerSchema, what: 'a line that credit writes' },
  episode: { schema: datasetRowSchema, what: 'a row of a dataset' },
  turn: { schema: turnRowSchema, what: "a row of a dataset's turns" },
  manifest: { schema: manifestSchema, what: 'manifest.json of a dataset' },
  verify: { schema: verifyReportSchema, what: 'what verify --json prints' },
  tasks: { schema: taskFileSchema, what: 'the tasks of a demo' },
  event: { schema: eventBodySchema, what: 'the body of an event in a store' },
};

/** `turnwise schema`: each format as JSON Schema. */
export const registerSchema: Register = (program) => {
  program
    .command('schema')
    .description('Print a format as JSON Schema; without a name, list the formats')
    .addArgument(new Argument('[name]', 'format to print'))
    .option('--json', 'accepted everywhere; a schema is JSON in any case')
    .action((name: string | undefined, flags: { readonly json?: boolean }) => {
      if (name !== undefined) {
        printSchema(name);
      } else if (flags.json) {
        printJson({ formats: Object.keys(FORMATS) });
      } else {
        const width = Math.max(...Object.keys(FORMATS).map(({ length }) => length));
        const lines = Object.entries(FORMATS).map(([key, { what }]) => `${key.padEnd(width)}  ${what}`);
        process.stdout.write(`${lines.join('\n')}\n`);
      }
    });
};

function printSchema(name: string): void {
  const format = Object.hasOwn(FORMATS, name) ? FORMATS[name] : undefined;
  if (format === undefined) {
    const known = Object.keys(FORMATS).join(', ');
    throw new TurnwiseError('usage', 'unknown_format', `There is no format ${name}; the formats are ${known}.`);
  }
  process.stdout.write(`${JSON.stringify({ title: name, ...z.toJSONSchema(format.schema) }, null, 2)}\n`);
}
