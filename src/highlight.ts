// The thread that colours code, so that no grammar and no code can hold up the extension host.
import { parentPort } from 'node:worker_threads';
import { highlightJobSchema, type HighlightAnswer } from './core/highlight-job.ts';
import { highlight } from './highlight/highlight.ts';

parentPort?.on('message', (raw: unknown) => {
  const { id, code, language, theme } = highlightJobSchema.parse(raw);
  const answer = (found: HighlightAnswer['highlight']): void => {
    parentPort?.postMessage({ id, highlight: found } satisfies HighlightAnswer);
  };
  highlight(code, language, theme).then(answer, () => {
    // Code without colours is still code.
    answer(null);
  });
});
