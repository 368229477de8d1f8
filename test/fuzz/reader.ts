import { Worker } from 'node:worker_threads';
import type { Answer } from './edge.ts';

/** Silence after which a reading counts as one that will not end, ms: long, since a busy machine is no hang. */
const DEADLINE_MS = 20_000;

/** A thread that reads cases. One that hangs is ended and replaced. */
export class Reader {
  #worker: Promise<Worker> | null = null;

  /** What became of a case; null: nothing, within the deadline. */
  async read(edge: string, bytes: Buffer): Promise<Answer | null> {
    const worker = await (this.#worker ??= start());
    const answer = await within(DEADLINE_MS, (resolve) => {
      worker.once('message', resolve);
      worker.once('error', (error) => {
        resolve({ end: 'unexpected', what: `the thread died: ${String(error)}`, cpuMs: 0 });
      });
      worker.postMessage({ edge, bytes });
    });
    worker.removeAllListeners('message').removeAllListeners('error');
    if (answer === null || answer.end === 'unexpected') await this.close();
    return answer;
  }

  async close(): Promise<void> {
    const worker = await this.#worker;
    this.#worker = null;
    await worker?.terminate();
  }
}

async function start(): Promise<Worker> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url));
  await new Promise((resolve, reject) => {
    worker.once('message', resolve).once('error', reject);
  });
  worker.removeAllListeners('message').removeAllListeners('error');
  return worker;
}

function within(ms: number, start_: (resolve: (answer: Answer) => void) => void): Promise<Answer | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(null);
    }, ms);
    start_((answer) => {
      clearTimeout(timer);
      resolve(answer);
    });
  });
}
