import { afterAll, beforeAll, expect, test } from 'vitest';
import { Conversation } from '../../src/app/conversation.ts';
import type { RunningEngine } from '../../src/app/engine-process.ts';
import { DEFAULT_SCORE_OPTIONS, scoreTranscripts } from '../../src/app/score.ts';
import { openChat } from '../../src/backends/chat.ts';
import { openEngineBackend } from '../../src/backends/engine.ts';
import { toScorable } from '../../src/core/to-transcript.ts';
import { openJournal } from '../../src/store/journal.ts';
import { startToy } from '../engine/model.ts';
import { temporaryStore } from '../store/temporary-store.ts';
import { sampling } from './scripted-chat.ts';

let engine: RunningEngine;
beforeAll(async () => {
  engine = await startToy();
});
afterAll(() => engine.close());

test('what the engine read while it chatted is what its scorer renders; one id more is a mismatch', async () => {
  const chat = openChat({ url: engine.url, apiKey: engine.token, model: null, name: 'engine' });
  const ports = { journal: openJournal(temporaryStore()), chat, sampling: { ...sampling, seed: 3 } };
  const talk = await Conversation.start(ports, { source: 'simulated' });
  await talk.request('Return the peak value. the output needs a label; round it properly.');
  for (const reply of ['use two digits 🙂', null]) {
    for await (const event of talk.act()) expect(event.type).toMatch(/^(delta|asked|answered)$/);
    if (reply !== null) await talk.reply({ text: reply });
  }
  const transcript = toScorable(talk.state);
  const backend = openEngineBackend(engine);
  const { identity } = await backend.facts();
  expect(transcript.prompts?.map((prompt) => prompt?.model)).toEqual([identity.id, identity.id]);

  const reasonsOf = async (prompts: typeof transcript.prompts): Promise<unknown[]> => {
    const run = { backend, options: DEFAULT_SCORE_OPTIONS };
    for await (const { turns } of scoreTranscripts([{ ...transcript, prompts }], run)) {
      return turns.map(({ null_reason }) => null_reason);
    }
    throw new Error('Nothing was scored.');
  };
  expect(await reasonsOf(transcript.prompts)).toEqual([null, 'no_next_action']);
  const longer = transcript.prompts?.map((prompt) => prompt && { ...prompt, ids: [...prompt.ids, 5] });
  expect(await reasonsOf(longer)).toEqual(['template_mismatch', 'no_next_action']);
});
