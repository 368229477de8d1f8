import { existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { z } from 'zod';
import type { EventBody, NewerBody } from '../src/core/event.ts';

/** Where a process stood in its work when it died. */
export const POINTS = ['before', 'inside', 'between', 'after'] as const;
export type Point = (typeof POINTS)[number];

const lineSchema = z.discriminatedUnion('kind', [
  /** What a process is about to hand to the store: nothing else may ever be found in it. */
  z.object({ kind: z.literal('offer'), episode: z.string(), what: z.string() }),
  /** What the store has acknowledged: it must be found there from now on. */
  z.object({ kind: z.literal('ack'), episode: z.string(), what: z.string() }),
  z.object({ kind: z.literal('wish'), job: z.string() }),
  z.object({ kind: z.literal('result'), job: z.string() }),
  /** The store would not take it, and said so by name: it is not acknowledged, and may be tried again. */
  z.object({ kind: z.literal('refused'), episode: z.string() }),
]);
export type Line = z.infer<typeof lineSchema>;

/** Writes that outlive the process at once: they are in the kernel's hands when `write` returns. */
export function openRecord(file: string): {
  readonly write: (line: Line) => void;
  readonly stand: (point: Point) => void;
} {
  const record = openSync(file, 'a');
  const progress = openSync(`${file}.point`, 'w');
  return {
    write: (line) => {
      writeSync(record, `${JSON.stringify(line)}\n`);
    },
    stand: (point) => {
      writeSync(progress, String(POINTS.indexOf(point)), 0);
    },
  };
}

/** All that a process wrote, and where it stood last. A line that death cut short was never written. */
export function readRecord(file: string): { readonly lines: Line[]; readonly point: Point } {
  if (!existsSync(file)) return { lines: [], point: 'before' };
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => lineSchema.parse(JSON.parse(line)));
  return { lines, point: POINTS[Number(readFileSync(`${file}.point`, 'utf8'))] ?? 'before' };
}

/** An event by its words, or where it has none by its type and turn. */
export function nameOf(body: EventBody | NewerBody): string {
  switch (body.type) {
    case 'request_accepted':
    case 'observed':
      return `${body.type} ${body.text}`;
    case 'action_asked':
      return `${body.type} ${body.generation.text}`;
    case 'action_answered':
      return `${body.type} ${body.generation.text}`;
    case 'rated':
      return `${body.type} ${body.note ?? ''}`;
    default:
      return 'turn' in body ? `${body.type} ${body.turn}` : body.type;
  }
}
