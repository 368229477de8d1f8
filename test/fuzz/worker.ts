import { isMainThread, parentPort } from 'node:worker_threads';
import type { Answer } from './edge.ts';
import { EDGES } from './edges.ts';

// Reads one case after the other in a thread of its own, so that one which hangs can be ended.
if (!isMainThread) {
  parentPort?.on('message', ({ edge, bytes }: { readonly edge: string; readonly bytes: Uint8Array }) => {
    void answer(edge, Buffer.from(bytes)).then((answered) => parentPort?.postMessage(answered));
  });
  parentPort?.postMessage('ready');
}

async function answer(name: string, bytes: Buffer): Promise<Answer> {
  const edge = EDGES[name];
  const before = process.threadCpuUsage();
  const outcome = edge === undefined ? ({ end: 'unexpected', what: 'no such edge' } as const) : await edge.read(bytes);
  const { user, system } = process.threadCpuUsage(before);
  // What was understood may hold what a message between threads cannot: it is compared as JSON.
  const sent = outcome.end === 'understood' ? { ...outcome, value: JSON.stringify([outcome.value]) } : outcome;
  return { ...sent, cpuMs: (user + system) / 1000 };
}
