import { expect, test } from 'vitest';
import { openChat } from '../../src/backends/chat.ts';
import type { ChatEvent, GenerationRecord, Sampling } from '../../src/core/backend.ts';
import { renderChat } from '../../src/core/render-chat.ts';
import { worstDifference } from './compare.ts';
import { writeConversations } from './conversations.ts';
import { readPrepared } from './prepared.ts';
import { scoreByTransformers } from './reference.ts';
import type { Subject } from './suite.ts';

const TALKS = 5;
/** Away from 1, where raw and processed log-probs would be the same. */
const TEMPERATURE = 0.5;
/** Generated token by token, where servers run other kernels than over a prompt. */
const TOLERANCE = 5e-3;

/** Chats with the real server, and holds what it tells of every token against a second look at the same ids. */
export function chatSuite(subject: Subject): void {
  test('chat: streamed ids, log-probs, the stop token, and whether log-probs are raw', async () => {
    const backend = subject.backend();
    const { template } = await backend.facts();
    const requests = (await writeConversations(TALKS)).map(({ messages }) => messages.slice(0, 1));
    const records: GenerationRecord[] = [];
    for (const [at, messages] of requests.entries()) {
      const { deltas, record } = await talk(subject, messages, at);
      expect(deltas.length).toBeGreaterThan(1);
      expect(deltas.join('')).toBe(record.text);
      const prompt = renderChat(template, messages, { addGenerationPrompt: true });
      expect([record.prompt_ids]).toEqual(await backend.tokenize([prompt]));
      records.push(record);
    }
    const sequences = records.map(({ prompt_ids, ids }) => {
      const before = prompt_ids ?? [];
      const whole = [...before, ...(ids ?? [])];
      return { ids: whole, from: before.length, to: whole.length };
    });
    const [end] = (await backend.tokenize(['<|im_end|>']))[0] ?? [];
    for (const { ids, text, finish, logprobs } of records) {
      expect(logprobs).toHaveLength(ids?.length ?? -1);
      expect(finish).toBe('stop');
      expect(ids?.at(-1)).toBe(end);
      expect(await backend.detokenize(ids?.slice(0, -1) ?? [])).toBe(text);
    }

    const told = records.map(({ logprobs }) => logprobs ?? []);
    const raw = (await backend.score(sequences)).logprobs;
    // Sure tokens have the same log-prob at any temperature; these would not.
    expect(Math.min(...told.flat())).toBeLessThan(-0.5);
    const fromRaw = worstDifference(raw, told);
    const modes = new Set(records.map(({ logprobs_mode }) => logprobs_mode));
    subject.figures.add(`chat at temperature ${TEMPERATURE}: log-probs recorded as`, [...modes].join(', '));
    subject.figures.add(
      `chat: ${told.flat().length} tokens, worst difference from re-scoring`,
      fromRaw,
      'nats',
      modes.has('raw') ? `<= ${TOLERANCE}` : 'far, as it should be',
    );
    expect(modes.size).toBe(1);
    if (modes.has('raw')) {
      expect(fromRaw).toBeLessThanOrEqual(TOLERANCE);
      return;
    }
    expect([...modes]).toEqual(['processed']);
    expect(fromRaw).toBeGreaterThan(0.1);
    const { torch } = readPrepared();
    if (torch === null) return;
    const { rows } = await scoreByTransformers(torch, sequences, TEMPERATURE);
    const fromProcessed = worstDifference(rows, told);
    subject.figures.add(
      `chat: worst difference from transformers at ${TEMPERATURE}`,
      fromProcessed,
      'nats',
      `<= ${TOLERANCE}`,
    );
    expect(fromProcessed).toBeLessThanOrEqual(TOLERANCE);
  });
}

async function talk(
  { remote }: Subject,
  messages: Parameters<ReturnType<typeof openChat>['stream']>[0],
  seed: number,
): Promise<{ deltas: string[]; record: GenerationRecord }> {
  const { url, apiKey, model } = remote();
  const chat = openChat({ url, apiKey, model, name: 'the real server' });
  const sampling: Sampling = { temperature: TEMPERATURE, top_p: 1, top_k: null, seed, max_tokens: 256 };
  const deltas: string[] = [];
  let last: ChatEvent | null = null;
  for await (const event of chat.stream(messages, { sampling })) {
    if (event.type === 'delta') deltas.push(event.text);
    else last = event;
  }
  if (last?.type !== 'finished') throw new Error(`The chat ended with ${JSON.stringify(last)}.`);
  return { deltas, record: last.record };
}
