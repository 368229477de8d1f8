import type { EpisodeState } from '../core/episode-state.ts';
import { TurnwiseError } from '../core/error.ts';
import { reduce } from '../core/reduce.ts';
import type { Journal } from '../store/journal.ts';

/** What was found at the start. */
export interface Recovery {
  /** Episodes whose running action is now marked interrupted; the chat offers Continue. */
  readonly interrupted: readonly string[];
  /** Episodes that could not be looked at, and why. */
  readonly unreadable: readonly TurnwiseError[];
}

/** No answer takes this long; a process that seems to run it has only got the same pid. */
const LONGEST_ACTION_MS = 60 * 60_000;

/**
 * Marks every action interrupted whose process is gone. Call it when a program starts, before conversations open; an action
 * that runs in another window is left alone.
 */
export function recover(
  journal: Journal,
  {
    now = Date.now(),
    isAlive = processIsAlive,
  }: { readonly now?: number; readonly isAlive?: (pid: number) => boolean } = {},
): Recovery {
  const interrupted: string[] = [];
  const unreadable: TurnwiseError[] = [];
  for (const episodeId of journal.unfinished()) {
    try {
      const state = reduce(journal.read(episodeId));
      const running = deserted(state, now, isAlive);
      if (running === null) continue;
      journal.append(episodeId, [{ type: 'action_interrupted', turn: running.turn }], {
        expectedSeq: state.lastSeq + 1,
      });
      interrupted.push(episodeId);
    } catch (thrown) {
      if (!(thrown instanceof TurnwiseError)) throw thrown;
      // Somebody else goes on with it.
      if (thrown.reason !== 'conflict') unreadable.push(thrown);
    }
  }
  return { interrupted, unreadable };
}

function deserted(state: EpisodeState, now: number, isAlive: (pid: number) => boolean): EpisodeState['running'] {
  const { running } = state;
  if (running === null || state.skippedEvents > 0) return null;
  const { pid, since } = running;
  if (pid === null || now - since > LONGEST_ACTION_MS || !isAlive(pid)) return running;
  // Pids come again: an action older than this process is not this process's.
  const bornAt = now - process.uptime() * 1000;
  return pid === process.pid && since < bornAt ? running : null;
}

function processIsAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // EPERM: it lives, under another user.
    return thrown instanceof Error && 'code' in thrown && thrown.code === 'EPERM';
  }
}
