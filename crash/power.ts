import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { seededRandom } from '../src/app/demo/random.ts';
import { errorText, TurnwiseError } from '../src/core/error.ts';
import type { StoredEvent } from '../src/core/event.ts';
import { reduce } from '../src/core/reduce.ts';
import { openJournal } from '../src/store/journal.ts';

export interface PowerLoss {
  readonly line: string;
  readonly wrong: readonly string[];
}

const CUTS = 200;
const FLIPS = 200;
const EPISODES = 12;
const WAL_HEADER = 32;

/**
 * What the disk holds after the power went: the log cut at any byte, bytes of the log flipped, bytes of the file flipped. The
 * store opens and every conversation is a beginning of what was appended, or it is told by name what is damaged; nothing that
 * nobody appended is ever read.
 */
export async function losePower(folder: string, seed: number): Promise<PowerLoss> {
  const random = seededRandom(`power ${seed}`);
  const home = join(folder, 'power');
  mkdirSync(home);
  const { truth, file, log } = runningStore(home);
  const wrong: string[] = [];
  const seen = { whole: 0, prefix: 0, named: new Map<string, number>() };
  const path = join(home, 'lost.db');
  const at = (length: number, from = 0): number => from + Math.floor(random() * (length - from));
  const attempt = (what: string, bytes: { readonly file: Buffer; readonly log: Buffer }): void => {
    writeFileSync(path, bytes.file);
    writeFileSync(`${path}-wal`, bytes.log);
    rmSync(`${path}-shm`, { force: true });
    look(path, truth, seen, (problem) => wrong.push(`${what}: ${problem}`));
  };
  for (let cut = 0; cut < CUTS; cut += 1) {
    const byte = at(log.length);
    attempt(`log cut at byte ${byte}`, { file, log: log.subarray(0, byte) });
    await Promise.resolve();
  }
  if (seen.named.size > 0) wrong.push(`a cut log is no damage, but was told as ${[...seen.named.keys()].join(', ')}`);
  for (let flip = 0; flip < FLIPS; flip += 1) {
    const inLog = flip % 2 === 0;
    const bytes = { file: Buffer.from(file), log: Buffer.from(log) };
    const damaged = inLog ? bytes.log : bytes.file;
    const byte = at(damaged.length, inLog ? WAL_HEADER : 0);
    damaged.writeUInt8(damaged.readUInt8(byte) ^ (1 + at(255)), byte);
    attempt(`${inLog ? 'log' : 'file'} flipped at byte ${byte}`, bytes);
    await Promise.resolve();
  }
  const named = [...seen.named].map(([reason, count]) => `${count} ${reason}`).join(', ');
  return {
    line: `power lost: ${CUTS} cut logs, ${FLIPS} flips; ${seen.whole} conversations whole, ${seen.prefix} a beginning, told as damaged: ${named || 'none'}`,
    wrong,
  };
}

/** The files of a store as they lie on the disk while it is in use: part of its history in the file, the rest in the log. */
function runningStore(home: string): { truth: Map<string, StoredEvent[]>; file: Buffer; log: Buffer } {
  const path = join(home, 'running.db');
  const truth = new Map<string, StoredEvent[]>();
  const append = (from: number, to: number): void => {
    for (let n = from; n < to; n += 1) {
      for (let index = 0; index < EPISODES; index += 1) {
        const id = `episode ${index}`;
        const text = `${id} says ${n} ${'words '.repeat((n * 131 + index * 37) % 700)}`;
        const body =
          n === 0
            ? ({
                type: 'episode_imported',
                source: 's',
                group_id: null,
                outcome: null,
                messages: [],
                action_ids: null,
                action_states: null,
                row: {},
              } as const)
            : ({ type: 'rated', turn: null, thumb: 1, note: text } as const);
        truth.set(id, [...(truth.get(id) ?? []), ...journal.append(id, [body], { expectedSeq: n })]);
      }
    }
  };
  let journal = openJournal(path);
  append(0, 6);
  journal.close();
  journal = openJournal(path);
  append(6, 12);
  copyFileSync(path, `${path}.copy`);
  copyFileSync(`${path}-wal`, `${path}.copy-wal`);
  journal.close();
  return { truth, file: readFileSync(`${path}.copy`), log: readFileSync(`${path}.copy-wal`) };
}

function look(
  path: string,
  truth: ReadonlyMap<string, readonly StoredEvent[]>,
  seen: { whole: number; prefix: number; named: Map<string, number> },
  complain: (problem: string) => void,
): void {
  const named = (thrown: unknown): void => {
    if (!(thrown instanceof TurnwiseError)) {
      complain(`no named error: ${errorText(thrown)}`);
      return;
    }
    seen.named.set(thrown.reason, (seen.named.get(thrown.reason) ?? 0) + 1);
  };
  try {
    const journal = openJournal(path);
    try {
      for (const [id, events] of truth) {
        try {
          const found = journal.read(id);
          const same = found.every((event, index) => JSON.stringify(event) === JSON.stringify(events[index]));
          if (!same) complain(`${id} holds what nobody appended`);
          if (found.length > 0 && reduce(found).lastSeq !== found.length - 1) complain(`${id} does not reduce`);
          seen[found.length === events.length ? 'whole' : 'prefix'] += 1;
        } catch (thrown) {
          named(thrown);
        }
      }
    } finally {
      journal.close();
    }
  } catch (thrown) {
    named(thrown);
  }
}
