import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { bundledModel } from '../../src/app/engine-process.ts';
import { messageSchema } from '../../src/core/message.ts';
import { openEngine, type Engine } from '../../src/engine/engine.ts';
import { compareWithReference, shifted } from './compare.ts';

// PyTorch's log-probs of held-out conversations, written by training/reference_logprobs.py.
const { model_sha256: modelSha, conversations } = z
  .object({
    model_sha256: z.string(),
    conversations: z.array(
      z.object({
        messages: z.array(messageSchema),
        ids: z.array(z.int()),
        logprobs: z.array(z.number().nullable()),
      }),
    ),
  })
  .parse(JSON.parse(readFileSync(join(import.meta.dirname, '../fixtures/reference-logprobs.json'), 'utf8')));

let engine: Engine;

beforeAll(async () => {
  engine = await openEngine({ modelPath: bundledModel(), threads: 1 });
});
afterAll(() => engine.dispose());

test('the reference was made from the very weights that are served', () => {
  expect(engine.sha).toBe(modelSha);
  expect(conversations).toHaveLength(20);
});

describe('against PyTorch', () => {
  test('conversations are rendered and tokenized alike', () => {
    for (const { messages, ids } of conversations) {
      expect(engine.tokenize(engine.render(messages, false))).toEqual(ids);
    }
  });

  test('every token of every conversation agrees, and a shift by one token would not', async () => {
    const scored = await engine.scorer().score(conversations.map(({ ids }) => ({ ids, from: 1, to: ids.length })));
    conversations.forEach((reference, index) => {
      const actual = scored.logprobs[index] ?? [];
      expect(compareWithReference(reference, actual)).toEqual([]);
      expect(compareWithReference(reference, shifted(actual))).not.toEqual([]);
      expect(compareWithReference(reference, actual.slice(1))).not.toEqual([]);
      expect(compareWithReference(reference, [...actual.slice(1), Number.NaN])).not.toEqual([]);
    });
  });
});
