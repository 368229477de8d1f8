import { startEngine } from '../src/app/engine-process.ts';
import { openChat } from '../src/backends/chat.ts';
import { openEngineBackend } from '../src/backends/engine.ts';
import type { Backend, ChatBackend, ScorerFacts } from '../src/core/backend.ts';

/** A model behind the product's engine: it acts, and scores what it did. */
export interface Subject {
  readonly chat: ChatBackend;
  readonly scorer: Backend;
  readonly facts: ScorerFacts;
  close(): Promise<void>;
}

/** Starts the engine on a GGUF file, on one thread, so that figures do not depend on the machine. */
export async function openSubject(modelPath: string, entry?: string): Promise<Subject> {
  const engine = await startEngine({ modelPath, threads: 1, entry });
  const scorer = openEngineBackend(engine);
  const chat = openChat({ url: engine.url, apiKey: engine.token, model: null, name: 'engine' });
  try {
    const facts = await scorer.facts();
    return { chat, scorer, facts, close: () => engine.close() };
  } catch (thrown) {
    await engine.close();
    throw thrown;
  }
}
