import assert from 'node:assert/strict';
import { after, before, describe, it } from 'mocha';
import { commands, ConfigurationTarget, extensions, workspace } from 'vscode';
import type { TurnwiseApi } from '../../../src/host/api.ts';
import { startModelServer, type ModelServer } from '../browser/model-server.ts';

const SETTINGS = ['servers', 'chat.server', 'scoring.enabled'] as const;
const ANSWER = 'I WANT TO ANSWER:\n```python\ndef total(prices):\n    return sum(prices)\n```';

describe('a conversation', () => {
  let api: TurnwiseApi;
  let server: ModelServer;

  before(async () => {
    server = await startModelServer((chat) =>
      chat === 1 ? { say: 'Should None be skipped?' } : chat === 2 ? { say: ANSWER } : { refuse: 401 },
    );
    const values = [[{ name: 'stand-in', url: server.url, model: 'stand-in' }], 'stand-in', false];
    for (const [at, key] of SETTINGS.entries()) await set(key, values[at]);
    const found = extensions.getExtension<TurnwiseApi>('turnwise.turnwise');
    assert.ok(found);
    api = await found.activate();
  });
  after(async () => {
    for (const key of SETTINGS) await set(key, undefined);
    await server.close();
  });

  it('offers version 1 of the interface, and the chosen server', async () => {
    assert.equal(api.version, 1);
    assert.equal((await api.chatServer()).name, 'stand-in');
    assert.equal(workspace.getConfiguration('turnwise').get('chat.server'), 'stand-in');
  });

  it('goes from a request over a question to an answer', async () => {
    await api.open(null);
    assert.equal(await api.conversation(), null);
    const asked = await api.say('Sum up the prices.');
    assert.deepEqual(asked.turns, [{ kind: 'question', text: 'Should None be skipped?' }]);
    assert.equal(asked.phase, 'waiting');
    const answered = await api.say('yes');
    assert.equal(answered.id, asked.id);
    assert.deepEqual(
      answered.turns.map(({ kind }) => kind),
      ['question', 'answer'],
    );
    assert.equal((await api.chatServer()).state, 'ready');
    assert.equal(server.asked.filter((path) => path === '/v1/chat/completions').length, 2);
  });

  it('is kept, and is the same one for everybody who asks', async () => {
    const [one, other] = await Promise.all([api.conversation(), api.conversation()]);
    assert.ok(one);
    assert.deepEqual(one, other);
    await api.open(null);
    await api.open(one.id);
    assert.deepEqual(await api.conversation(), one);
  });

  it('stays local when the question for consent is not answered', async () => {
    // Dialogs are refused while tests run, which is a cancelled export.
    await commands.executeCommand('turnwise.exportDataset');
    assert.equal((await api.conversation())?.consent, 'local-only');
  });

  it('says why an action failed, and keeps the words', async () => {
    await api.open(null);
    const failed = await api.say('Sum up the prices again.');
    assert.deepEqual(failed.turns, []);
    assert.equal(failed.request, 'Sum up the prices again.');
    assert.equal(failed.phase, 'ready');
    assert.match(failed.trouble ?? '', /key/i);
  });
});

async function set(key: string, value: unknown): Promise<void> {
  await workspace.getConfiguration('turnwise').update(key, value, ConfigurationTarget.Global);
}
