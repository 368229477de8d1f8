import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import { Conversation } from '../../src/app/conversation.ts';
import { recover } from '../../src/app/recover.ts';
import { openJournal } from '../../src/store/journal.ts';
import { started } from '../core/event-arbitrary.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { QUESTION, sampling, scriptedChat } from './scripted-chat.ts';

const SCRIPT = fileURLToPath(new URL('acting-child.ts', import.meta.url));

test('an action that runs in another process is left alone; once that is killed it is interrupted, and goes on', async () => {
  const path = temporaryStore();
  const child = spawn(process.execPath, [SCRIPT, path], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const journal = openJournal(path);
  try {
    const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
    expect(journal.unfinished()).toEqual([line]);
    expect(recover(journal)).toEqual({ interrupted: [], unreadable: [] });
    child.kill('SIGKILL');
    await ended;
    expect(recover(journal)).toEqual({ interrupted: [line], unreadable: [] });
    expect(recover(journal)).toEqual({ interrupted: [], unreadable: [] });

    const talk = Conversation.open({ journal, chat: scriptedChat([QUESTION]), sampling }, line);
    expect(talk.state).toMatchObject({ phase: 'ready', request: 'Convert it.', troubles: [{ reason: 'interrupted' }] });
    for await (const event of talk.act()) expect(event.type).toMatch(/delta|asked/);
    expect(talk.state.phase).toBe('waiting');
  } finally {
    child.kill('SIGKILL');
    journal.close();
  }
});

test.each([
  ['whose process is unknown', null, 0, true],
  ['whose process is gone', 999, 0, false],
  ['of a pid that was given out again long after', 999, 2 * 3_600_000, true],
  ['of an earlier process with our pid', process.pid, 1_800_000, true],
])('an action %s is interrupted', (_, pid, age, isAlive) => {
  const now = Date.now();
  const journal = openJournal(temporaryStore(), { now: () => now - age });
  const request = { type: 'request_accepted', text: 'Convert it.' } as const;
  journal.append('e', [started, request, { type: 'action_started', turn: 0, pid }]);
  expect(recover(journal, { now, isAlive: () => isAlive }).interrupted).toEqual(['e']);
  journal.close();
});

test('our own action, begun since we started, is left alone; a damaged episode is named and the others recovered', () => {
  const path = temporaryStore();
  const journal = openJournal(path);
  const request = { type: 'request_accepted', text: 'Convert it.' } as const;
  for (const [id, pid] of [
    ['ours', process.pid],
    ['damaged', 1],
    ['left', null],
  ] as const) {
    journal.append(id, [started, request, { type: 'action_started', turn: 0, pid }]);
  }
  const db = new DatabaseSync(path);
  db.exec("DROP TRIGGER event_no_update; UPDATE event SET body = '{}' WHERE episode_id = 'damaged' AND seq = 1");
  db.close();
  const { interrupted, unreadable } = recover(journal);
  expect(interrupted).toEqual(['left']);
  expect(unreadable).toMatchObject([{ fault: 'corrupt', reason: 'damaged_event' }]);
  expect(journal.unfinished().sort()).toEqual(['damaged', 'ours']);
  journal.close();
});
